"""What requests may ask, and how a wrong parameter is told."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from fastapi import Request

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.names import unescape_name
from holdfast.telemetry.metrics.api.parameters import (
    EARLIEST_MS,
    LATEST_MS,
    Parameters,
    parse_duration_ms,
    parse_time_ms,
)


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("0", 0),
        ("1435781451.781", 1435781451781),
        ("-1.5", -1500),
        ("2015-07-01T20:10:51.781Z", 1435781451781),
        ("2015-07-01T20:10:51+01:00", 1435777851000),
        ("1e3", 1_000_000),
        ("+Inf", LATEST_MS),
        ("2015-07-01T20:10:51.7819999Z", 1435781451781),
        # The earliest and latest time of Prometheus, as its client libraries write them.
        ("-9223309901257974", EARLIEST_MS),
        ("9223309901257974", LATEST_MS),
        ("-292273086-05-16T16:47:06Z", EARLIEST_MS),
        ("292277025-08-18T07:12:54.999999999Z", LATEST_MS),
    ],
)
def test_times_are_unix_seconds_or_dates(text: str, at_ms: int) -> None:
    assert parse_time_ms(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2015-07-01", "2015-07-01T20:10:51", "NaN", "1e300", " 5", "5 ", "\u0661"),
        *("2015-07-01 20:10:51Z", "2015-W27-3T20:10:51Z", "20150701T201051Z", "2015-07-01t20:10:51z"),
        *("2015-07-01T20:10:51+0100", "2015-07-01T20:10:51+01:00:10", "2015-02-30T20:10:51Z", "2015-07-01T20:10Z"),
    ],
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidError, match='invalid parameter "start": cannot parse'):
        Parameters([("start", text)]).time_ms("start")


@pytest.mark.parametrize(
    ("text", "ms"),
    [("15", 15_000), ("0.5", 500), ("1h30m", 5_400_000), ("5ms", 5), ("1m5ms", 60_005), ("-3", -3000), ("0", 0)],
)
def test_durations_are_seconds_or_words(text: str, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize("text", ["5x", "m", "1h 5m", "inf", "1.5h", " 5", "1m1h", "5m5m", "300y", "9223372037"])
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidError, match='invalid parameter "step"'):
        Parameters([("step", text)]).duration_ms("step")


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "9" * 30])
def test_a_limit_is_a_whole_number(text: str) -> None:
    with pytest.raises(InvalidError, match='invalid parameter "limit"'):
        Parameters([("limit", text)]).count("limit")


def test_the_first_of_several_values_counts() -> None:
    given = Parameters([("query", "a"), ("match[]", "x"), ("query", "b"), ("match[]", "y")])
    assert given.text("query") == "a"
    assert given.all("match[]") == ["x", "y"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-UrlEncoded; charset=UTF-8"]
)
async def test_a_form_comes_before_the_query_string(method: str, kind: str) -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"a=form", "more_body": False}

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": method, "query_string": b"a=query", "headers": headers}
    assert (await Parameters.of(Request(scope, receive))).all("a") == ["form", "query"]


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        ("job", "job"),
        ("U__http_2e_status", "http.status"),
        ("U__a__b", "a_b"),
        ("U___1f600_", "😀"),
        ("U__broken_", "U__broken_"),
        ("U___110000_", "U___110000_"),
    ],
)
def test_escaped_names_are_read(escaped: str, name: str) -> None:
    assert unescape_name(escaped) == name


@pytest.mark.parametrize(
    "text", ["", "&", "a", "a=", "=b", "a=b=c", "a=1&&b=2&", "a=1&a=2;b=3", "q=%7B%22", "q=a+b", "q=%zz", "ä=ö&a"]
)
async def test_a_query_string_is_read_as_the_library_does(text: str) -> None:
    request = Request({"type": "http", "method": "GET", "query_string": text.encode("latin-1"), "headers": []})
    given = await Parameters.of(request)
    expected = parse_qsl(text, keep_blank_values=True)
    assert [(name, given.all(name)) for name, _ in expected] == [
        (name, [value for other, value in expected if other == name]) for name, _ in expected
    ]
