"""Joins patterns to the app: the miner follows the sink, jobs write counts and tell what is new or changed."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.events import NewEvent
from holdfast.kernel.wiring import Ground, Job, Wiring
from holdfast.store import StoreRoom
from holdfast.telemetry.logs.api.surface import surface
from holdfast.telemetry.logs.patterns import events
from holdfast.telemetry.logs.patterns.changes import RateWatch
from holdfast.telemetry.logs.patterns.keeping import PatternKeeping
from holdfast.telemetry.logs.patterns.mining import PatternKey, PatternMiner
from holdfast.telemetry.logs.patterns.routes import LokiPatternRoutes, routes
from holdfast.telemetry.logs.patterns.tables import BUCKET_S, SCHEMA

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.logs.wiring import LogsRoom

_MOST_TOLD: Final = 20  # events of a kind per turn; a flood of new patterns must not become a flood of events
_MINUTE_S: Final = 60.0


class Mining:
    """Takes from the miner what goes to the store and to the event log."""

    def __init__(self, miner: PatternMiner, keeping: PatternKeeping, clock: Clock) -> None:
        self.miner = miner
        self.keeping = keeping
        self.rates = RateWatch()
        self._clock = clock

    async def load(self) -> None:
        """Read the patterns of tenants whose lines wait for them."""
        self.miner.wake.clear()
        for tenant, state in list(self.miner.tenants.items()):
            if not state.is_loaded:
                known = await self.keeping.known(tenant, int(self._clock.now().timestamp()))
                self.miner.load(tenant, known)

    async def write(self) -> None:
        """Write what was counted; what the store refuses is counted again next time."""
        for tenant, state in list(self.miner.tenants.items()):
            if not state.counts:
                continue
            counts, state.counts = state.counts, Tally()
            try:
                await self.keeping.write(tenant, counts, state.clusters)
            except BaseException:
                state.counts.update(counts)
                raise
            lines: Tally[PatternKey] = Tally()
            for (key, _), count in counts.items():
                lines[key] += count
            self.rates.add(tenant, lines)
            state.forget_gone()

    def take_news(self) -> list[NewEvent]:
        """Give an event for each new pattern, a bounded number."""
        news, self.miner.news = self.miner.news, []
        return [
            NewEvent(
                events.NEW.name,
                f"service/{each.key.service}",
                {
                    "service": each.key.service,
                    "level": str(each.key.level),
                    "pattern": each.cluster.text,
                    "sample": each.cluster.sample,
                    "more": max(0, len(news) - _MOST_TOLD),
                },
                tenant=each.tenant,
            )
            for each in news[:_MOST_TOLD]
        ]

    def take_changes(self) -> list[NewEvent]:
        """End a minute, and give an event for each pattern whose rate changed, those with most lines first."""
        changes = sorted(self.rates.step(), key=lambda change: -max(change.before, change.now))[:_MOST_TOLD]
        made: list[NewEvent] = []
        for change in changes:
            cluster = self.miner.tenants[change.tenant].clusters.get(change.key)
            if cluster is None:
                continue
            data = {
                "service": change.key.service,
                "level": str(change.key.level),
                "pattern": cluster.text,
                "sample": cluster.sample,
                "before": round(change.before, 2),
                "now": round(change.now, 2),
            }
            subject = f"service/{change.key.service}"
            made.append(NewEvent(events.RATE_CHANGED.name, subject, data, tenant=change.tenant))
        return made


@dataclass(frozen=True, slots=True)
class PatternsRoom:
    """The patterns of logs."""

    mining: Mining
    wiring: Wiring


def wire(ground: Ground, columns: StoreRoom, logs: LogsRoom) -> PatternsRoom:
    """Build the room over the store, following the sink of logs."""
    clock, store = ground.clock, columns.store
    keeping = PatternKeeping(store)
    mining = Mining(PatternMiner(clock, ground.metrics), keeping, clock)

    async def tell(made: list[NewEvent]) -> None:
        if made:
            await ground.db.write(lambda tx: ground.events.append(tx, *made))

    @asynccontextmanager
    async def registered() -> AsyncIterator[None]:
        await store.register(SCHEMA)
        logs.sink.feed.follow(mining.miner)
        try:
            yield
        finally:
            logs.sink.feed.leave(mining.miner)
            await mining.load()
            await mining.write()

    async def load() -> None:
        while True:
            await mining.miner.wake.wait()
            await mining.load()

    async def write() -> None:
        while True:
            await clock.sleep(BUCKET_S)
            await asyncio.shield(mining.write())
            await tell(mining.take_news())

    async def watch() -> None:
        while True:
            await clock.sleep(_MINUTE_S)
            await tell(mining.take_changes())

    wiring = Wiring(
        name="logs.patterns",
        routers=(routes(keeping, clock),),
        surfaces=(surface((LokiPatternRoutes(keeping, logs.source),)),),
        event_kinds=events.KINDS,
        jobs=(
            Job("logs.patterns.load", load, "ingest"),
            Job("logs.patterns.write", write, "ingest"),
            Job("logs.patterns.watch", watch, "ingest"),
        ),
        lifespan=registered,
    )
    return PatternsRoom(mining, wiring)
