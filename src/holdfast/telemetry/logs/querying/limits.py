"""What one LogQL query may cost; over a limit it is refused by name, with what to do about it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from holdfast.kernel.errors import LimitError, TimedOutError
from holdfast.telemetry.logs.querying.answers import QueryCost


@dataclass(frozen=True, slots=True)
class LogQueryLimits:
    """Bounds of one query: lines given, lines read, series, steps and seconds."""

    max_entries: int = 5000
    max_lines: int = 50_000_000
    max_series: int = 10_000
    max_steps: int = 11_000
    max_seconds: float = 60.0


@dataclass(slots=True)
class Meter:
    """Counts what a query costs, and stops it."""

    limits: LogQueryLimits
    cost: QueryCost = field(default_factory=QueryCost)
    began_s: float = field(default_factory=time.monotonic)

    def note(self, lines: int, size: int) -> None:
        """Add what was read.

        Raises:
            LimitError: it is too much.
            TimedOutError: it takes too long.
        """
        self.cost.lines += lines
        self.cost.bytes += size
        self.cost.seconds = time.monotonic() - self.began_s
        if self.cost.lines > self.limits.max_lines:
            raise LimitError(
                f"the query reads more than {self.limits.max_lines:,} lines (logs.queries.max_lines)",
                hint="select fewer streams, a shorter time, or filter lines before a parser",
            )
        if self.cost.seconds > self.limits.max_seconds:
            raise TimedOutError(
                f"the query took more than {self.limits.max_seconds:g} s (logs.queries.max_seconds)",
                hint="select fewer streams or a shorter time",
            )

    def check_series(self, count: int) -> None:
        """Refuse too many series.

        Raises:
            LimitError: there are more than the limit.
        """
        if count > self.limits.max_series:
            raise LimitError(
                f"maximum number of series ({self.limits.max_series}) reached for a single query; consider reducing"
                " query cardinality by adding more specific stream selectors, reducing the time range, or aggregating"
                " results with functions like sum(), count() or topk()",
                hint="drop labels that differ from line to line, or raise logs.queries.max_series",
            )
