"""The outcome of `holdfast check` as data: the worst verdict, the counts, the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from holdfast.health.engine import Result
from holdfast.health.verdict import Verdict, severity, worst

# Down is worse than degraded, degraded worse than not knowing: the order of every list, and of what an exit code tells.
EXIT_CODES: Final = MappingProxyType({Verdict.UP: 0, Verdict.DEGRADED: 1, Verdict.DOWN: 2, Verdict.UNKNOWN: 3})
ICONS: Final = MappingProxyType({Verdict.UP: "✔", Verdict.DEGRADED: "▲", Verdict.DOWN: "✖", Verdict.UNKNOWN: "?"})


@dataclass(frozen=True, slots=True)
class Report:
    """What a single run of checks came to. `left_out` are checks that only a running Holdfast can judge."""

    at: datetime
    duration_s: float
    results: tuple[Result, ...]
    targets: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all; `unknown` when nothing was checked."""
        return worst(*(result.verdict for result in self.results))

    @property
    def exit_code(self) -> int:
        """What the process exits with: 0 healthy, 1 degraded, 2 down, 3 unknown."""
        return EXIT_CODES[self.verdict]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many checks have each verdict."""
        return {verdict: sum(result.verdict is verdict for result in self.results) for verdict in Verdict}

    @property
    def summary(self) -> str:
        """One line: `3 up, 1 down in 0.4 s`."""
        parts = [f"{count} {verdict}" for verdict, count in self.counts.items() if count]
        return f"{', '.join(parts) or 'nothing checked'} in {self.duration_s:.1f} s"

    def worst_first(self) -> Sequence[Result]:
        """Give the results, the worst first, then by name."""
        return sorted(self.results, key=lambda result: (-severity(result.verdict), result.check))
