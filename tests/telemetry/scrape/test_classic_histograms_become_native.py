"""`convert_classic_histograms_to_nhcb`: classic histograms of a page become native ones with the bounds they have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS, NATIVE_PROTOCOLS, Protocol, parse_page
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family
from holdfast.telemetry.metrics.histograms import Buckets
from holdfast.telemetry.metrics.scrape.config import Limits, Reading
from holdfast.telemetry.metrics.scrape.ladders import in_order, ladders_of
from telemetry.scrape.conftest import TENANT

CUSTOM = Reading(DEFAULT_PROTOCOLS, is_custom=True)
BOTH = Reading(DEFAULT_PROTOCOLS, is_custom=True, is_classic_too=True)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def text(first, second, count, total):
    return (
        b"# TYPE d histogram\n"
        b'd_bucket{p="/",le="0.5"} %d\nd_bucket{p="/",le="1"} %d\nd_bucket{p="/",le="+Inf"} %d\n'
        b'd_sum{p="/"} %g\nd_count{p="/"} %d\n# TYPE x gauge\nx 1\n' % (first, second, count, total, count)
    )


def natives(scraped, name="d"):
    """Give the histograms of a name: time in seconds and value, whatever series."""
    tenant = scraped.source.tenant(TenantId(TENANT))
    found = [kept for labels, kept in tenant.series.items() if dict(labels)["__name__"] == name]
    return [(each.ts_ms // 1000, each.histogram) for kept in found for each in kept.between(0, 2**62)]


async def test_a_histogram_is_one_series_and_its_classic_ones_are_gone(scraped, exporter):
    exporter.page = text(1, 3, 4, 2.5)
    await scraped.loop(reading=CUSTOM).scrape(100.0)
    ((_, histogram),) = natives(scraped)
    assert histogram.is_custom
    assert histogram.custom_values == (0.5, 1.0)
    assert histogram.positive == Buckets(0, (1.0, 2.0, 1.0))
    assert (histogram.count, histogram.sum) == (4.0, 2.5)
    assert {dict(labels)["__name__"] for labels in scraped.series()} == {"d", "x"}
    assert scraped.value("scrape_samples_scraped") == 2.0


async def test_a_known_page_is_read_by_its_template_and_gives_the_same(scraped, exporter):
    loop = scraped.loop(reading=CUSTOM)
    for number in range(3):
        exporter.page = text(1 + number, 3 + number, 4 + number, 2.5)
        await loop.scrape(100.0 + number)
    assert [(at, each.positive.counts) for at, each in natives(scraped)] == [
        (100, (1.0, 2.0, 1.0)),
        (101, (2.0, 2.0, 1.0)),
        (102, (3.0, 2.0, 1.0)),
    ]
    assert scraped.registry.get_sample_value("holdfast_scrape_pages_total", {"way": "template"}) == 2


async def test_the_classic_series_stay_where_the_job_says_so(scraped, exporter):
    loop = scraped.loop(reading=BOTH)
    for number in range(2):
        exporter.page = text(1, 3, 4 + number, 2.5)
        await loop.scrape(100.0 + number)
    assert len(natives(scraped)) == 2
    assert {dict(labels)["__name__"] for labels in scraped.series()} == {"d", "d_bucket", "d_sum", "d_count", "x"}
    assert [value for _, value in scraped.series("d_count").popitem()[1]] == [4.0, 5.0]


async def test_starts_and_exemplars_are_kept_however_the_page_is_read(scraped, exporter):
    exporter.content_type = OPENMETRICS
    loop = scraped.loop(reading=CUSTOM)
    for number in range(2):
        exporter.page = (
            b"# TYPE d histogram\n"
            b'd_bucket{le="0.5"} %d # {trace_id="a%d"} 0.3\nd_bucket{le="+Inf"} %d\nd_count %d\nd_sum 1.0\n'
            b"d_created 90.5\n# EOF\n" % (1 + number, number, 2 + number, 2 + number)
        )
        await loop.scrape(100.0 + number)
    (kept,) = [kept for labels, kept in scraped.source.tenant(TENANT).series.items() if dict(labels)["__name__"] == "d"]
    assert [each.start_ms for each in kept.between(0, 2**62)] == [90_500, 90_500]
    exemplars = scraped.source.tenant(TENANT).exemplars
    assert [(dict(labels)["__name__"], dict(each.labels)["trace_id"]) for labels, each in exemplars] == [
        ("d", "a0"),
        ("d", "a1"),
    ]
    assert {dict(labels)["__name__"] for labels in scraped.series()} == {"d"}


async def test_a_histogram_that_contradicts_itself_stays_classic_and_is_counted(scraped, exporter):
    loop = scraped.loop(reading=CUSTOM)
    exporter.page = text(1, 3, 4, 2.5)
    await loop.scrape(100.0)
    exporter.page = text(5, 3, 4, 2.5)
    await loop.scrape(101.0)
    assert [at for at, each in natives(scraped) if each is not None] == [100]
    assert scraped.value("d_count") == 4.0
    count = scraped.registry.get_sample_value("holdfast_scrape_unconverted_histograms_total", {"job": "shop"})
    assert count == 1.0


async def test_a_histogram_that_contradicted_itself_once_becomes_native_as_soon_as_it_does_not(scraped, exporter):
    loop = scraped.loop(reading=CUSTOM)
    for number, first in enumerate((5, 5, 1, 1)):
        exporter.page = text(first, 3, 4, 2.5)
        await loop.scrape(100.0 + number)
    assert [at for at, each in natives(scraped) if each is not None] == [102, 103]
    count = scraped.registry.get_sample_value("holdfast_scrape_unconverted_histograms_total", {"job": "shop"})
    assert count == 2.0
    assert scraped.registry.get_sample_value("holdfast_scrape_pages_total", {"way": "template"}) == 2


async def test_times_of_its_own_say_anew_on_each_page_what_belongs_to_a_histogram(scraped, exporter):
    loop = scraped.loop(reading=CUSTOM)
    for number, time in enumerate((90_000, 101_000)):
        exporter.page = (
            b'# TYPE d histogram\nd_bucket{le="1"} 3 101000\nd_bucket{le="+Inf"} 4 101000\n'
            b"d_sum 2.5 %d\nd_count 4 101000\n" % time
        )
        await loop.scrape(100.0 + number)
    assert [each.sum for _, each in natives(scraped) if each is not None][-1] == 2.5


async def test_too_many_buckets_fail_the_scrape_as_the_limit_says(scraped, exporter):
    exporter.page = text(1, 3, 4, 2.5)
    loop = scraped.loop(reading=CUSTOM, limits=Limits(native_buckets=2))
    await loop.scrape(100.0)
    assert "native_histogram_bucket_limit" in loop.state.last_error
    assert not natives(scraped)


async def test_a_histogram_that_is_native_already_stays_what_it_is(scraped, exporter):
    family = metric_family()(name="d", type=4)
    both, classic = family.metric.add().histogram, family.metric.add()
    both.sample_count, both.sample_sum, both.schema, both.zero_threshold, both.zero_count = 3, 4.0, 1, 0.1, 3
    classic.label.add(name="p", value="/")
    for histogram in (both, classic.histogram):
        histogram.sample_count, histogram.sample_sum = 3, 4.0
        histogram.bucket.add(upper_bound=1.0, cumulative_count=2)
    message = family.SerializeToString()
    exporter.page = bytes([len(message)]) + message
    exporter.content_type = (
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    )
    reading = Reading(NATIVE_PROTOCOLS, is_native=True, is_custom=True)
    await scraped.loop(reading=reading).scrape(100.0)
    assert sorted(each.schema for _, each in natives(scraped)) == [-53, 1]


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=0, max_size=6, unique=True),
    st.lists(st.integers(0, 1000), min_size=7, max_size=7),
    st.randoms(use_true_random=False),
)
def test_whatever_the_order_of_lines_no_count_is_lost(bounds, counts, dice):
    lines, reached = [], 0
    for bound, own in zip(sorted(bounds), counts, strict=False):
        reached += own
        lines.append(f'd_bucket{{le="{bound!r}"}} {reached}')
    reached += counts[-1]
    lines += [f'd_bucket{{le="+Inf"}} {reached}', f"d_count {reached}", "d_sum 5"]
    dice.shuffle(lines)
    page = parse_page("\n".join(["# TYPE d histogram", *lines, ""]).encode(), Protocol.TEXT)
    ordered = in_order(page)
    (ladder,) = ladders_of(page, ordered)
    histogram = ladder.read([sample.value for sample in ordered])
    assert histogram.custom_values == tuple(sorted(bounds))
    assert sum(histogram.positive.counts) == histogram.count == reached


@pytest.mark.parametrize("kind", ["summary", "gauge", "untyped"])
def test_only_histograms_are_taken_for_them(kind):
    page = parse_page(f"# TYPE d {kind}\nd_count 3\nd_sum 4\n".encode(), Protocol.TEXT)
    assert ladders_of(page, in_order(page)) == []
