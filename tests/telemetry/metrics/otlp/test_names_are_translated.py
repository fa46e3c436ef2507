"""Names of metrics and labels are those of Prometheus' OTLP receiver, for each strategy."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.otlp import Kind, LabelStyle, Translation, label_name, metric_name

COUNTER, GAUGE, OTHER = Kind.COUNTER, Kind.GAUGE, Kind.OTHER


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.server.duration", "ms", OTHER, "http_server_duration_milliseconds"),
        ("http.server.request.size", "By", OTHER, "http_server_request_size_bytes"),
        ("system.cpu.utilization", "1", GAUGE, "system_cpu_utilization_ratio"),
        ("system.cpu.utilization", "1", OTHER, "system_cpu_utilization"),
        ("system.filesystem.usage", "By", OTHER, "system_filesystem_usage_bytes"),
        ("requests", "{request}", COUNTER, "requests_total"),
        ("requests.total.count", "1", COUNTER, "requests_count_total"),
        ("speed", "m/s", GAUGE, "speed_meters_per_second"),
        ("speed", "{things}/s", GAUGE, "speed_per_second"),
        ("disk.io_bytes", "By", COUNTER, "disk_io_bytes_total"),
        ("queue__depth", "", GAUGE, "queue_depth"),
        ("2nd.try", "", GAUGE, "_2nd_try"),
        ("broken.unit", "foo%bar", GAUGE, "broken_unit_foo_bar"),
        ("temp", "Cel", GAUGE, "temp_celsius"),
        ("memory", "%", GAUGE, "memory_percent"),
        ("colon:name", "s", GAUGE, "colon:name_seconds"),
        ("λ", "s", COUNTER, ""),
    ],
)
def test_prometheus_default_escapes_and_adds_unit_and_type(name: str, unit: str, kind: Kind, expected: str) -> None:
    assert metric_name(name, unit, kind, Translation.ESCAPED) == expected


@pytest.mark.parametrize(
    ("translation", "expected"),
    [
        (Translation.ESCAPED, "http_requests_seconds_total"),
        (Translation.ESCAPED_BARE, "http_requests"),
        (Translation.UTF8, "http.requests_seconds_total"),
        (Translation.NONE, "http.requests"),
    ],
)
def test_other_strategies_leave_things_as_they_are(translation: Translation, expected: str) -> None:
    assert metric_name("http.requests", "s", COUNTER, translation) == expected


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.requests.total", "", COUNTER, "http.requests_total"),
        ("http.seconds.total", "s", COUNTER, "http.seconds_total"),
        ("disk.ratio", "1", GAUGE, "disk_ratio"),
        ("speed_per_second", "m/s", GAUGE, "speed_meters_per_second"),
        ("io.per_second_total", "By/s", COUNTER, "io_bytes_per_second_total"),
        ("total", "", COUNTER, "total_total"),
        ("_total", "", COUNTER, "_total_total"),
        ("ratio", "1", OTHER, "ratio"),
    ],
)
def test_a_suffix_that_is_there_already_is_put_last_and_not_twice(
    name: str, unit: str, kind: Kind, expected: str
) -> None:
    assert metric_name(name, unit, kind, Translation.UTF8) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http.method", "http_method"),
        ("a..b", "a__b"),
        ("1st", "key_1st"),
        ("_private", "key_private"),
        ("__meta", "__meta"),
        ("ünïcode", "key_n_code"),
        ("", ""),
    ],
)
def test_keys_become_labels(name: str, expected: str) -> None:
    assert label_name(name, LabelStyle()) == expected
    assert label_name(name, LabelStyle(Translation.UTF8)) == name


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (LabelStyle(), ["key_a", "__a__b", "a__b"]),
        (LabelStyle(has_key=False), ["_a", "__a__b", "a__b"]),
        (LabelStyle(keeps_underscores=False), ["key_a", "key_a_b", "a_b"]),
    ],
)
def test_underscores_are_as_the_options_say(style: LabelStyle, expected: list[str]) -> None:
    assert [label_name(name, style) for name in ("_a", "__a..b", "a._b")] == expected
