"""The tails that are open: how many there may be, and from where each gets its lines."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import LimitError
from holdfast.kernel.errors import after as retry_after
from holdfast.telemetry.logs.tailing.following import Around, Following, TailQuestion
from holdfast.telemetry.logs.tailing.matching import Matching

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.tailing.arriving import Arriving
    from holdfast.telemetry.logs.tailing.frames import Turn
    from holdfast.telemetry.logs.tailing.meters import TailMeters
    from holdfast.telemetry.logs.tailing.settings import TailSettings

_RETRY_S: Final = 10.0


@dataclass(slots=True)
class Tail:
    """One open tail; `moved` is set when others take logs in, too, so that it asks the store from then on."""

    turns: AsyncGenerator[Turn, None]
    is_fed: bool
    moved: asyncio.Event


class Tails:
    """Opens tails within their limits."""

    def __init__(
        self,
        around: Around,
        arriving: Arriving,
        settings: TailSettings,
        meters: TailMeters,
        is_fed: Callable[[], bool],
    ) -> None:
        """Begin without any.

        Args:
            around: what every tail stands on.
            arriving: what this process takes in.
            settings: the limits.
            meters: told of each tail.
            is_fed: whether this process takes in all logs there are.
        """
        self.settings = settings
        self.meters = meters
        self.clock = around.clock
        self.share = around.share
        self._around = around
        self._arriving = arriving
        self._is_fed = is_fed
        self._open: Counter[TenantId] = Counter()
        self._tails: list[Tail] = []

    @contextmanager
    def open(self, tenant: TenantId, asked: TailQuestion) -> Iterator[Tail]:
        """Open a tail for as long as the block runs.

        Raises:
            LimitError: too many are open, or too many lines are asked for.
            InvalidError: a stage of the query cannot work.
        """
        self._around.engine.check_limit(asked.limit)
        matching = Matching(asked.query)
        self._refuse_crowd(tenant)
        following, moved, every_s = Following(tenant, self._around), asyncio.Event(), self.settings.poll_every
        is_fed = self._is_fed()
        turns = (
            following.arriving(asked, matching, self._arriving, moved, every_s)
            if is_fed
            else following.polled(asked, every_s)
        )
        tail = Tail(turns, is_fed, moved)
        self._tails.append(tail)
        self._note(tenant, 1)
        began_s = self.clock.monotonic()
        try:
            yield tail
        finally:
            self._tails.remove(tail)
            self._note(tenant, -1)
            self.meters.ages.observe(self.clock.monotonic() - began_s)

    def check_feeds(self) -> None:
        """Tell the tails whose lines come from elsewhere, too: another process takes logs in.

        Those that ask the store go on with that when this process is alone again.
        """
        for tail in self._tails:
            if tail.is_fed and not self._is_fed():
                tail.moved.set()

    def _refuse_crowd(self, tenant: TenantId) -> None:
        for count, most, name in (
            (self._open[tenant], self.settings.max_per_tenant, "max_per_tenant"),
            (self._open.total(), self.settings.max_tails, "max_tails"),
        ):
            if count >= most:
                self.meters.refused.inc()
                raise LimitError(
                    f"max concurrent tail requests limit exceeded, count > limit ({count + 1} > {most})",
                    hint=f"close one, or raise log_tails.{name}",
                    retry=retry_after(_RETRY_S),
                )

    def _note(self, tenant: TenantId, change: int) -> None:
        self._open[tenant] += change
        self.meters.open.labels(tenant).set(self._open[tenant])
        if not self._open[tenant]:
            del self._open[tenant]
            self.meters.open.remove(tenant)
