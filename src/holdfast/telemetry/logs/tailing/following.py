"""One tail: the newest lines of a time, then those that come, oldest first, each once.

Where this process takes in all logs, lines come from the ring of what has arrived, as soon as the store has accepted
them. Where others take logs in too, or begin to, the store is asked again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import UnavailableError
from holdfast.telemetry.logs.querying import Span, split
from holdfast.telemetry.logs.selection import RecordSelection
from holdfast.telemetry.logs.tailing.arriving import Missed
from holdfast.telemetry.logs.tailing.frames import Turn

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.logql.nodes import LogSelector
    from holdfast.telemetry.logs.pipeline import Entry
    from holdfast.telemetry.logs.querying import LogEngine
    from holdfast.telemetry.logs.selection import RecordSource
    from holdfast.telemetry.logs.tailing.arriving import Arriving, Batch, Reader
    from holdfast.telemetry.logs.tailing.matching import Matching
    from holdfast.telemetry.logs.tailing.share import Share

_NS: Final = 10**9
_AT_ONCE: Final = 5_000  # records of one turn, or a batch more
_IN_LOOP: Final = 300  # records that are filtered in the event loop, some milliseconds
_LATE_NS: Final = 10 * _NS  # where the store is polled: so far each poll looks back
_VERY_LATE_NS: Final = 300 * _NS  # and so far every `_DEEP_EVERY`-th, for records that come later than they say
_DEEP_EVERY: Final = 10
_AHEAD_NS: Final = 10 * _NS  # of clocks that send
_HEARD_NS: Final = 30 * _NS  # within that it is known that another process takes logs in
_MOST_SEEN: Final = 200_000
_MOST_POLLED: Final = 20_000
_FAILURES: Final = 5  # polls in a row that may fail


@dataclass(frozen=True, slots=True)
class Around:
    """What every tail stands on; `pool` is theirs alone, so that nobody who sends logs waits for a filter."""

    engine: LogEngine
    source: RecordSource
    clock: Clock
    pool: Executor
    share: Share


@dataclass(frozen=True, slots=True)
class TailQuestion:
    """What a client wants to follow.

    Attributes:
        query: for lines.
        start_ns: no line before this.
        limit: so many of the newest lines there are already.
        delay_s: how long lines are held back, so that late ones come into their order.
    """

    query: LogSelector
    start_ns: int
    limit: int = 100
    delay_s: float = 0.0


class Seen:
    """Which lines were given already, each by a hash of 64 bits; of very many the last ones."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._times: dict[int, int] = {}
        self.fresh(entries)

    def fresh(self, entries: Iterable[Entry]) -> list[Entry]:
        """Give those that were not given, and remember them."""
        found = []
        for entry in entries:
            key = hash((entry.ts_ns, entry.line, tuple(sorted(entry.labels().items()))))
            if key not in self._times:
                self._times[key] = entry.ts_ns
                found.append(entry)
        for key in list(islice(self._times, max(len(self._times) - _MOST_SEEN, 0))):
            del self._times[key]
        return found

    @property
    def is_full(self) -> bool:
        """Whether it has had to forget some."""
        return len(self._times) >= _MOST_SEEN

    def forget_before(self, ts_ns: int) -> None:
        """Drop what cannot come again."""
        self._times = {key: at for key, at in self._times.items() if at >= ts_ns}


class Following:
    """Follows one question."""

    def __init__(self, tenant: TenantId, around: Around) -> None:
        self._tenant = tenant
        self._engine = around.engine
        self._source = around.source
        self._clock = around.clock
        self._pool = around.pool
        self._share = around.share

    async def arriving(
        self, asked: TailQuestion, matching: Matching, arriving: Arriving, moved: asyncio.Event, every_s: float
    ) -> AsyncGenerator[Turn, None]:
        """Give the turns of a tail as records arrive, and by asking the store once `moved` is set.

        Raises as `LogEngine.lines` does.
        """
        reader = arriving.reader(
            self._tenant, matching.wants
        )  # before the store is asked, so that nothing lies between
        try:
            found = await self._newest(asked)
            until_s = self._clock.monotonic()
            yield Turn(found)
            seen = Seen(found)
            while (first := await _first(reader, moved)) is not None:
                await self._clock.sleep(first.at_s + asked.delay_s - self._clock.monotonic())
                async with self._share.turn():
                    batches = reader.take(until_s=self._clock.monotonic() - asked.delay_s, most=_AT_ONCE)
                    entries = await self._filtered(matching, batches, asked.start_ns)
                entries = seen.fresh(entries)  # what came while the store was asked may stand in its answer, too
                if batches and batches[-1].at_s > until_s:
                    seen.forget_before(self._now_ns() - 2 * _HEARD_NS)
                    until_s = self._clock.monotonic() + _HEARD_NS / _NS
                entries.sort(key=lambda entry: entry.ts_ns)
                yield Turn(entries, *reader.take_missed())
        finally:
            arriving.leave(self._tenant, reader)
        from_ns = self._now_ns() - _HEARD_NS
        async with aclosing(self._asking(_narrowed(asked, found), seen, from_ns, every_s)) as turns:
            async for turn in turns:
                yield turn

    async def polled(self, asked: TailQuestion, every_s: float) -> AsyncGenerator[Turn, None]:
        """Give the turns of a tail by asking the store; raises as `LogEngine.lines` does."""
        from_ns = self._now_ns()
        found = await self._newest(asked)
        yield Turn(found)
        async with aclosing(self._asking(_narrowed(asked, found), Seen(found), from_ns, every_s)) as turns:
            async for turn in turns:
                yield turn

    async def _asking(
        self, asked: TailQuestion, seen: Seen, from_ns: int, every_s: float
    ) -> AsyncGenerator[Turn, None]:
        failures, polls, delay_ns = 0, 0, int(asked.delay_s * _NS)
        while True:
            await self._clock.sleep(every_s)
            now_ns = self._now_ns() - delay_ns
            end_ns = now_ns + (0 if delay_ns else _AHEAD_NS)
            polls += 1
            is_deep = polls % _DEEP_EVERY == 0 and not seen.is_full
            back_ns = _VERY_LATE_NS if is_deep else _LATE_NS
            span = Span(max(asked.start_ns, from_ns - back_ns), max(end_ns, asked.start_ns))
            try:
                entries = await self._engine.entries(self._tenant, asked.query, span, limit=_MOST_POLLED)
                missed = await self._passed_over(asked, from_ns, entries)
            except UnavailableError:
                failures += 1
                if failures > _FAILURES:
                    raise
                continue
            failures, from_ns = 0, now_ns
            yield Turn(_oldest_first(seen.fresh(entries)), *missed)
            if is_deep:
                seen.forget_before(from_ns - 2 * _VERY_LATE_NS)

    async def _newest(self, asked: TailQuestion) -> list[Entry]:
        end_ns = self._now_ns() + _AHEAD_NS
        if asked.start_ns >= end_ns:
            return []
        span = Span(asked.start_ns, end_ns)
        found = await self._engine.entries(self._tenant, asked.query, span, limit=asked.limit)
        return _oldest_first(found)

    async def _passed_over(
        self, asked: TailQuestion, from_ns: int, entries: list[Entry]
    ) -> tuple[int, dict[tuple[tuple[str, str], ...], Missed]]:
        """Count the lines of the streams that one poll could not give; the newest were given."""
        oldest_ns = min((entry.ts_ns for entry in entries), default=0)
        if len(entries) < _MOST_POLLED or oldest_ns <= from_ns:
            return 0, {}
        parts = split(asked.query.stages)
        left_out = RecordSelection(asked.query.matchers, from_ns, oldest_ns, parts.lines, parts.fields)
        counts = await self._source.counts(self._tenant, left_out, step_ns=max(oldest_ns - from_ns, 1))
        lines = int(counts.records.sum())
        return lines, {(): Missed(lines, oldest_ns)} if lines else {}

    async def _filtered(self, matching: Matching, batches: list[Batch], since_ns: int) -> list[Entry]:
        loop = asyncio.get_running_loop()
        found: list[Entry] = []
        for batch in batches:
            if len(batch.records) <= _IN_LOOP or not any(map(matching.wants, batch.labels.values())):
                found += matching.entries(batch, since_ns)
            else:
                found += await loop.run_in_executor(self._pool, matching.entries, batch, since_ns)
        return found

    def _now_ns(self) -> int:
        return int(self._clock.now().timestamp() * 1e6) * 1000


def _oldest_first(newest_first: Iterable[Entry]) -> list[Entry]:
    """Turn entries around; those of one time come as they were written then."""
    turned = list(newest_first)
    turned.reverse()
    return sorted(turned, key=lambda entry: entry.ts_ns)


async def _first(reader: Reader, moved: asyncio.Event) -> Batch | None:
    """Give the next batch, without taking it, as soon as there is one; None when the lines come from elsewhere."""
    batch, move = asyncio.create_task(reader.wait()), asyncio.create_task(moved.wait())
    try:
        await asyncio.wait((batch, move), return_when=asyncio.FIRST_COMPLETED)
        return None if moved.is_set() else await batch
    finally:
        batch.cancel()
        move.cancel()


def _narrowed(asked: TailQuestion, found: list[Entry]) -> TailQuestion:
    """Ask for nothing older than what was given first, for older lines of the last seconds were not wanted."""
    if len(found) < asked.limit:
        return asked
    return TailQuestion(asked.query, max(asked.start_ns, found[0].ts_ns), asked.limit, asked.delay_s)
