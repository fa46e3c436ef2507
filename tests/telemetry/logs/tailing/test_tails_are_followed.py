"""One tail over the twins in memory: nothing twice, nothing missing, drops told, by feed and by polling."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from fixtures.logs import Line, arrival
from holdfast.kernel.errors import LimitError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource, parse
from holdfast.telemetry.logs.querying import LogEngine
from holdfast.telemetry.logs.tailing import TailSettings
from holdfast.telemetry.logs.tailing.arriving import Arriving
from holdfast.telemetry.logs.tailing.following import Around, TailQuestion
from holdfast.telemetry.logs.tailing.frames import write_frames
from holdfast.telemetry.logs.tailing.meters import TailMeters
from holdfast.telemetry.logs.tailing.share import Share
from holdfast.telemetry.logs.tailing.tails import Tails

SHOP = '{service_name="shop"}'


class Stage:
    """Logs of a tenant in memory, and tails of them."""

    def __init__(self, clock, pool, *, is_fed=True, **settings):
        self.clock = clock
        self.source = MemoryLogSource()
        self.sink = MemoryLogSink(self.source)
        self.registry = CollectorRegistry()
        chosen = TailSettings(**settings)
        meters = TailMeters(self.registry)
        arriving = Arriving(clock, meters, most_bytes=chosen.buffer)
        self.sink.feed.follow(arriving)
        self.is_fed = is_fed
        around = Around(LogEngine(self.source), self.source, clock, pool, Share(clock))
        self.tails = Tails(around, arriving, chosen, meters, lambda: self.is_fed)

    @property
    def now_ns(self):
        return int(self.clock.now().timestamp() * 1e9)

    async def push(self, *bodies, age_ns=0, **labels):
        lines = [
            Line(self.now_ns - age_ns + place, body, {"service_name": "shop", **labels})
            for place, body in enumerate(bodies)
        ]
        await self.sink.append(DEFAULT_TENANT, arrival(self.sink, lines))

    @asynccontextmanager
    async def tail(self, query=SHOP, *, limit=100, start_ns=0, delay_s=0.0):
        with self.tails.open(DEFAULT_TENANT, TailQuestion(parse(query), start_ns, limit, delay_s)) as tail:
            async with aclosing(tail.turns) as turns:
                yield turns

    def metric(self, name, **labels):
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def stage(fake_clock, pool):
    return Stage(fake_clock, pool)


def lines_of(turn):
    return [entry.line for entry in turn.entries]


async def test_the_newest_lines_come_first_and_then_those_that_arrive(stage):
    await stage.push("a", "b", "c")
    async with stage.tail(limit=2) as turns:
        assert lines_of(await anext(turns)) == ["b", "c"]
        await stage.push("d")
        assert lines_of(await anext(turns)) == ["d"]


async def test_what_arrives_while_the_store_is_asked_comes_once(stage, monkeypatch):
    pages = stage.source.pages

    async def slow_pages(*arguments, **named):
        await stage.push("a", "b")  # in the ring, and in what the store is about to answer
        async for page in pages(*arguments, **named):
            yield page
        await stage.push("c")  # in the ring only

    monkeypatch.setattr(stage.source, "pages", slow_pages)
    async with stage.tail() as turns:
        assert lines_of(await anext(turns)) == ["a", "b"]
        monkeypatch.undo()
        await stage.clock.advance(1)
        await stage.push("d")
        assert lines_of(await anext(turns)) == ["c", "d"]


async def test_lines_that_are_held_back_come_in_their_order(stage):
    async with stage.tail(delay_s=5.0) as turns:
        await anext(turns)
        await stage.push("second")
        waiting = asyncio.create_task(anext(turns))
        await stage.clock.advance(0)
        await stage.push("first", age_ns=10**9)
        await stage.clock.advance(5)
        assert lines_of(await waiting) == ["first", "second"]


async def test_a_slow_reader_is_told_what_it_missed(fake_clock, pool):
    stage = Stage(fake_clock, pool, buffer=10_000)
    async with stage.tail(SHOP + ' |= "x"') as turns:
        await anext(turns)
        for _ in range(30):
            await stage.push("x" * 1000)
            await stage.push("y" * 1000, service_name="mail")
            await fake_clock.advance(1)
        turn = await anext(turns)
        assert turn.missed_lines + len(turn.entries) <= 30
        given = len(turn.entries)
        while given + turn.missed_lines < 30:
            given += len((await anext(turns)).entries)
        [(labels, missed)] = turn.missed.items()
        assert (dict(labels), missed.lines) == ({"service_name": "shop"}, turn.missed_lines)
        assert turn.missed_lines == 30 - given > 20
    assert stage.metric("holdfast_log_tail_lines_total", outcome="dropped") == turn.missed_lines


async def test_nothing_is_kept_when_nobody_follows(stage):
    async with stage.tail():
        await stage.push("a")
    assert stage.metric("holdfast_log_tail_buffer_bytes") == 0
    await stage.push("b")
    assert stage.metric("holdfast_log_tail_buffer_bytes") == 0


async def test_tails_are_bounded_by_tenant_and_all_together(fake_clock, pool):
    stage = Stage(fake_clock, pool, max_per_tenant=2, max_tails=3)
    asked = TailQuestion(parse(SHOP), 0)
    with stage.tails.open("a", asked), stage.tails.open("a", asked):
        with pytest.raises(LimitError, match=r"count > limit \(3 > 2\)") as refused, stage.tails.open("a", asked):
            pass
        assert refused.value.retry.after_s
        with stage.tails.open("b", asked):
            assert stage.metric("holdfast_log_tails", tenant="a") == 2
            with pytest.raises(LimitError, match="max_tails"), stage.tails.open("c", asked):
                pass
    assert stage.metric("holdfast_log_tails_refused_total") == 2
    with stage.tails.open("a", asked):
        assert stage.metric("holdfast_log_tails", tenant="a") == 1


async def test_where_others_take_logs_in_the_store_is_polled(fake_clock, pool):
    stage = Stage(fake_clock, pool, is_fed=False)
    await stage.push("old", age_ns=5 * 10**9)
    await stage.push("a")
    await fake_clock.advance(1)
    async with stage.tail(limit=1) as turns:
        assert lines_of(await anext(turns)) == ["a"]
        await stage.push("b", "c")
        assert await polled(stage, turns) == ["b", "c"]
        assert await polled(stage, turns) == []
        await stage.push("late", age_ns=10**9)
        assert await polled(stage, turns) == ["late"]


async def test_what_comes_minutes_late_is_given_by_polling_too_and_once(fake_clock, pool):
    stage = Stage(fake_clock, pool, is_fed=False)
    async with stage.tail() as turns:
        await anext(turns)
        await stage.push("very late", age_ns=200 * 10**9)
        given = [await polled(stage, turns) for _ in range(25)]
    assert [lines for lines in given if lines] == [["very late"]]


async def polled(stage, turns):
    waiting = asyncio.create_task(anext(turns))
    await stage.clock.advance(0)
    await stage.clock.advance(1)
    return lines_of(await waiting)


async def test_a_store_that_is_away_for_a_while_costs_no_line(fake_clock, pool, monkeypatch):
    stage = Stage(fake_clock, pool, is_fed=False)
    async with stage.tail() as turns:
        await anext(turns)
        await stage.push("a")
        pages, failures = stage.source.pages, iter([True, True])

        def failing(*arguments, **named):
            if next(failures, False):
                raise UnavailableError("away")
            return pages(*arguments, **named)

        monkeypatch.setattr(stage.source, "pages", failing)
        waiting = asyncio.create_task(anext(turns))
        for _ in range(3):
            await stage.clock.advance(0)
            await stage.clock.advance(1)
        assert lines_of(await waiting) == ["a"]


async def test_a_tail_asks_the_store_once_another_process_takes_logs_in(stage, monkeypatch):
    async with stage.tail(limit=1) as turns:
        await stage.push("old", "a")
        await stage.clock.advance(1)
        assert lines_of(await anext(turns)) == ["a"]
        await stage.push("b")
        assert lines_of(await anext(turns)) == ["b"]
        await stage.clock.advance(1)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(stage.sink.feed, "_followers", [])  # nobody here hears of it
            await stage.push("other", age_ns=10**8)
        stage.is_fed = False
        stage.tails.check_feeds()
        assert await polled(stage, turns) == ["other"]
        await stage.push("c")
        assert await polled(stage, turns) == ["c"]
        stage.is_fed = True
        stage.tails.check_feeds()
        await stage.push("d")
        assert await polled(stage, turns) == ["d"]


async def test_messages_are_cut_and_tell_what_was_missed_once(fake_clock, pool):
    stage = Stage(fake_clock, pool, buffer=1)
    async with stage.tail(limit=2000) as turns:
        await anext(turns)
        await stage.push(*(f"{number}" for number in range(1200)))
        first = await anext(turns)
        await stage.push("lost")
        await stage.push("kept")
        second = await anext(turns)
    counts = [lines for _, lines in write_frames(first, is_categorized=False)]
    assert counts == [500, 500, 200]
    [(text, lines)] = write_frames(second, is_categorized=False)
    told = json.loads(text)
    assert (lines, told["dropped"]) == (1, 1)
    [entry] = told["dropped_entries"]
    assert entry["labels"] == {"service_name": "shop"}
    assert entry["timestamp"].isdigit()
