"""The contract of `RecordSink` and `RecordSource`: the same for the store and for its twin."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from fixtures.logs import FORWARD, SHOP, Line, arrival, bodies, contains, equal, rows, wanted
from holdfast.kernel.errors import ConflictError, InvalidError
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.logs import REFUSED, LineFilter, LineOp, LogArrival, LogsWritten, Records, Refusal, StreamScope
from holdfast.telemetry.metrics import Matcher, MatchOp
from holdfast.telemetry.metrics.labels import labels_of

NOW_NS = time.time_ns() // 10**9 * 10**9
S = 10**9
TENANT = TenantId("default")


async def put(logs, *lines: Line, tenant=TENANT, **columns) -> LogsWritten:
    return await logs.sink.append(tenant, arrival(logs.sink, lines, tenant, **columns))


async def test_records_come_back_newest_first_with_labels_and_metadata(logs):
    written = await put(
        logs,
        Line(NOW_NS, "order placed", attributes={"order_id": "7"}),
        Line(NOW_NS + S, "level=error msg=failed"),
        Line(NOW_NS - S, "hello", {"service_name": "mail"}),
    )

    assert written == LogsWritten(3)
    assert await rows(logs.source, wanted()) == [
        (NOW_NS + S, "level=error msg=failed", SHOP, {"detected_level": "error"}),
        (NOW_NS, "order placed", SHOP, {"order_id": "7", "detected_level": "unknown"}),
    ]


async def test_readers_that_ask_at_once_see_the_same_streams(logs):
    await put(logs, Line(NOW_NS, "order placed"))
    scope = StreamScope((), NOW_NS - S, NOW_NS + S)

    found = await asyncio.gather(*(logs.source.streams(TENANT, scope) for _ in range(4)))

    assert [[dict(labels) for labels in each] for each in found] == [[SHOP]] * 4


async def test_every_column_comes_back_as_it_was_given(logs):
    await put(
        logs,
        Line(NOW_NS, "one"),
        Line(NOW_NS + 1, "two"),
        levels=["debug", ""],
        trace_ids=["5b8efff798038103d269b633813fc60c", ""],
        span_ids=["eee19b7ec3c1b174", ""],
        severities=np.array([5, 0], np.uint8),
        severity_texts=["Verbose", ""],
        observed_ns=np.array([NOW_NS + 9, 0], np.int64),
        shared=[(), labels_of({"host_name": "a", "scope_name": "lib"})],
        shared_refs=np.array([1, 0], np.int32),
    )

    found = await rows(logs.source, wanted(direction=FORWARD))

    assert found[0][3] == {
        "host_name": "a",
        "scope_name": "lib",
        "observed_timestamp": str(NOW_NS + 9),
        "severity_number": "5",
        "severity_text": "Verbose",
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "detected_level": "debug",
    }
    assert found[1][3] == {"detected_level": "unknown"}


async def test_the_time_begins_inclusive_and_ends_exclusive(logs):
    await put(logs, *(Line(NOW_NS + number, f"line {number}") for number in range(4)))

    assert await bodies(logs.source, wanted(start_ns=NOW_NS + 1, end_ns=NOW_NS + 3)) == ["line 2", "line 1"]


async def test_pages_are_filled_in_order_until_the_limit(logs):
    await put(logs, *(Line(NOW_NS + number * S, f"line {number}") for number in range(25)))

    assert await bodies(logs.source, wanted(limit=7), page=3) == [f"line {24 - number}" for number in range(7)]
    forward = await bodies(logs.source, wanted(direction=FORWARD, limit=7), page=3)
    assert forward == [f"line {number}" for number in range(7)]
    assert len(await bodies(logs.source, wanted(), page=4)) == 25


@pytest.mark.parametrize("limit", [0, 7])
async def test_records_of_one_time_keep_the_order_in_which_they_were_written(logs, limit):
    texts = [f"line {number}" for number in range(60)]
    for begin in range(0, len(texts), 20):
        await put(logs, *(Line(NOW_NS, text) for text in texts[begin : begin + 20]))

    forward = await bodies(logs.source, wanted(direction=FORWARD, limit=limit))
    assert forward == texts[: limit or None]
    assert await bodies(logs.source, wanted(limit=limit)) == texts[::-1][: limit or None]


async def test_records_hours_apart_are_all_found(logs):
    await put(logs, *(Line(NOW_NS - number * 5000 * S, f"line {number}") for number in range(12)))

    assert await bodies(logs.source, wanted(limit=11)) == [f"line {number}" for number in range(11)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([contains("timeout")], ["upstream timeout", "timeouts: 3"]),
        ([contains("imeou")], ["upstream timeout", "timeouts: 3"]),
        ([contains("out: ")], []),
        ([contains("")], ["upstream timeout", "timeouts: 3", "100% done_now", "Zeit\nüber", "a\\b 'c'"]),
        ([contains("%")], ["100% done_now"]),
        ([contains("done_n")], ["100% done_now"]),
        ([contains("doneXn")], []),
        ([contains("\\b")], ["a\\b 'c'"]),
        ([contains("'c'")], ["a\\b 'c'"]),
        ([contains("ü")], ["Zeit\nüber"]),
        ([contains("upstream", "done_now")], ["upstream timeout", "100% done_now"]),
        ([contains("time"), contains("3")], ["timeouts: 3"]),
        ([LineFilter(LineOp.NOT_CONTAINS, ("timeout",))], ["100% done_now", "Zeit\nüber", "a\\b 'c'"]),
        ([LineFilter(LineOp.NOT_CONTAINS, ("timeout", "%"))], ["Zeit\nüber", "a\\b 'c'"]),
        ([LineFilter(LineOp.MATCHES, ("time(out)?s",))], ["timeouts: 3"]),
        ([LineFilter(LineOp.MATCHES, ("(?i)TIMEOUT$",))], ["upstream timeout"]),
        ([LineFilter(LineOp.MATCHES, ("Zeit.über",))], []),
        ([LineFilter(LineOp.MATCHES, ("(?s)Zeit.über",))], ["Zeit\nüber"]),
        ([LineFilter(LineOp.MATCHES, (r"\d+%", "ü"))], ["100% done_now", "Zeit\nüber"]),
        ([LineFilter(LineOp.NOT_MATCHES, ("[0-9]", "ü", "b"))], ["upstream timeout"]),
    ],
)
async def test_line_filters_choose_bodies(logs, filters, expected):
    lines = ["upstream timeout", "timeouts: 3", "100% done_now", "Zeit\nüber", "a\\b 'c'"]
    await put(logs, *(Line(NOW_NS + number, body) for number, body in enumerate(lines)))

    assert await bodies(logs.source, wanted(lines=tuple(filters), direction=FORWARD)) == expected


async def test_an_expression_that_is_no_re2_is_refused(logs):
    await put(logs, Line(NOW_NS, "x"))

    with pytest.raises(InvalidError, match=r"\(\?=a\)"):
        await bodies(logs.source, wanted(lines=(LineFilter(LineOp.MATCHES, ("(?=a)",)),)))


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        (equal(service_name="mail"), ["of mail"]),
        ((Matcher("service_name", MatchOp.MATCHES, "shop|mail"),), ["of shop", "of mail"]),
        ((Matcher("service_name", MatchOp.NOT_EQUAL, "shop"),), ["of mail"]),
        ((Matcher("environment", MatchOp.EQUAL, ""),), ["of mail"]),
        ((Matcher("environment", MatchOp.NOT_MATCHES, "te.*"),), ["of mail"]),
        ((Matcher("environment", MatchOp.MATCHES, ".+"),), ["of shop"]),
        (equal(service_name="nobody"), []),
    ],
)
async def test_matchers_choose_streams(logs, matchers, expected):
    await put(logs, Line(NOW_NS, "of shop"), Line(NOW_NS + 1, "of mail", {"service_name": "mail"}))

    assert await bodies(logs.source, wanted(matchers, direction=FORWARD)) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Matcher("user", MatchOp.EQUAL, "ann"), ["one"]),
        (Matcher("user", MatchOp.NOT_EQUAL, "ann"), ["two", "three"]),
        (Matcher("user", MatchOp.MATCHES, "b.*"), ["two"]),
        (Matcher("user", MatchOp.EQUAL, ""), ["three"]),
        (Matcher("host_name", MatchOp.EQUAL, "h'1"), ["one", "three"]),
        (Matcher("host_name", MatchOp.NOT_MATCHES, "h.*"), ["two"]),
        (Matcher("detected_level", MatchOp.EQUAL, "error"), ["two"]),
        (Matcher("trace_id", MatchOp.EQUAL, "a" * 32), ["one"]),
        (Matcher("severity_number", MatchOp.EQUAL, "17"), ["two"]),
        (Matcher("severity_text", MatchOp.EQUAL, ""), ["one", "two", "three"]),
        (Matcher("observed_timestamp", MatchOp.EQUAL, str(NOW_NS + 7)), ["three"]),
    ],
)
async def test_structured_metadata_chooses_records(logs, field, expected):
    await put(
        logs,
        Line(NOW_NS, "one", attributes={"user": "ann"}),
        Line(NOW_NS + 1, "two", attributes={"user": "bob"}),
        Line(NOW_NS + 2, "three"),
        trace_ids=["a" * 32, "", ""],
        severities=np.array([0, 17, 0], np.uint8),
        observed_ns=np.array([0, 0, NOW_NS + 7], np.int64),
        shared=[labels_of({"host_name": "h'1"}), ()],
        shared_refs=np.array([0, 1, 0], np.int32),
    )

    assert await bodies(logs.source, wanted(fields=(field,), direction=FORWARD)) == expected


async def test_what_is_sent_again_is_stored_once(logs):
    lines = [Line(NOW_NS, "same"), Line(NOW_NS, "same", attributes={"n": "2"}), Line(NOW_NS, "other")]
    first = await put(logs, *lines)
    again = await put(logs, *lines, Line(NOW_NS + 1, "same"))

    assert (first.records, first.repeats) == (3, 0)
    assert (again.records, again.repeats) == (1, 3)
    assert sorted(await bodies(logs.source, wanted())) == ["other", "same", "same", "same"]


async def test_a_tenant_sees_its_own_records_only(logs):
    await put(logs, Line(NOW_NS, "mine"))
    await put(logs, Line(NOW_NS, "yours"), tenant=TenantId("other"))

    assert await bodies(logs.source, wanted()) == ["mine"]
    assert await logs.source.label_values(TenantId("nobody"), "service_name", StreamScope()) == []


async def test_what_there_is_can_be_browsed(logs):
    await put(logs, Line(NOW_NS, "a"), Line(NOW_NS - 3 * 3600 * S, "b", {"service_name": "mail"}))

    recent = StreamScope(start_ns=NOW_NS - S, end_ns=NOW_NS + S)
    assert await logs.source.streams(TENANT, StreamScope()) == [labels_of(SHOP), labels_of({"service_name": "mail"})]
    assert await logs.source.label_names(TENANT, StreamScope()) == ["environment", "service_name"]
    assert await logs.source.label_values(TENANT, "service_name", StreamScope()) == ["mail", "shop"]
    assert await logs.source.label_values(TENANT, "service_name", recent) == ["shop"]
    chosen = StreamScope((equal(service_name="mail"), equal(service_name="nobody")))
    assert await logs.source.streams(TENANT, chosen) == [labels_of({"service_name": "mail"})]
    assert len(await logs.source.streams(TENANT, StreamScope(limit=1))) == 1


async def test_records_are_counted_by_step_and_group(logs):
    await put(
        logs,
        Line(NOW_NS, "level=info ä"),
        Line(NOW_NS + S, "level=error b"),
        Line(NOW_NS + 2 * S, "level=error c", {"service_name": "mail"}),
    )
    everything = (Matcher("service_name", MatchOp.MATCHES, ".+"),)

    selection = wanted(everything, start_ns=NOW_NS - S, end_ns=NOW_NS + 9 * S)
    by_level = await logs.source.counts(TENANT, selection, step_ns=2 * S, by=("detected_level",))
    in_all = await logs.source.counts(TENANT, selection, step_ns=100 * S)
    by_both = await logs.source.counts(TENANT, selection, step_ns=100 * S, by=("service_name", "detected_level"))

    assert list(zip(by_level.groups, by_level.begins_ns.tolist(), by_level.records.tolist(), strict=True)) == [
        (("error",), NOW_NS + S, 2),
        (("info",), NOW_NS - S, 1),
    ]
    assert (in_all.groups, in_all.records.tolist(), in_all.body_bytes.tolist()) == ([()], [3], [13 + 13 + 13])
    assert by_both.groups == [("mail", "error"), ("shop", "error"), ("shop", "info")]


async def test_references_of_a_generation_that_is_gone_are_told(logs):
    stale = arrival(logs.sink, [Line(NOW_NS, "x")])

    with pytest.raises(ConflictError):
        await logs.sink.append(TENANT, LogArrival(stale.generation + 1, stale.records))


async def test_records_of_a_stream_that_was_kept_out_are_counted(logs):
    kept = arrival(logs.sink, [Line(NOW_NS, "kept"), Line(NOW_NS + 1, "kept out")])
    refs = kept.records.refs.copy()
    refs[1] = REFUSED
    records = Records(refs, kept.records.ts_ns, kept.records.bodies)

    written = await logs.sink.append(TENANT, LogArrival(kept.generation, records))

    assert written == LogsWritten(1, refused={Refusal.STREAM_LIMIT: 1}, refused_at={1: "stream_limit"})
    assert await bodies(logs.source, wanted()) == ["kept"]
