"""Every kind of OTLP metric becomes the series that Prometheus' own receiver makes of it."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from fixtures.arrivals import KeepingSink, Kept
from fixtures.otlp import NOW_MS, NOW_NS, attributes, counter, point, request
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets
from holdfast.telemetry.metrics.otlp import OtlpMetrics, OtlpMetricsSettings, OtlpOptions, Translation

AT = {"timeUnixNano": str(NOW_NS), "startTimeUnixNano": str(NOW_NS - 5_000_000_000)}


async def export(sent: Any, **settings: Any) -> tuple[Kept, Any]:
    sink = KeepingSink()
    door = OtlpMetrics(sink, settings=OtlpMetricsSettings(**settings))
    rejected = await door.export("t", sent)
    return sink.book("t"), rejected


def named(kept: Kept) -> dict[str, float]:
    """Give values by series in PromQL's notation, without `job`."""
    found = {}
    for labels, _, value in kept.samples:
        pairs = dict(labels)
        name = pairs.pop("__name__")
        pairs.pop("job", None)
        found[name + ("{" + ",".join(f'{key}="{text}"' for key, text in pairs.items()) + "}" if pairs else "")] = value
    return found


async def test_a_counter_has_its_total_start_and_labels() -> None:
    sent = counter("http.requests", point(5.0, start_s=-5, attributes=attributes(http__method="GET")), unit="1")
    kept, rejected = await export(request(sent))
    labels = (("__name__", "http_requests_total"), ("http_method", "GET"), ("job", "shop"))
    assert kept.samples == [(labels, NOW_MS, 5.0)]
    assert kept.starts == [NOW_MS - 5000]
    assert kept.metadata == [("http_requests_total", "counter", "The http.requests.", "")]
    assert not rejected.count


async def test_integers_gauges_and_sums_that_go_down() -> None:
    gauge = {"name": "temp", "unit": "Cel", "gauge": {"dataPoints": [{"asInt": "21", "timeUnixNano": str(NOW_NS)}]}}
    updown = {"name": "queue", "sum": {"aggregationTemporality": 2, "dataPoints": [point(3.0, start_s=-5)]}}
    kept, _ = await export(request(gauge, updown))
    assert named(kept) == {"temp_celsius": 21.0, "queue": 3.0}
    assert kept.starts == [0, 0]
    assert {said.family: said.type for said in kept.metadata} == {"temp_celsius": "gauge", "queue": "gauge"}


async def test_a_histogram_becomes_cumulative_buckets() -> None:
    sent = {
        "name": "latency",
        "unit": "s",
        "histogram": {
            "aggregationTemporality": 2,
            "dataPoints": [
                {
                    **AT,
                    "count": "6",
                    "sum": 7.5,
                    "bucketCounts": ["1", "2", "3"],
                    "explicitBounds": [0.005, 1],
                    "exemplars": [{"asDouble": 0.7, "timeUnixNano": str(NOW_NS), "traceId": "q80=", "spanId": "7w=="}],
                }
            ],
        },
    }
    kept, _ = await export(request(sent))
    assert named(kept) == {
        "latency_seconds_sum": 7.5,
        "latency_seconds_count": 6.0,
        'latency_seconds_bucket{le="0.005"}': 1.0,
        'latency_seconds_bucket{le="1"}': 3.0,
        'latency_seconds_bucket{le="+Inf"}': 6.0,
    }
    assert set(kept.starts) == {NOW_MS - 5000}
    labels, ts_ms, value, example = kept.exemplars[0]
    assert (dict(labels)["le"], ts_ms, value) == ("1", NOW_MS, 0.7)
    assert example == (("span_id", "ef"), ("trace_id", "abcd"))


async def test_an_exponential_histogram_becomes_a_native_one() -> None:
    data = {
        **AT,
        "count": "7",
        "sum": 10.0,
        "scale": 1,
        "zeroCount": "1",
        "positive": {"offset": 1, "bucketCounts": ["0", "2", "3"]},
        "negative": {"offset": -3, "bucketCounts": ["1"]},
    }
    buckets = {"offset": 0, "bucketCounts": ["1", "2", "3", "4", "5"]}
    fine = {**data, "count": "16", "scale": 10, "positive": buckets, "negative": {}}
    coarse = {**data, "scale": -5}
    sent = [
        {"name": name, "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [each]}}
        for name, each in (("plain", data), ("fine", fine), ("coarse", coarse))
    ]
    kept, rejected = await export(request(*sent))
    (_, _, plain, start), (_, _, reduced, _) = kept.histograms
    assert (plain.schema, plain.count, plain.sum, plain.zero_count) == (1, 7.0, 10.0, 1.0)
    assert (plain.positive, plain.negative) == (Buckets(3, (2.0, 3.0)), Buckets(-2, (1.0,)))
    assert (plain.zero_threshold, start) == (1e-128, NOW_MS - 5000)
    assert (reduced.schema, reduced.positive) == (8, Buckets(1, (10.0, 5.0)))
    assert (rejected.count, "Scale must be >= -4" in rejected.message) == (1, True)


async def test_an_exponential_histogram_whose_buckets_do_not_add_up_is_refused() -> None:
    data = {**AT, "count": "7", "sum": 1.0, "positive": {"bucketCounts": ["1", "2"]}}
    ended = {**data, "flags": 1}
    points = {"aggregationTemporality": 2, "dataPoints": [data, ended]}
    kept, rejected = await export(request({"name": "e", "exponentialHistogram": points}))
    assert [struct.pack("<d", value.sum) for _, _, value, _ in kept.histograms] == [struct.pack("<Q", STALE_BITS)]
    assert (rejected.count, "3 observations found in buckets" in rejected.message) == (1, True)


@pytest.mark.timeout(10)
async def test_a_scale_beyond_all_others_is_reduced_at_once() -> None:
    data = {**AT, "count": "3", "scale": 2**31 - 1, "positive": {"offset": -1, "bucketCounts": ["1", "2"]}}
    points = {"aggregationTemporality": 2, "dataPoints": [data]}
    kept, _ = await export(request({"name": "e", "exponentialHistogram": points}))
    ((_, _, value, _),) = kept.histograms
    assert (value.schema, value.positive) == (8, Buckets(0, (1.0, 2.0)))


async def test_a_summary_becomes_quantiles() -> None:
    data = {
        **AT,
        "count": "4",
        "sum": 8.0,
        "quantileValues": [{"quantile": 0.5, "value": 2.0}, {"quantile": 1, "value": 3}],
    }
    kept, _ = await export(request({"name": "s", "summary": {"dataPoints": [data]}}))
    expected = {"s_sum": 8.0, "s_count": 4.0, 's{quantile="0.5"}': 2.0, 's{quantile="1"}': 3.0}
    assert named(kept) == expected


async def test_a_point_without_a_value_ends_its_series() -> None:
    kept, _ = await export(request(counter("hits", {"timeUnixNano": str(NOW_NS), "flags": 1})))
    assert struct.unpack("<Q", struct.pack("<d", kept.samples[0][2]))[0] == STALE_BITS


async def test_target_info_tells_the_rest_of_the_resource() -> None:
    resource = {"service__name": "shop", "service__namespace": "eu", "service__instance__id": "1", "host__name": "a"}
    kept, _ = await export(request(counter("hits", point(1.0)), **resource))
    assert kept.samples == [
        ((("__name__", "hits_total"), ("instance", "1"), ("job", "eu/shop")), NOW_MS, 1.0),
        ((("__name__", "target_info"), ("host_name", "a"), ("instance", "1"), ("job", "eu/shop")), NOW_MS, 1.0),
    ]


async def test_a_resource_without_more_to_say_has_no_target_info() -> None:
    kept, _ = await export(request(counter("hits", point(1.0)), host__name="a"))
    assert named(kept) == {"hits_total": 1.0}
    kept, _ = await export(request(counter("hits", point(1.0)), service__name="shop"))
    assert named(kept) == {"hits_total": 1.0}


async def test_promoted_attributes_are_the_tenants_own() -> None:
    resource = {"service__name": "shop", "host__name": "a", "k8s__pod__name": "p"}
    options = {"promote_resource_attributes": ("host.name",), "promote_by_tenant": {"t": ("k8s.pod.name",)}}
    kept, _ = await export(request(counter("hits", point(1.0)), **resource), **options)
    assert 'hits_total{k8s_pod_name="p"}' in named(kept)


async def test_scopes_tell_series_apart_where_the_options_say_so() -> None:
    scope = {"name": "lib", "version": "1.2", "attributes": attributes(a__b="c")}
    kept, _ = await export(request(counter("hits", point(1.0)), scope=scope), promote_scope_metadata=True)
    assert named(kept) == {'hits_total{otel_scope_a_b="c",otel_scope_name="lib",otel_scope_version="1.2"}': 1.0}
    kept, _ = await export(request(counter("hits", point(1.0)), scope=scope))
    assert named(kept) == {"hits_total": 1.0}


async def test_a_scope_without_a_name_tells_nothing_and_odd_keys_keep_their_form() -> None:
    scope = {"version": "1.2", "attributes": attributes(_a="b")}
    kept, _ = await export(request(counter("hits", point(1.0)), scope=scope), promote_scope_metadata=True)
    assert named(kept) == {"hits_total": 1.0}
    kept, _ = await export(
        request(counter("hits", point(1.0)), scope={**scope, "name": "l"}), promote_scope_metadata=True
    )
    assert named(kept) == {'hits_total{otel_scope__a="b",otel_scope_name="l",otel_scope_version="1.2"}': 1.0}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("s", "seconds"),
        ("By/s", "bytes_per_second"),
        ("1", ""),
        ("{item}", ""),
        ("{item}/s", "per_second"),
        ("a b", "a_b"),
    ],
)
async def test_units_are_told_in_the_words_of_names(unit: str, expected: str) -> None:
    kept, _ = await export(request(counter("hits", point(1.0), unit=unit)))
    assert [said.unit for said in kept.metadata] == [expected]


async def test_every_kind_of_attribute_is_a_label() -> None:
    values: list[dict[str, Any]] = [
        {"boolValue": True},
        {"intValue": "5"},
        {"doubleValue": 2.0},
        {"doubleValue": 0.25},
        {"arrayValue": {"values": [{"stringValue": "x"}, {"intValue": "1"}]}},
        {"bytesValue": "aGk="},
        {},
    ]
    sent = [{"key": f"a{number}", "value": value} for number, value in enumerate(values)]
    sent += attributes(k__a="1", k_a="2")
    kept, _ = await export(request(counter("hits", point(1.0, attributes=sent))))
    labels = dict(kept.samples[0][0])
    assert [labels.get(f"a{number}") for number in range(7)] == ["true", "5", "2", "0.25", '["x",1]', "aGk=", None]
    assert labels["k_a"] == "1;2"


async def test_names_may_be_left_alone() -> None:
    sent = request(counter("http.requests", point(1.0, attributes=attributes(http__method="GET"))))
    kept, _ = await export(sent, translation_strategy=Translation.NONE)
    assert named(kept) == {'http.requests{http.method="GET"}': 1.0}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"doubleValue": 0.00001}, "0.00001"),
        ({"doubleValue": 1e-7}, "1e-7"),
        ({"doubleValue": 1e21}, "1e+21"),
        ({"doubleValue": 123456789.125}, "123456789.125"),
        (
            {"arrayValue": {"values": [{"doubleValue": 1.0}, {"doubleValue": 2.5}, {"bytesValue": "aGk="}]}},
            '[1,2.5,"aGk="]',
        ),
        ({"kvlistValue": {"values": attributes(b="2", a="1")}}, '{"a":"1","b":"2"}'),
    ],
)
async def test_values_of_attributes_are_written_as_collectors_write_them(value: dict[str, Any], expected: str) -> None:
    kept, _ = await export(request(counter("hits", point(1.0, attributes=[{"key": "a", "value": value}]))))
    assert dict(kept.samples[0][0])["a"] == expected


async def test_what_a_point_says_counts_more_than_what_is_promoted() -> None:
    resource = {"service__name": "shop", "host__name": "of-resource", "otel_scope_name": "of-resource"}
    own = point(1.0, attributes=attributes(host__name="of-point", job="of-point"))
    scope = {"name": "of-scope"}
    options = {"promote_all_resource_attributes": True, "promote_scope_metadata": True}
    kept, _ = await export(request(counter("hits", own), scope=scope, **resource), **options)
    labels = dict(kept.samples[0][0])
    assert (labels["host_name"], labels["job"], labels["otel_scope_name"]) == ("of-point", "shop", "of-scope")


@pytest.mark.parametrize("kind", ["sum", "histogram", "exponentialHistogram"])
async def test_points_that_count_from_nobody_knows_when_are_refused(kind: str) -> None:
    unsaid = {"name": "unsaid", kind: {"dataPoints": [AT, AT]}}
    kept, rejected = await export(request(unsaid, counter("hits", point(1.0))))
    assert named(kept) == {"hits_total": 1.0}
    assert (rejected.count, "unsaid has no aggregation temporality" in rejected.message) == (2, True)


@pytest.mark.parametrize("kind", ["gauge", "sum", "histogram", "exponentialHistogram", "summary"])
async def test_points_without_a_time_are_refused_and_not_stored_in_1970(kind: str) -> None:
    temporality = {} if kind in {"gauge", "summary"} else {"aggregationTemporality": 2}
    sent = {"name": "m", kind: {**temporality, "dataPoints": [{}, AT]}}
    kept, rejected = await export(request(sent))
    assert (rejected.count, "m has points without a time" in rejected.message) == (1, True)
    assert {ts_ms for _, ts_ms, *_ in (*kept.samples, *kept.histograms)} == {NOW_MS}


async def test_bounds_without_counts_are_no_buckets() -> None:
    data = {"aggregationTemporality": 2, "dataPoints": [{**AT, "count": "6", "explicitBounds": [0.5, 1.0]}]}
    kept, _ = await export(request({"name": "latency", "histogram": data}))
    assert named(kept) == {"latency_count": 6.0, 'latency_bucket{le="+Inf"}': 6.0}


async def test_a_histogram_that_ended_ends_its_buckets_however_many_counts_it_has() -> None:
    ended = {**AT, "flags": 1, "explicitBounds": [0.5, 1.0], "bucketCounts": ["0"]}
    data = {"aggregationTemporality": 2, "dataPoints": [ended]}
    kept, rejected = await export(request({"name": "latency", "histogram": data}))
    assert len(kept.samples) == 5
    assert all(struct.pack("<d", value) == struct.pack("<Q", STALE_BITS) for _, _, value in kept.samples)
    assert not rejected.count


async def test_exemplars_keep_within_what_openmetrics_allows() -> None:
    long = {"asDouble": 1.0, "timeUnixNano": str(NOW_NS), "traceId": "AQIDBAUGBwgJCgsMDQ4PEA=="}
    short = {**long, "filteredAttributes": attributes(user="a" * 60)}
    long = {**long, "filteredAttributes": attributes(user="a" * 90)}
    kept, _ = await export(request(counter("hits", point(1.0, exemplars=[short, long]))))
    assert [[name for name, _ in labels] for *_, labels in kept.exemplars] == [["trace_id", "user"], ["trace_id"]]


async def test_ids_of_zeros_are_none() -> None:
    example = {
        "asDouble": 1.0,
        "timeUnixNano": str(NOW_NS),
        "traceId": "AAAAAAAAAAAAAAAAAAAAAA==",
        "spanId": "AAAAAAAAAAA=",
    }
    kept, _ = await export(request(counter("hits", point(1.0, exemplars=[example]))))
    assert [labels for *_, labels in kept.exemplars] == [()]


async def test_known_series_are_entered_once_and_told_once() -> None:
    sink = KeepingSink()
    door = OtlpMetrics(sink)
    for at_s in range(3):
        await door.export("t", request(counter("hits", point(1.0, at_s=at_s)), service__name="shop", host__name="a"))
    assert len(sink.book("t").samples) == 6
    assert len(sink.book("t").origins) == 2
    assert len(sink.book("t").metadata) == 2
    assert sink.book("t").origins[0] == "otlp:shop/"


async def test_a_metric_without_a_name_is_rejected_and_the_others_stored() -> None:
    for name in ("", "λ"):
        kept, rejected = await export(request(counter(name, point(1.0), point(2.0)), counter("hits", point(1.0))))
        assert named(kept) == {"hits_total": 1.0}
        assert (rejected.count, "nothing is left of the metric name" in rejected.message) == (2, True)


async def test_all_resource_attributes_are_promoted_but_those_that_are_ignored() -> None:
    resource = {"service__name": "shop", "host__name": "a", "k8s__pod__name": "p"}
    options = {"promote_all_resource_attributes": True, "ignore_resource_attributes": ("k8s.pod.name",)}
    kept, _ = await export(request(counter("hits", point(1.0)), **resource), **options)
    assert 'hits_total{host_name="a",service_name="shop"}' in named(kept)


async def test_identifying_attributes_stay_on_target_info_where_the_options_say_so() -> None:
    resource = {"service__name": "shop", "host__name": "a"}
    kept, _ = await export(request(counter("hits", point(1.0)), **resource), keep_identifying_resource_attributes=True)
    assert 'target_info{host_name="a",service_name="shop"}' in named(kept)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Translation.ESCAPED, 'http_size_bytes_total{http_method="GET"}'),
        (Translation.ESCAPED_BARE, 'http_size{http_method="GET"}'),
        (Translation.UTF8, 'http.size_bytes_total{http.method="GET"}'),
        (Translation.NONE, 'http.size{http.method="GET"}'),
    ],
)
async def test_every_strategy_makes_names_of_metrics_and_labels(strategy: Translation, expected: str) -> None:
    sent = request(counter("http.size", point(1.0, attributes=attributes(http__method="GET")), unit="By"))
    kept, _ = await export(sent, translation_strategy=strategy)
    assert named(kept) == {expected: 1.0}


def explicit(counts: list[int], *, count: int | None = None, **more: Any) -> dict[str, Any]:
    whole = sum(counts) if count is None else count
    given = {"count": str(whole), "sum": 9.0, "explicitBounds": [0.5, 1.0], "bucketCounts": list(map(str, counts))}
    return {**AT, **given, **more}


async def test_explicit_buckets_become_native_histograms_where_the_options_say_so() -> None:
    example = {"asDouble": 0.7, "timeUnixNano": str(NOW_NS), "traceId": "00" * 15 + "01"}
    data = {"aggregationTemporality": 2, "dataPoints": [explicit([1, 2, 3], exemplars=[example])]}
    sent = request({"name": "latency", "unit": "s", "histogram": data})
    kept, rejected = await export(sent, convert_histograms_to_nhcb=True)
    assert not kept.samples
    ((labels, ts_ms, value, start_ms),) = kept.histograms
    assert dict(labels) == {"__name__": "latency_seconds", "job": "shop"}
    assert (ts_ms, start_ms) == (NOW_MS, NOW_MS - 5000)
    assert (value.schema, value.custom_values) == (CUSTOM_SCHEMA, (0.5, 1.0))
    assert (value.positive, value.count, value.sum) == (Buckets(0, (1.0, 2.0, 3.0)), 6.0, 9.0)
    assert len(kept.exemplars) == 1
    assert not rejected.count


async def test_deltas_of_explicit_buckets_are_summed_before_they_become_native() -> None:
    sink = KeepingSink()
    door = OtlpMetrics(sink, settings=OtlpMetricsSettings(convert_histograms_to_nhcb=True))
    for at_s in (0, 5):
        span = {"startTimeUnixNano": str(NOW_NS + (at_s - 5) * 10**9), "timeUnixNano": str(NOW_NS + at_s * 10**9)}
        data = {"aggregationTemporality": 1, "dataPoints": [explicit([1, 0, 3], **span)]}
        await door.export("t", request({"name": "latency", "histogram": data}))
    counts = [value.positive.counts for _, _, value, _ in sink.book("t").histograms]
    assert counts == [(1.0, 0.0, 3.0), (2.0, 0.0, 6.0)]


async def test_explicit_buckets_that_do_not_add_up_are_refused_and_named() -> None:
    data = {"aggregationTemporality": 2, "dataPoints": [explicit([1, 2, 3], count=7), explicit([1, 2, 3])]}
    kept, rejected = await export(request({"name": "latency", "histogram": data}), convert_histograms_to_nhcb=True)
    assert len(kept.histograms) == 1
    assert (rejected.count, "latency: 6 observations found in buckets" in rejected.message) == (1, True)


async def test_a_series_that_ended_is_a_stale_histogram() -> None:
    data = {"aggregationTemporality": 2, "dataPoints": [{**AT, "flags": 1}]}
    kept, _ = await export(request({"name": "latency", "histogram": data}), convert_histograms_to_nhcb=True)
    ((_, _, value, _),) = kept.histograms
    assert struct.unpack("<Q", struct.pack("<d", value.sum))[0] == STALE_BITS


async def test_what_prometheus_yml_says_holds_from_the_next_request_on_for_its_tenant() -> None:
    sink, said = KeepingSink(), {"t": OtlpOptions(promote_all_resource_attributes=True)}
    door = OtlpMetrics(sink, options=said.get)
    sent = request(counter("hits", point(1.0)), host__name="a")
    await door.export("t", sent)
    await door.export("other", sent)
    said["t"] = OtlpOptions(translation_strategy=Translation.NONE)
    await door.export("t", sent)
    assert named(sink.book("t")) == {'hits_total{host_name="a"}': 1.0, "hits": 1.0}
    assert named(sink.book("other")) == {"hits_total": 1.0}
