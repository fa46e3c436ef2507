"""The live state of every check: where it stands, when it last ran, who pauses it. Reloads keep what did not change.

State lives in the process; what must survive a restart goes through the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.health.checks import Check, Lineage
from holdfast.health.engine.asking import Asking
from holdfast.health.engine.damping import Damping, Standing
from holdfast.health.engine.recents import Recents
from holdfast.health.engine.results import Result
from holdfast.health.verdict import Verdict
from holdfast.resilience import Breaker


@dataclass(frozen=True, slots=True)
class Pause:
    """Who stopped a check, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """What of a check survives a restart."""

    verdict: Verdict
    since: datetime
    message: str = ""
    is_flapping: bool = False
    blocked_by: str | None = None
    pause: Pause | None = None


@dataclass(slots=True)
class Watch:
    """One check being watched. `asked_s` is when its last run began and `accounted_s` when its last result was made."""

    check: Check
    damping: Damping
    asking: Asking
    breaker: Breaker
    since: datetime
    standing: Standing = field(default_factory=Standing)
    message: str = "not checked yet"
    blocked_by: str | None = None
    pause: Pause | None = None
    last: Result | None = None
    asked_s: float = float("-inf")
    accounted_s: float | None = None
    accounted_maintenance: bool = False
    recent: Recents = field(default_factory=Recents)
    run: asyncio.Task[Result] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_failing(self) -> bool:
        """Tell whether checks below this one cannot be judged: its last run says down, or it is blocked itself."""
        return self.pause is None and (self.standing.seen is Verdict.DOWN or self.blocked_by is not None)

    def restore(self, saved: Saved) -> None:
        """Stand where the check stood before the restart."""
        self.standing = Standing(verdict=saved.verdict, seen=saved.verdict, is_flapping=saved.is_flapping)
        self.since, self.message, self.pause, self.blocked_by = (
            saved.since,
            saved.message,
            saved.pause,
            saved.blocked_by,
        )

    def saved(self) -> Saved:
        """Give what must survive a restart."""
        standing = self.standing
        return Saved(standing.verdict, self.since, self.message, standing.is_flapping, self.blocked_by, self.pause)


class Roster:
    """All watches by name, and who stands below whom."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self.lineage = Lineage({})

    def __iter__(self) -> Iterator[Watch]:
        """Go through all watches in the order of the files."""
        return iter(self._watches.values())

    def __len__(self) -> int:
        """Count the watches."""
        return len(self._watches)

    def get(self, name: str) -> Watch | None:
        """Give the watch of the check `name`."""
        return self._watches.get(name)

    def replace(self, watches: Mapping[str, Watch]) -> None:
        """Take over a new set."""
        self._watches = dict(watches)
        self.lineage = Lineage({watch.check.name: watch.check.parents for watch in watches.values()})

    def find_culprit(self, watch: Watch) -> str | None:
        """Name the failed check that hides `watch`: the highest one on the way up."""
        for parent in self.parents(watch):
            if parent.is_failing:
                return parent.blocked_by or parent.check.name
        return None

    def parents(self, watch: Watch) -> list[Watch]:
        """Give the watches right above."""
        return self._known(self.lineage.parents(watch.check.name))

    def below(self, watch: Watch) -> list[Watch]:
        """Give all watches below, nearer ones first."""
        return self._known(self.lineage.descendants(watch.check.name))

    def _known(self, names: Iterable[str]) -> list[Watch]:
        return [self._watches[name] for name in names if name in self._watches]
