"""The cost of one query while it runs: checked between nodes and blocks, it ends a query that is too dear or unwanted.

What may be fetched is checked by the source; what the API queues is no matter of this module.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.kernel.errors import LimitError, TimedOutError
from holdfast.telemetry.metrics.promql.limits import QueryLimits


class AbandonedError(Exception):
    """Whoever asked is gone; nobody sees this error."""


@dataclass(slots=True)
class Budget:
    """Counts what a query holds and for how long it runs."""

    limits: QueryLimits
    abandoned: threading.Event = field(default_factory=threading.Event)
    live_bytes: int = 0
    peak_bytes: int = 0
    _began: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Stop here if the query is unwanted or has run for too long.

        Raises:
            AbandonedError: nobody waits for the answer.
            TimedOutError: the limit of time is reached.
        """
        if self.abandoned.is_set():
            raise AbandonedError
        if time.monotonic() - self._began > self.limits.max_seconds:
            raise TimedOutError(
                f"query timed out in expression evaluation after {self.limits.max_seconds:g} s",
                hint="ask for a shorter range, a longer step or fewer series",
            )

    def foresee(self, wanted: int, what: Callable[[], str]) -> None:
        """Refuse to hold `wanted` more bytes for `what` if that is over the limit.

        Raises:
            LimitError: it names the limit, the selector or node, and the cost.
        """
        total = self.live_bytes + wanted
        self.peak_bytes = max(self.peak_bytes, total)
        if total > self.limits.max_bytes:
            raise LimitError(
                f"the query needs {total:,} bytes at {what()}; the limit max_bytes is {self.limits.max_bytes:,}",
                hint="select fewer series, or use a longer step",
            )
