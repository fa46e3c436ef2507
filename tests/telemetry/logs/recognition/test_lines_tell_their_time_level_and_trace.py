"""Lines of every usual kind, and whatever else: what they tell is found, and nothing makes it fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs.recognition import (
    CriJoiner,
    from_number,
    from_text,
    join_lines,
    recognise,
    span_id,
    time_in_year,
    trace_id,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
AT_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "ts_ns"),
    [
        ("2023-11-14T22:13:20Z", AT_NS),
        ("2023-11-14T22:13:20.123456789Z", AT_NS + 123_456_789),
        ("2023-11-14 22:13:20,123", AT_NS + 123_000_000),
        ("2023-11-14T23:13:20.5+01:00", AT_NS + 500_000_000),
        ("2023-11-14T16:43:20-0530", AT_NS),
        ("14/Nov/2023:22:13:20 +0000", AT_NS),
        ("1700000000", AT_NS),
        ("1700000000123", AT_NS + 123_000_000),
        ("1700000000.25", AT_NS + 250_000_000),
        ("1700000000000000001", AT_NS + 1),
        ("2023-13-14T22:13:20Z", None),
        ("1823-11-14T22:13:20Z", None),
        ("9999-11-14T22:13:20Z", None),
        ("2023-11-14T22:13:20+99:99", None),
        ("yesterday", None),
        ("inf", None),
        ("9" * 31, None),
        ("", None),
    ],
)
def test_times_are_read(text, ts_ns):
    assert from_text(text) == ts_ns


@pytest.mark.parametrize("number", [0, -5, float("nan"), float("inf"), 10**400, "1e999", "²"])
def test_numbers_that_are_no_time_are_none(number):
    assert from_number(number) is None


def test_a_time_without_a_year_is_the_last_one():
    now_ns = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * 10**9
    assert (
        time_in_year("Dec 31 23:59:59", now_ns)
        == int(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 10**9
    )
    assert time_in_year("Jan  2 00:00:01", now_ns) == now_ns + 10**9
    assert time_in_year("Foo  2 00:00:01", now_ns) is None
    assert time_in_year("Feb 30 00:00:01", now_ns) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [(TRACE.upper(), TRACE), (SPAN, SPAN.zfill(32)), ("0" * 32, ""), ("xyz", ""), (f"{TRACE}0", ""), ("", "")],
)
def test_trace_ids_come_in_one_form(said, meant):
    assert trace_id(said) == meant


def test_a_span_id_is_16_digits():
    assert [span_id(text) for text in (SPAN.upper(), TRACE, "0" * 16)] == [SPAN, "", ""]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"ts": AT_NS // 10**9, "level": 50, "traceId": TRACE, "span_id": SPAN}, (AT_NS, "error", "", TRACE, SPAN)),
        (
            {"@timestamp": "2023-11-14T22:13:20Z", "log": {"level": "WARN"}, "service": {"name": "shop"}},
            (AT_NS, "warn", "shop", "", ""),
        ),
        ({"date": AT_NS / 10**9, "log": "as Fluent Bit's http output sends it"}, (AT_NS, "", "", "", "")),
        ({"date": "2023-11-14", "log": "the day of a delivery"}, (None, "", "", "", "")),
        ({"date": 20231114, "log": "the day of a delivery"}, (None, "", "", "", "")),
        ({"time": "soon", "level": True, "service": [1], "trace_id": 5}, (None, "", "", "", "")),
        ("{not json trace_id=" + TRACE, (None, "", "", TRACE, "")),
        (f"ts=2023-11-14T22:13:20Z level=info trace_id={TRACE} span_id={SPAN}", (AT_NS, "", "", TRACE, SPAN)),
        (f"2023-11-14 22:13:20,000 ERROR [traceID: {TRACE}] x", (AT_NS, "", "", TRACE, "")),
        ('1.2.3.4 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 5', (AT_NS, "", "", "", "")),
        (f"traceparent: 00-{TRACE}-{SPAN}-01", (None, "", "", TRACE, SPAN)),
        ("hello", (None, "", "", "", "")),
    ],
)
def test_a_line_tells_what_it_knows(line, told):
    assert recognise(line if isinstance(line, str) else json.dumps(line)) == told


@given(
    st.text()
    | st.text().map(lambda text: "{" + text)
    | st.dictionaries(st.text(), st.floats() | st.text()).map(json.dumps)
)
def test_no_line_makes_it_fail(line):
    found = recognise(line)
    assert found.ts_ns is None or 0 <= found.ts_ns < 2**63


PYTHON = """Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    f()
shop.errors.OrderError"""
JAVA = """java.lang.IllegalStateException: no stock
\tat shop.Orders.take(Orders.java:7)
\tat shop.Main.main(Main.java:3)
Caused by: java.io.IOException: gone
\tat shop.Stock.read(Stock.java:9)
\t... 2 more"""


@pytest.mark.parametrize("trace", [PYTHON, JAVA])
def test_traces_belong_to_the_line_before(trace):
    lines = ["INFO started", "ERROR order failed", *trace.split("\n"), "INFO goes on", "  indented, but no trace"]
    assert list(join_lines(lines)) == [
        "INFO started",
        f"ERROR order failed\n{trace}",
        "INFO goes on",
        "  indented, but no trace",
    ]


def test_a_private_key_is_one_record():
    begin, end = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
    key = [f"INFO {begin}", "Proc-Type: 4,ENCRYPTED", "", "MIIEpAIB", end]
    assert list(join_lines([*key, "next", f"{begin}MII{end}", "word", begin, "cut off [here]"])) == [
        "\n".join(key),
        "next",
        f"{begin}MII{end}",
        "word",
        begin,
        "cut off [here]",
    ]


def test_a_trace_without_an_end_is_bounded():
    lines = ["Traceback (most recent call last):", *["  x" for _ in range(2500)]]
    assert next(iter(join_lines(lines))).count("\n") + 1 == 1000


@given(
    st.lists(st.sampled_from([*PYTHON.split("\n"), *JAVA.split("\n"), "INFO x", "  y"]) | st.text(alphabet="ab: \t"))
)
def test_joining_loses_nothing_but_empty_ends(lines):
    joined = [line for whole in join_lines(lines) for line in whole.split("\n") if line]
    assert joined == [line for line in lines if line]


def test_frames_of_container_runtimes_are_taken_off():
    frames = CriJoiner()
    at = "2023-11-14T22:13:20.000000001Z"
    found = [
        frames.add(line)
        for line in (
            f"{at} stdout P one ",
            f"{at} stderr F other",
            f"{at} stdout F two",
            "2023 no frame",
            f"{at} stdout F",
        )
    ]
    assert found == [
        None,
        (AT_NS + 1, "stderr", "other"),
        (AT_NS + 1, "stdout", "one two"),
        (None, "", "2023 no frame"),
        (AT_NS + 1, "stdout", ""),
    ]
    assert frames.add(f"{at} stdout P cut") is None
    assert [each.line for each in frames.rest()] == ["cut"]
