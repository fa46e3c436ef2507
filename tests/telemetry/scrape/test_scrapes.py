"""One scrape after the other over real HTTP: values, staleness, limits, what the `scrape_*` series say."""

from __future__ import annotations

import gzip

import pytest

from holdfast.kernel.errors import BusyError, InvalidError
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS, NATIVE_PROTOCOLS, Protocol
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family
from holdfast.telemetry.metrics.scrape import Action, RelabelRule, ScrapeSettings
from holdfast.telemetry.metrics.scrape.config import Limits, Reading
from telemetry.scrape.conftest import STALE, TENANT, Scraped


def _x(**labels):
    return tuple(sorted({"__name__": "x", **labels}.items()))


async def test_samples_bear_the_labels_of_their_target(scraped, exporter):
    exporter.page = b'x{a="1"} 5\n'
    await scraped.loop().scrape(100.0)
    (labels,) = (labels for labels in scraped.source.tenant(TENANT).series if dict(labels)["__name__"] == "x")
    assert dict(labels) == {"__name__": "x", "a": "1", "env": "dev", "instance": exporter.address, "job": "shop"}
    assert scraped.series()[_x(a="1")] == [(100, 5.0)]


async def test_a_known_page_is_read_by_its_template_and_gives_the_same(scraped, exporter):
    loop = scraped.loop()
    for number in range(3):
        exporter.page = b'x{a="1"} %d\nx{a="2"} %d\n' % (number, number * 10)
        await loop.scrape(100.0 + number)
    assert scraped.series() == {
        _x(a="1"): [(100, 0.0), (101, 1.0), (102, 2.0)],
        _x(a="2"): [(100, 0.0), (101, 10.0), (102, 20.0)],
    }
    assert scraped.registry.get_sample_value("holdfast_scrape_pages_total", {"way": "template"}) == 2


async def test_a_series_that_vanishes_ends_with_a_stale_marker_once(scraped, exporter):
    loop = scraped.loop()
    exporter.page = b"x 1\ny 1\n"
    await loop.scrape(100.0)
    exporter.page = b"x 2\n"
    await loop.scrape(101.0)
    await loop.scrape(102.0)
    assert scraped.series("y") == {(("__name__", "y"),): [(100, 1.0), (101, STALE)]}
    assert len(scraped.series()[_x()]) == 3


async def test_a_failed_scrape_ends_every_series_and_the_target_is_down(scraped, exporter):
    loop = scraped.loop()
    await loop.scrape(100.0)
    exporter.status = 503
    await loop.scrape(101.0)
    await loop.scrape(102.0)
    assert scraped.series()[_x()] == [(100, 1.0), (101, STALE)]
    assert [value for _, value in scraped.series("up").popitem()[1]] == [1.0, 0.0, 0.0]
    assert loop.state.health == "down"
    assert loop.state.last_error == "server returned HTTP status 503"
    exporter.status = 200
    await loop.scrape(103.0)
    assert scraped.series()[_x()][-1] == (103, 1.0)
    assert scraped.value("scrape_series_added") == 0.0  # it is none that the target did not have


async def test_series_with_times_of_their_own_are_counted_as_new_too(scraped, exporter):
    loop = scraped.loop()
    added = []
    for at_s, page in (
        (100.0, b"x 1 99000\n"),
        (101.0, b"x 1 99000\n"),
        (102.0, b"x 2 102000\ny 1 102000\nz 1 9000000\n"),
    ):
        exporter.page = page
        await loop.scrape(at_s)
        added.append(scraped.value("scrape_series_added"))
    assert added == [1.0, 0.0, 1.0]
    assert (
        scraped.value("scrape_samples_post_metric_relabeling") == 3.0
    )  # what lies too far ahead is counted, and not kept


async def test_a_target_that_goes_ends_its_series_and_those_about_it(scraped):
    loop = scraped.loop()
    await loop.scrape(100.0)
    await loop.end()
    assert scraped.series()[_x()][-1][1] == STALE
    assert scraped.value("up") == STALE


async def test_the_series_about_a_scrape_count_before_and_after_relabelling(scraped, exporter):
    exporter.page = b"x 1\nthrown 2\nthrown 3\nx 4\n"
    drop = RelabelRule(action=Action.DROP, source_labels=("__name__",), regex="thrown")
    await scraped.loop(metric_relabel_rules=(drop,), has_extra_metrics=True).scrape(100.0)
    assert scraped.value("scrape_samples_scraped") == 4.0
    assert scraped.value("scrape_samples_post_metric_relabeling") == 2.0  # a series that stands twice counts twice
    assert scraped.value("scrape_series_added") == 1.0
    assert scraped.value("scrape_timeout_seconds") == 5.0
    assert scraped.value("scrape_body_size_bytes") == len(exporter.page)


@pytest.mark.parametrize(
    ("honors", "labels"),
    [
        (
            False,
            {
                "job": "shop",
                "exported_job": "theirs",
                "env": "dev",
                "exported_env": "prod",
                "exported_exported_env": "x",
            },
        ),
        (True, {"job": "theirs", "env": "prod", "exported_env": "x"}),
    ],
)
async def test_labels_that_the_target_sets_itself_are_moved_or_honoured(scraped, exporter, honors, labels):
    exporter.page = b'x{job="theirs",env="prod",exported_env="x"} 1\n'
    await scraped.loop(honor_labels=honors).scrape(100.0)
    (found,) = (dict(one) for one in scraped.source.tenant(TENANT).series if dict(one)["__name__"] == "x")
    moved = {name: value for name, value in found.items() if name not in {"__name__", "instance"}}
    if honors:
        assert moved == labels
    else:
        assert set(moved.values()) == set(labels.values())
        assert (moved["env"], moved["job"], moved["exported_job"]) == ("dev", "shop", "theirs")


@pytest.mark.parametrize("content_type", ["text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"])
async def test_a_label_that_the_page_gives_no_value_takes_that_of_the_target_away_where_it_is_honoured(
    scraped, exporter, content_type
):
    """So does the push gateway, whose groups without an instance must not get its own."""
    exporter.content_type = content_type
    exporter.page = b'x{instance="",job="pushed"} 1\n# EOF\n'
    loop = scraped.loop(honor_labels=True)
    await loop.scrape(100.0)
    await loop.scrape(101.0)
    (found,) = (dict(one) for one in scraped.source.tenant(TENANT).series if dict(one)["__name__"] == "x")
    assert found == {"__name__": "x", "env": "dev", "job": "pushed"}


async def test_a_label_without_a_value_is_none_that_must_be_moved(scraped, exporter):
    exporter.page = b'x{job="",env="prod"} 1\n'
    await scraped.loop().scrape(100.0)
    (found,) = (dict(one) for one in scraped.source.tenant(TENANT).series if dict(one)["__name__"] == "x")
    assert found == {"__name__": "x", "instance": exporter.address, "env": "dev", "job": "shop", "exported_env": "prod"}


async def test_of_labels_that_are_moved_the_shortest_comes_first(scraped, exporter):
    exporter.page = b'x{env="1",exported_env="2"} 1\n'
    relabel = (RelabelRule(target_label="exported_env", replacement="t"),)
    await scraped.loop(relabel_rules=relabel).scrape(100.0)
    (found,) = (dict(one) for one in scraped.source.tenant(TENANT).series if dict(one)["__name__"] == "x")
    assert (found["exported_exported_env"], found["exported_exported_exported_env"]) == ("1", "2")


async def test_a_series_that_relabelling_leaves_no_label_is_dropped(scraped, exporter):
    exporter.page = b"x 1\ny 2\n"
    await scraped.loop(metric_relabel_rules=(RelabelRule(regex="none", action=Action.LABEL_KEEP),)).scrape(100.0)
    assert (scraped.value("up"), scraped.value("scrape_samples_scraped")) == (1.0, 2.0)
    assert scraped.value("scrape_samples_post_metric_relabeling") == 0.0


async def test_a_page_beyond_its_size_is_told_as_minus_one(scraped, exporter):
    await scraped.loop(limits=Limits(body_bytes=1), has_extra_metrics=True).scrape(100.0)
    assert scraped.value("scrape_body_size_bytes") == -1.0


async def test_own_timestamps_more_than_ten_minutes_ahead_are_left_out_and_told(scraped, exporter):
    loop = scraped.loop()
    for at_s in (100, 101):
        exporter.page = b"near %d %d\nfar %d %d\n" % (at_s, (at_s + 599) * 1000, at_s, (at_s + 601) * 1000)
        await loop.scrape(float(at_s))
    assert [ts_s for ts_s, _ in scraped.series("near")[(("__name__", "near"),)]] == [699, 700]
    assert scraped.series("far") == {}
    assert scraped.noted.records["metrics", "shop", "out_of_range"] == 2
    assert scraped.value("up") == 1.0


@pytest.mark.parametrize("own_time", [b"", b" 50.5"])
async def test_an_exemplar_is_stored_once_however_often_it_is_shown(scraped, exporter, own_time):
    exporter.content_type = "application/openmetrics-text; version=1.0.0"
    loop = scraped.loop()
    for at_s, trace in enumerate((b"a", b"a", b"a", b"b", b"b"), start=100):
        exporter.page = b'# TYPE x counter\nx_total 1 # {trace_id="%s"} 1%s\n# EOF\n' % (trace, own_time)
        await loop.scrape(float(at_s))
    kept = scraped.source.tenant(TENANT).exemplars
    assert [dict(each.labels)["trace_id"] for _, each in kept] == ["a", "b"]


async def test_own_timestamps_are_honoured_and_such_series_do_not_go_stale(scraped, exporter):
    loop = scraped.loop()
    exporter.page = b"x 1 50000\ny 2\n"
    await loop.scrape(100.0)
    exporter.page = b"y 2\n"
    await loop.scrape(101.0)
    assert scraped.series()[_x()] == [(50, 1.0)]


async def test_own_timestamps_may_be_ignored(scraped, exporter):
    exporter.page = b"x 1 50000\n"
    loop = scraped.loop(honor_timestamps=False)
    await loop.scrape(100.0)
    await loop.scrape(101.0)
    assert scraped.series()[_x()] == [(100, 1.0), (101, 1.0)]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(samples=1), "sample_limit exceeded: 2 samples, the limit is 1"),
        (Limits(body_bytes=10), "body_size_limit exceeded"),
        (Limits(labels=4), "label_limit exceeded: x has 5 labels"),
        (Limits(label_name_length=5), "label_name_length_limit exceeded"),
        (Limits(label_value_length=5), "label_value_length_limit exceeded"),
    ],
)
async def test_a_page_over_a_limit_counts_for_nothing_and_says_which(scraped, exporter, limits, words):
    exporter.page = b'x{a="1234567"} 1\ny 2\n'
    loop = scraped.loop(limits=limits)
    await loop.scrape(100.0)
    assert words in loop.state.last_error
    assert scraped.series() == {}
    assert scraped.value("up") == 0.0
    assert scraped.noted.requests == {("metrics", "shop", "scrape_limit"): 1}


async def test_a_page_over_its_sample_limit_tells_how_many_samples_it_has(scraped, exporter):
    exporter.page = b"x 1\ny 2\nz 3\n"
    await scraped.loop(limits=Limits(samples=1)).scrape(100.0)
    assert scraped.value("scrape_samples_scraped") == 3.0
    assert scraped.value("scrape_samples_post_metric_relabeling") == 3.0
    assert scraped.value("scrape_series_added") == 0.0


async def test_a_page_that_is_not_in_its_format_is_refused_with_its_line(scraped, exporter):
    exporter.page = b"x 1\nnot a sample at all\n"
    loop = scraped.loop()
    await loop.scrape(100.0)
    assert loop.state.last_error == "page:2: not a sample" or "page:2" in loop.state.last_error
    assert scraped.series() == {}
    assert scraped.noted.requests == {("metrics", "shop", "malformed"): 1}


@pytest.mark.parametrize(("page", "reason"), [(b"x 1\ny 2\n", "scrape_limit"), (b"no page\n", "malformed")])
async def test_what_is_left_out_is_told_by_the_job_where_relabelling_took_its_label(scraped, exporter, page, reason):
    exporter.page = page
    drop = RelabelRule(action=Action.LABEL_DROP, regex="job")
    await scraped.loop(relabel_rules=(drop,), limits=Limits(samples=1)).scrape(100.0)
    assert scraped.noted.requests == {("metrics", "shop", reason): 1}


async def test_openmetrics_brings_starts_exemplars_and_metadata(scraped, exporter):
    exporter.content_type = "application/openmetrics-text; version=1.0.0"
    page = '# TYPE hits counter\n# HELP hits Pages.\nhits_total %d # {trace_id="t%d"} 1 7\nhits_created 50.5\n# EOF\n'
    loop = scraped.loop()
    for number in (1, 2):
        exporter.page = (page % (number, number)).encode()
        await loop.scrape(100.0 + number)
    kept = scraped.source.tenant(TENANT)
    (samples,) = (one for labels, one in kept.series.items() if dict(labels)["__name__"] == "hits_total")
    assert [(each.value, each.start_ms) for each in samples.between(0, 2**62)] == [(1.0, 50_500), (2.0, 50_500)]
    assert [(exemplar.labels, exemplar.ts_ms) for _, exemplar in kept.exemplars] == [
        ((("trace_id", "t1"),), 7000),
        ((("trace_id", "t2"),), 7000),
    ]
    assert [(one.family, one.type, one.help) for one in kept.metadata] == [("hits", "counter", "Pages.")]
    assert not any(dict(labels)["__name__"] == "hits_created" for labels in kept.series)


async def test_what_is_said_of_families_is_said_until_the_store_has_it_and_every_hour(scraped, exporter, monkeypatch):
    exporter.page = b"# HELP x What.\n# TYPE x gauge\nx 1\n"
    said, keep = [], scraped.sink.append

    async def append(tenant, arrival):
        said.append([one.help for one in arrival.metadata])
        if len(said) == 1:
            raise BusyError("too much waits")
        return await keep(tenant, arrival)

    monkeypatch.setattr(scraped.sink, "append", append)
    loop = scraped.loop()
    for number in range(3):
        await loop.scrape(100.0 + number)
    await scraped.clock.advance(3600)
    await loop.scrape(3700.0)
    assert said == [["What."], ["What."], [], ["What."]]


async def test_series_that_vanish_while_the_store_is_busy_end_with_the_next_scrape(scraped, exporter, monkeypatch):
    loop = scraped.loop()
    exporter.page = b"x 1\ny 1\nz 1\n"
    await loop.scrape(100.0)
    exporter.page = b"x 2\n"

    async def refuse(_tenant, _arrival):
        raise BusyError("too much waits")

    with monkeypatch.context() as busy:
        busy.setattr(scraped.sink, "append", refuse)
        await loop.scrape(101.0)
    exporter.page = b"x 3\nz 3\n"
    for number in range(102, 104):
        await loop.scrape(float(number))
    assert scraped.series("y") == {(("__name__", "y"),): [(100, 1.0), (102, STALE)]}
    assert scraped.series("z") == {(("__name__", "z"),): [(100, 1.0), (102, 3.0), (103, 3.0)]}


async def test_what_is_asked_says_the_formats_the_timeout_and_gzip(scraped, exporter):
    exporter.headers = {"content-encoding": "gzip"}
    exporter.page = gzip.compress(b"x 1\n")
    await scraped.loop(params={"module": ("a b",)}, metrics_path="probe").scrape(100.0)
    path, headers = exporter.asked[0]
    assert path == "/probe?module=a+b"
    assert headers["accept"].startswith("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6")
    assert headers["x-prometheus-scrape-timeout-seconds"] == "5"
    assert headers["accept-encoding"] == "gzip"
    assert scraped.series()[_x()] == [(100, 1.0)]


async def test_an_answer_without_a_format_needs_a_fallback(scraped, exporter):
    exporter.content_type = "text/html"
    loop = scraped.loop()
    await loop.scrape(100.0)
    assert "fallback_scrape_protocol" in loop.state.last_error
    reading = Reading(DEFAULT_PROTOCOLS, fallback=Protocol.TEXT)
    await scraped.loop(reading=reading).scrape(101.0)
    assert scraped.series()[_x()] == [(101, 1.0)]


async def test_a_book_with_a_new_generation_is_asked_again(scraped, exporter):
    loop = scraped.loop()
    await loop.scrape(100.0)
    scraped.sink.book(TENANT).forget()
    await loop.scrape(101.0)
    await loop.scrape(102.0)
    assert scraped.series()[_x()] == [(100, 1.0), (101, 1.0), (102, 1.0)]


async def test_a_failed_scrape_ends_no_series_of_others_whose_references_are_new(scraped, exporter):
    loop = scraped.loop()
    await loop.scrape(100.0)
    book = scraped.sink.book(TENANT)
    book.forget()
    for number in range(9):
        book.ref((("__name__", f"other_{number}"),), origin="another")
    exporter.status = 503
    await loop.scrape(101.0)
    assert scraped.series("other") == {}
    assert scraped.value("up") == 0.0


async def test_series_over_the_limit_are_refused_and_old_ones_go_on(exporter, callers):
    scraped = Scraped(exporter, callers, max_series=2)
    exporter.page = b"x 1\ny 1\nz 1\n"
    loop = scraped.loop()
    await loop.scrape(100.0)
    await loop.scrape(101.0)
    assert scraped.series("x") == {_x(): [(100, 1.0), (101, 1.0)]}
    assert scraped.series("z") == {}


async def test_nobody_answering_is_told_and_the_target_is_down(scraped, exporter):
    exporter.port = 1
    loop = scraped.loop()
    await loop.scrape(100.0)
    assert "cannot be reached: connection refused" in loop.state.last_error
    assert scraped.value("up") == 0.0


async def test_native_histograms_come_by_protobuf(scraped, exporter):
    family = metric_family()(name="wait", type=4, help="How long.")
    native = family.metric.add().histogram
    native.schema, native.sample_count, native.sample_sum, native.zero_threshold = 3, 5, 2.5, 1e-6
    native.positive_span.add(offset=1, length=2)
    native.positive_delta.extend([2, 1])
    body = family.SerializeToString()
    exporter.page = bytes([len(body)]) + body
    exporter.content_type = (
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    )
    loop = scraped.loop(reading=Reading(NATIVE_PROTOCOLS, is_native=True))
    await loop.scrape(100.0)
    await loop.scrape(101.0)
    (kept,) = (one for labels, one in scraped.source.tenant(TENANT).series.items() if ("__name__", "wait") in labels)
    samples = kept.between(0, 2**62)
    assert [each.histogram.positive.counts for each in samples] == [(2.0, 3.0), (2.0, 3.0)]
    assert exporter.asked[0][1]["accept"].startswith("application/vnd.google.protobuf")
    exporter.status = 500
    await loop.scrape(102.0)
    assert scraped.series("wait").popitem()[1][-1] == (102, STALE)


@pytest.mark.parametrize(("interval_s", "patience_s"), [(15.0, 1.0), (5.0, 1.0), (1.0, 0.2)])
async def test_samples_wait_for_company_but_never_hold_the_next_scrape_up(
    scraped, exporter, monkeypatch, interval_s, patience_s
):
    exporter.page = b"x 1\n"
    arrived = []
    append = scraped.sink.append

    async def noted(tenant, arrival):
        arrived.append(arrival.patience_s)
        return await append(tenant, arrival)

    monkeypatch.setattr(scraped.sink, "append", noted)
    await scraped.loop(interval_s=interval_s, timeout_s=interval_s).scrape(100.0)
    assert arrived == [patience_s]


def test_a_linger_that_would_hold_samples_back_is_refused():
    with pytest.raises(InvalidError, match=r"linger is 6s \(at most 5s\)"):
        ScrapeSettings(linger=6.0)
