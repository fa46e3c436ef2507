"""What one LogQL query may cost, `[log_queries]` in `holdfast.toml`; over a limit it is refused with what to do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.errors import LimitError, TimedOutError
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration
from holdfast.telemetry.logs.querying.answers import QueryCost


@dataclass(frozen=True, slots=True)
class LogQueryLimits:
    """Bounds of one query of logs.

    Attributes:
        max_entries: lines that it gives.
        max_lines: lines that it reads one by one.
        max_series: series that it has.
        max_steps: points of each series.
        timeout: how long it takes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    max_entries: Annotated[int, Field(ge=1)] = 5000
    max_lines: Annotated[int, Field(ge=1)] = 50_000_000
    max_series: Annotated[int, Field(ge=1)] = 10_000
    max_steps: Annotated[int, Field(ge=1)] = 11_000
    timeout: Annotated[Duration, Field(gt=0)] = 60.0


SECTION: Final = Section("log_queries", LogQueryLimits)


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
                f"the query reads more than {self.limits.max_lines:,} lines",
                hint="select fewer streams or a shorter time, filter before a parser, or raise log_queries.max_lines",
            )
        if self.cost.seconds > self.limits.timeout:
            raise TimedOutError(
                f"the query took more than {self.limits.timeout:g} s",
                hint="select fewer streams or a shorter time, or raise log_queries.timeout",
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
                hint="drop labels that differ from line to line, or raise log_queries.max_series",
            )
