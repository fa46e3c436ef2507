"""What the sink does beyond its contract: limits, hooks, repeats under way, retention by selector."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fixtures.logs import Line, arrival, bodies, rows, wanted
from fixtures.notes import Noted
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import LimitError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.arriving import repeated
from holdfast.telemetry.logs import SCHEMA, LogSink, LogSource, LogsSettings, LogsWritten, Refusal
from holdfast.telemetry.logs.storing.repeats import Repeats
from holdfast.telemetry.metrics import KeepRules
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.settings import KeepRule

NOW_NS = time.time_ns()


@pytest.fixture
async def logs_store(store):
    await store.register(SCHEMA)
    return store


async def put(sink, *lines):
    return await sink.append(DEFAULT_TENANT, arrival(sink, lines))


async def test_limits_refuse_records_and_keep_the_others(logs_store):
    noted = Noted()
    sink = LogSink(logs_store, settings=LogsSettings(max_line=10, max_metadata=20, max_streams=1), ledger=noted)
    written = await put(
        sink,
        Line(NOW_NS, "short"),
        Line(NOW_NS, "much too long"),
        Line(NOW_NS, "wide", attributes={"key": "v" * 50}),
        Line(-1, "old"),
        Line(NOW_NS, "other", {"service_name": "another"}),
    )

    assert written == LogsWritten(
        1,
        0,
        {
            Refusal.LINE_TOO_LONG: 1,
            Refusal.METADATA_TOO_LARGE: 1,
            Refusal.OUT_OF_RANGE: 1,
            Refusal.STREAM_LIMIT: 1,
        },
        {1: "line_too_long", 2: "metadata_too_large", 3: "out_of_range", 4: "stream_limit"},
    )
    assert await bodies(LogSource(logs_store), wanted()) == ["short"]
    assert noted.records["logs", "another", "stream_limit"] == 1
    assert sum(noted.records.values()) == 5


async def test_what_is_older_than_anything_that_is_kept_is_noted_as_such(logs_store):
    noted = Noted()
    sink = LogSink(logs_store, settings=LogsSettings(retention_counts="event"), ledger=noted)
    mail = {"service_name": "mail"}
    await put(sink, Line(NOW_NS, "new", mail), Line(NOW_NS - 10**9 * 86_400 * 1000, "old", mail))
    assert noted.records == {("logs", "mail", ""): 1, ("logs", "mail", "too_old"): 1}


class Stars:
    """Replaces bodies and labels by stars."""

    def scrub(self, tenant, records):
        return replace(records, bodies=["***"] * len(records))

    def scrub_labels(self, tenant, labels):
        return labels_of({name: value.replace("secret", "***") for name, value in labels})


class Heard:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def records_stored(self, tenant, records, streams):
        self.told += [(streams[ref], body) for ref, body in zip(records.refs, records.bodies, strict=True)]
        self.told += list(records.levels)


async def test_nothing_unscrubbed_is_stored_or_told(logs_store):
    sink, heard = LogSink(logs_store, scrubber=Stars()), Heard()
    sink.feed.follow(heard)
    lines = [
        Line(NOW_NS + place, f"password=1 level=error {place}", {"service_name": "secret"}) for place in range(300)
    ]

    await put(sink, *lines)

    found = await rows(LogSource(logs_store), wanted(()))
    assert {(row[1], row[2]["service_name"]) for row in found} == {("***", "***")}
    assert len(found) == 300
    assert set(heard.told) == {((("service_name", "***"),), "***"), "unknown"}


class Half:
    """Refuses every second record."""

    def refuse(self, tenant, records, streams):
        return [(np.arange(len(records)) % 2 == 1, Refusal.RATE_LIMIT)]


class Never:
    """Lets nobody in now."""

    def refuse(self, tenant, records, streams):
        raise LimitError("too fast")


async def test_a_quota_refuses_some_or_all(logs_store):
    written = await put(LogSink(logs_store, quota=Half()), *(Line(NOW_NS + place, "x") for place in range(5)))
    assert written == LogsWritten(3, 0, {Refusal.RATE_LIMIT: 2}, {1: "rate_limit", 3: "rate_limit"})

    with pytest.raises(LimitError):
        await put(LogSink(logs_store, quota=Never()), Line(NOW_NS + 9, "y"))
    assert await bodies(LogSource(logs_store), wanted()) == ["x"] * 3


async def test_a_repeat_waits_for_the_first_and_is_stored_once(logs_store):
    sink = LogSink(logs_store)
    lines = [Line(NOW_NS + place, f"line {place}") for place in range(50)]

    both = await asyncio.gather(put(sink, *lines), put(sink, *lines))

    assert sorted((each.records, each.repeats) for each in both) == [(0, 50), (50, 0)]
    assert len(await bodies(LogSource(logs_store), wanted())) == 50


async def test_a_repeat_to_a_new_process_is_stored_once(logs_store):
    lines = [Line(NOW_NS + place, f"line {place}", attributes={"n": "1"} if place % 2 else {}) for place in range(50)]
    await put(LogSink(logs_store), *lines)

    again = await put(LogSink(logs_store), *lines, Line(NOW_NS, "line 0", attributes={"n": "2"}))

    assert (again.records, again.repeats) == (1, 50)
    assert len(await bodies(LogSource(logs_store), wanted())) == 51


async def test_a_record_alone_is_known_from_among_others(logs_store):
    sink = LogSink(logs_store)
    plain, rich = Line(NOW_NS, "plain"), Line(NOW_NS, "rich", attributes={"n": "1"})
    await put(sink, plain, rich)

    assert await put(sink, plain) == LogsWritten(0, 1)
    assert await put(sink, rich) == LogsWritten(0, 1)


async def test_what_is_said_to_be_a_repeat_is_looked_for_however_old_it_is(logs_store):
    clock = FakeClock(datetime.now(UTC))
    old = [Line(NOW_NS - (number + 30) * 86_400 * 10**9, f"line {number}") for number in range(5)]
    await put(LogSink(logs_store), *old)
    later = LogSink(logs_store, clock=clock)
    await clock.advance(10_000)

    with repeated(is_repeat=True):
        again = await put(later, *old, Line(NOW_NS, "new"))
    assert (again.records, again.repeats) == (1, 5)
    assert (await put(LogSink(logs_store), *old)).records == 5  # nobody said so, and nobody looks so far back


async def test_what_failed_may_be_sent_again(logs_store, monkeypatch):
    sink, lines = LogSink(logs_store), [Line(NOW_NS, "x")]
    with monkeypatch.context() as broken:

        def fail(*_, **__):
            raise UnavailableError("away")

        await put(sink, Line(NOW_NS, "before"))
        from holdfast.telemetry.logs.tables import RECORDS  # noqa: PLC0415

        broken.setattr(logs_store.writer(RECORDS), "write", fail)
        with pytest.raises(UnavailableError):
            await put(sink, *lines)

    assert await put(sink, *lines) == LogsWritten(1)


async def test_the_oldest_keys_are_forgotten():
    repeats = Repeats(1000)
    for begin in range(0, 20_000, 100):
        fresh, flight = await repeats.begin(np.arange(begin, begin + 100))
        assert len(fresh) == 100
        repeats.end(flight, is_stored=True)

    assert 500 <= len(repeats) <= 1000
    fresh, _ = await repeats.begin(np.array([19_999, 19_999, 5, 5]))
    assert fresh.tolist() == [2]


async def test_selectors_say_how_long_records_stay(logs_store):
    rules = KeepRules([KeepRule('{environment="dev"}', 86_400.0)], logs_store, stream="logs", section="logs")
    sink = LogSink(logs_store, keep_s=rules.seconds)
    await put(sink, Line(NOW_NS, "a"), Line(NOW_NS, "b", {"service_name": "x", "environment": "dev"}))

    sql = """SELECT body, toUnixTimestamp(expires_at) - toUnixTimestamp(now()) AS left FROM log_records
        WHERE tenant = {tenant:String} ORDER BY body"""
    left = (await logs_store.query(sql, tenant=DEFAULT_TENANT)).to_pylist()
    assert [round(each["left"] / 86_400) for each in left] in ([90, 1], [91, 2], [90, 2], [91, 1])


async def test_forgotten_streams_are_asked_for_again(logs_store):
    sink = LogSink(logs_store)
    await put(sink, Line(NOW_NS, "x"))
    book = sink.book(DEFAULT_TENANT)

    assert book.forget_idle(int(time.time()) + 10, least=1)
    assert (book.generation, len(book)) == (2, 0)
    assert await put(sink, Line(NOW_NS + 1, "y")) == LogsWritten(1)
