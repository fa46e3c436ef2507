"""Watches how often each pattern comes: five minutes beside the hour before.

Counted by arrival, per process. A pattern that has told a change is quiet for half an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.patterns.mining import PatternKey

FACTOR: Final = 5.0
RECENT: Final = 5  # minutes
LEAST_MINUTES: Final = 15  # of history
LEAST_LINES: Final = 20  # in the recent minutes, before or now
QUIET: Final = 30  # minutes
_MEMORY: Final = 60.0  # minutes over which the rate before is averaged
_FORGET: Final = 0.001


class Change(NamedTuple):
    """A pattern whose rate changed: lines per minute."""

    tenant: TenantId
    key: PatternKey
    before: float
    now: float


@dataclass(slots=True)
class _Rate:
    before: float = 0.0
    minutes: int = 0
    quiet: int = 0
    recent: list[int] = field(default_factory=list)

    def step(self, lines: int) -> float | None:
        """Take a minute; give the rate now if it has changed."""
        self.recent.append(lines)
        self.quiet = max(0, self.quiet - 1)
        if len(self.recent) <= RECENT:
            return None
        self.minutes += 1
        self.before += (self.recent.pop(0) - self.before) * max(1 / self.minutes, 1 / _MEMORY)
        now = sum(self.recent) / RECENT
        is_more = now * RECENT >= LEAST_LINES and now >= FACTOR * self.before
        is_less = self.before * RECENT >= LEAST_LINES and now * FACTOR <= self.before
        if self.minutes < LEAST_MINUTES or self.quiet or not (is_more or is_less):
            return None
        self.quiet = QUIET
        return now


class RateWatch:
    """The rates of all patterns of all tenants."""

    def __init__(self) -> None:
        self._rates: dict[tuple[TenantId, PatternKey], _Rate] = {}
        self._minute: dict[tuple[TenantId, PatternKey], int] = {}

    def add(self, tenant: TenantId, lines: Mapping[PatternKey, int]) -> None:
        """Take lines that came in this minute."""
        for key, count in lines.items():
            self._minute[tenant, key] = self._minute.get((tenant, key), 0) + count

    def step(self) -> list[Change]:
        """End a minute; give what changed."""
        minute, self._minute = self._minute, {}
        changes: list[Change] = []
        for fresh in minute.keys() - self._rates.keys():
            self._rates[fresh] = _Rate()
        for (tenant, key), rate in list(self._rates.items()):
            before = rate.before
            now = rate.step(minute.get((tenant, key), 0))
            if now is not None:
                changes.append(Change(tenant, key, before, now))
            elif rate.minutes and rate.before < _FORGET and not any(rate.recent):
                del self._rates[tenant, key]
        return changes
