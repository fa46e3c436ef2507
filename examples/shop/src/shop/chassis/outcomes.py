"""What a service knows of its own work: the share of failures among its latest calls.

It is a readiness probe, not a metric: it forgets after seconds.
"""

import time
from collections import deque
from collections.abc import Callable

from shop.chassis.health import Degraded

_REMEMBERED = 500
_DEGRADED_SHARE = 0.1
_FAILING_SHARE = 0.5


class OutcomeWindow:
    """The outcomes of the latest seconds.

    Args:
        what: The sentence's subject in the probe's answer: "requests failed".
        seconds: How far back it looks.
        clock: Monotonic seconds.
    """

    def __init__(self, what: str, *, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._seconds = seconds
        self._clock = clock
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)

    def record(self, *, is_failure: bool) -> None:
        """Note one finished call."""
        self._outcomes.append((self._clock(), is_failure))

    async def probe(self) -> None:
        """Raise `Degraded` when a tenth failed, `RuntimeError` when half did; one failure alone proves nothing."""
        since = self._clock() - self._seconds
        recent = [is_failure for at, is_failure in self._outcomes if at >= since]
        failed = sum(recent)
        if failed < 2 or failed < len(recent) * _DEGRADED_SHARE:
            return
        verdict = f"{failed} of {len(recent)} {self._what} in {self._seconds:g} s"
        if failed >= len(recent) * _FAILING_SHARE:
            raise RuntimeError(verdict)
        raise Degraded(verdict)
