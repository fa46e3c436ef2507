"""Prometheus' protobuf exposition, written here with the same field tables and read back."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.exposition import ExpositionError, PageExemplar, parse_protobuf
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family
from holdfast.telemetry.metrics.histograms import Buckets, ResetHint


def _page(*families) -> bytes:
    page = b""
    for family in families:
        body = family.SerializeToString()
        size, head = len(body), b""
        while size > 0x7F:
            head += bytes([size & 0x7F | 0x80])
            size >>= 7
        page += head + bytes([size]) + body
    return page


def _family(name: str, kind: int):
    family = metric_family()(name=name, type=kind, help="about it", unit="")
    metric = family.metric.add()
    metric.label.add(name="job", value="shop")
    return family, metric


def test_a_counter_has_its_exemplar_and_its_start():
    family, metric = _family("hits_total", 0)
    metric.counter.value = 5
    metric.counter.start.seconds = 100
    metric.counter.exemplar.value = 1
    metric.counter.exemplar.label.add(name="trace_id", value="abc")
    metric.timestamp_ms = 7
    (read,) = parse_protobuf(_page(family)).families
    (sample,) = read.samples
    assert (read.type, read.help) == ("counter", "about it")
    assert sample.labels == (("__name__", "hits_total"), ("job", "shop"))
    assert (sample.value, sample.ts_ms, sample.start_ms) == (5.0, 7, 100_000)
    assert sample.exemplar == PageExemplar((("trace_id", "abc"),), 1.0)


def test_an_empty_label_is_none_and_still_said():
    family, metric = _family("hits_total", 0)
    metric.label.add(name="instance", value="")
    metric.counter.value = 5
    (sample,) = parse_protobuf(_page(family)).samples()
    assert (sample.labels, sample.empty) == ((("__name__", "hits_total"), ("job", "shop")), ("instance",))


def test_times_beyond_all_reason_are_cut():
    family, metric = _family("hits_total", 0)
    metric.counter.start.seconds = 2**62
    metric.counter.exemplar.timestamp.seconds = -(2**62)
    (sample,) = parse_protobuf(_page(family)).samples()
    assert (sample.start_ms, sample.exemplar.ts_ms) == (2**62, -(2**62))


def _histogram(is_native: bool):
    family, metric = _family("wait", 4)
    histogram = metric.histogram
    histogram.sample_count, histogram.sample_sum = 10, 12.5
    for bound, count in ((1, 4), (2, 9)):
        histogram.bucket.add(cumulative_count=count, upper_bound=bound)
    if is_native:
        histogram.schema, histogram.zero_threshold, histogram.zero_count = 3, 1e-6, 1
        histogram.positive_span.add(offset=-2, length=2)
        histogram.positive_span.add(offset=1, length=1)
        histogram.positive_delta.extend([3, -1, 2])
    return _page(family)


def test_a_native_histogram_is_one_sample_whose_gaps_are_filled():
    (sample,) = parse_protobuf(_histogram(is_native=True)).samples()
    assert sample.histogram is not None
    assert sample.histogram.positive == Buckets(-2, (3.0, 2.0, 0.0, 4.0))
    assert (sample.histogram.count, sample.histogram.zero_count, sample.histogram.schema) == (10.0, 1.0, 3)
    assert sample.histogram.hint is ResetHint.UNKNOWN


def test_a_native_histograms_own_exemplars_stand_for_those_of_its_buckets():
    family, metric = _family("wait", 4)
    metric.histogram.zero_count = 1
    metric.timestamp_ms = 0
    bucket = metric.histogram.bucket.add(cumulative_count=1, upper_bound=1)
    bucket.exemplar.value, bucket.exemplar.timestamp.seconds = 0.5, 7
    (sample,) = parse_protobuf(_page(family)).samples()
    assert ([one.value for one in sample.exemplars], sample.ts_ms) == ([0.5], None)
    own = metric.histogram.exemplars.add(value=0.25)
    own.timestamp.seconds = 8
    (sample,) = parse_protobuf(_page(family)).samples()
    assert [one.value for one in sample.exemplars] == [0.25]


@pytest.mark.parametrize(("native", "both", "count"), [(False, False, 5), (True, True, 6), (True, False, 1)])
def test_the_classic_buckets_are_taken_when_asked_for(native, both, count):
    samples = list(parse_protobuf(_histogram(is_native=True), is_native=native, is_classic_too=both).samples())
    assert len(samples) == count


def test_a_histogram_without_native_buckets_is_classic_with_a_last_bucket():
    samples = parse_protobuf(_histogram(is_native=False)).samples()
    found = {(dict(s.labels)["__name__"], dict(s.labels).get("le")): s.value for s in samples}
    assert found == {
        ("wait_count", None): 10,
        ("wait_sum", None): 12.5,
        ("wait_bucket", "1.0"): 4,
        ("wait_bucket", "2.0"): 9,
        ("wait_bucket", "+Inf"): 10,
    }


def test_a_summary_is_its_count_its_sum_and_its_quantiles():
    family, metric = _family("took", 2)
    metric.summary.sample_count, metric.summary.sample_sum = 2, 3
    metric.summary.quantile.add(quantile=0.5, value=1)
    names = [dict(sample.labels) for sample in parse_protobuf(_page(family)).samples()]
    assert names[2] == {"__name__": "took", "job": "shop", "quantile": "0.5"}


def test_spans_that_do_not_fit_are_a_fault():
    family, metric = _family("wait", 4)
    metric.histogram.zero_count = 1
    metric.histogram.positive_span.add(offset=0, length=3)
    metric.histogram.positive_delta.extend([1])
    with pytest.raises(ExpositionError, match="do not fit"):
        parse_protobuf(_page(family))


@pytest.mark.parametrize("page", [b"\x80", b"\x05ab", b"\x02\xff\xff", b"\x80\x80\x80\x80\x80\x80"])
def test_a_cut_page_is_a_fault(page):
    with pytest.raises(ExpositionError):
        parse_protobuf(page)


@pytest.mark.parametrize(
    ("letter", "words"),
    [
        (b"n", r"the family b'\xff' holds"),
        (b"h", r"the family 'n' holds what is not UTF-8: b'\xff'"),
        (b"u", "the family 'n' holds"),
        (b"l", "a label of n holds"),
        (b"v", "a label of n holds"),
        (b"e", "a label of an exemplar holds"),
    ],
)
def test_a_text_that_is_no_utf8_is_a_fault(letter, words):
    family = metric_family()(name="n", type=0, help="h", unit="u")
    metric = family.metric.add()
    metric.label.add(name="l", value="v")
    metric.counter.exemplar.label.add(name="x", value="e")
    page = _page(family).replace(b"\x01" + letter, b"\x01\xff")  # each text is one letter behind its length
    with pytest.raises(ExpositionError) as refused:
        parse_protobuf(page)
    assert words in refused.value.message


def test_an_empty_page_has_no_families():
    assert parse_protobuf(b"").families == ()
