"""The health of all services, kept current: judged anew when anything happens, written down when it turned.

What is shown is what was judged, even while the database takes no writes; the turn is written as soon as it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from holdfast import journal
from holdfast.catalog import Entities
from holdfast.health.engine import CheckState
from holdfast.health.services.chronicle import Chronicle
from holdfast.health.services.judging import ServiceHealth, judge_services
from holdfast.health.services.sources import Checks
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.events import Wake
from holdfast.kernel.ids import ServiceId

_PAUSE_S: Final = 0.05  # what happens in this time is judged together
_REST: Final = 5.0  # times as long as judging takes, so that a storm of events costs a sixth of a processor
_LONGEST_PAUSE_S: Final = 0.5
_IDLE_S: Final = 10.0
_MARK_EVERY_S: Final = 10.0
_PRUNE_EVERY_S: Final = 3600.0

Neighbours = Mapping[ServiceId, tuple[ServiceId, ...]]

_log = journal.get_logger()


class Board:
    """Health of the services in the catalog, and of those that only checks name."""

    def __init__(
        self, entities: Callable[[], Entities], checks: Checks, chronicle: Chronicle, clock: Clock, wake: Wake
    ) -> None:
        self.chronicle = chronicle
        self._entities = entities
        self._checks = checks
        self._clock = clock
        self._wake = wake
        self._judging_s = 0.0
        self._known_for: Entities | None = None
        self._known: tuple[Neighbours, Neighbours] = ({}, {})

    def judge(self) -> dict[ServiceId, ServiceHealth]:
        """Judge every service as its checks stand now, sorted by name."""
        entities = self._entities()
        states: dict[ServiceId, list[CheckState]] = {service: [] for service in entities.services}
        for state in self._checks.states():
            for service in self._checks.services_of(state.check):
                states.setdefault(service, []).append(state)
        return judge_services({service: states[service] for service in sorted(states)}, self.needs())

    def needs(self) -> Neighbours:
        """Give what each service of the catalog depends on."""
        return self._neighbours()[0]

    def needed_by(self) -> Neighbours:
        """Give what depends on each service of the catalog."""
        return self._neighbours()[1]

    def _neighbours(self) -> tuple[Neighbours, Neighbours]:
        entities = self._entities()
        if entities is not self._known_for:
            needs = {service: entities.dependencies(service) for service in entities.services}
            needed_by = {service: entities.dependents(service) for service in entities.services}
            self._known, self._known_for = (needs, needed_by), entities
        return self._known

    async def settle(self) -> None:
        """Judge, and write down what turned."""
        began_s = time.thread_time()
        healths = self.judge()
        self._judging_s = time.thread_time() - began_s
        await self.chronicle.record(healths)
        await self.chronicle.close_gone(healths)

    async def run(self) -> None:
        """Settle whenever something happens, for ever."""
        await self.chronicle.open()
        mark_s, prune_s = float("-inf"), self._clock.monotonic()
        while True:
            seen = self._wake.version
            try:
                await self.settle()
                now_s = self._clock.monotonic()
                if now_s - mark_s >= _MARK_EVERY_S:
                    mark_s = now_s
                    await self.chronicle.mark()
                if now_s - prune_s >= _PRUNE_EVERY_S:
                    prune_s = now_s
                    await self.chronicle.prune()
            except UnavailableError as error:  # shown all the same; written down when writing works again
                _log.warning("services.unwritten", error=str(error))
            await self._clock.sleep(min(_LONGEST_PAUSE_S, max(_PAUSE_S, _REST * self._judging_s)))
            await self._wake.wait(seen, _IDLE_S)
