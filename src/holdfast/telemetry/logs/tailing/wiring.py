"""Joins live tails to the app: they follow the sink where this process takes logs in, and poll the store elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.members import Membership
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Ground, Wiring
from holdfast.telemetry.logs.api.surface import surface
from holdfast.telemetry.logs.tailing.arriving import Arriving
from holdfast.telemetry.logs.tailing.following import Around
from holdfast.telemetry.logs.tailing.meters import TailMeters
from holdfast.telemetry.logs.tailing.routes import TailRoutes
from holdfast.telemetry.logs.tailing.settings import TailSettings
from holdfast.telemetry.logs.tailing.share import Share
from holdfast.telemetry.logs.tailing.tails import Tails

if TYPE_CHECKING:
    from holdfast.telemetry.logs.querying import LogEngine
    from holdfast.telemetry.logs.wiring import LogsRoom

_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class TailRoom:
    """The tails and their route."""

    tails: Tails
    wiring: Wiring


def wire(ground: Ground, logs: LogsRoom, engine: LogEngine, members: Membership) -> TailRoom:
    """Build the room over the logs; `members` are the processes that take logs in."""
    settings, meters = ground.settings[TailSettings], TailMeters(ground.metrics)
    takes_in = "ingest" in ground.settings[ServerSettings].roles
    knows_others = not logs.is_shared or ground.db.dialect != "sqlite"  # a folder's rows tell of no other process
    arriving = Arriving(ground.clock, meters, most_bytes=settings.buffer)
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="log-tails")

    def is_fed() -> bool:
        return takes_in and knows_others and members.members == {members.id}

    around = Around(engine, logs.source, ground.clock, pool, Share(ground.clock))
    tails = Tails(around, arriving, settings, meters, is_fed)
    members.watch(tails.check_feeds)

    @asynccontextmanager
    async def following() -> AsyncIterator[None]:
        logs.sink.feed.follow(arriving)
        try:
            yield
        finally:
            logs.sink.feed.leave(arriving)
            pool.shutdown(wait=False, cancel_futures=True)

    wiring = Wiring(name="logs.tails", surfaces=(surface((TailRoutes(tails),)),), lifespan=following)
    return TailRoom(tails, wiring)
