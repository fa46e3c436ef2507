"""Stops before the other party's limit is hit, because it says in every answer how much is left and until when.

Understood are `RateLimit` and `RateLimit-*` (draft-ietf-httpapi-ratelimit-headers), `X-RateLimit-*` as GitHub and
others send it, and `Retry-After`. What is known is of this client only; other users of the same key spend it too.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.resilience.retry_after import asked_wait_s

if TYPE_CHECKING:
    import httpx

    from holdfast.resilience.clocks import Clock

MOST_HOSTS: Final = 100
SAME_WINDOW_S: Final = 1.0
FIRST_EPOCH: Final = 1_000_000_000  # a reset above this is a moment, below it a duration
FIRST_EPOCH_MS: Final = FIRST_EPOCH * 1000
FIELD: Final = re.compile(r';\s*(r|t)\s*=\s*"?(\d+)')


@dataclass(slots=True)
class _Window:
    left: float
    ends_s: float


class Quotas:
    """What is left at each host that was asked lately, at most a hundred."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._guard = threading.Lock()

    def take(self, request: httpx.Request) -> float:
        """Take one call; give the seconds to wait when nothing is left, and take nothing then."""
        with self._guard:
            window = self._windows.get(request.url.netloc.decode("ascii"))
            if window is None:
                return 0.0
            wait_s = window.ends_s - self._clock.monotonic()
            if wait_s <= 0:
                window.left = float("inf")
                return 0.0
            if window.left < 1:
                return wait_s
            window.left -= 1
            return 0.0

    def learn(self, response: httpx.Response) -> float | None:
        """Remember what an answer says; give the seconds that it asks to wait, if it does."""
        asked_s = asked_wait_s(response, self._clock.now) if response.status_code in {429, 503} else None
        said = _read_left(response.headers, self._clock)
        if response.status_code == 429 and asked_s is not None:
            said = (0.0, asked_s)
        if said is not None:
            self._remember(response.request.url.netloc.decode("ascii"), *said)
        return asked_s if asked_s is not None or response.status_code != 429 or said is None else said[1]

    def _remember(self, host: str, left: float, lasts_s: float) -> None:
        ends_s = self._clock.monotonic() + lasts_s
        with self._guard:
            window = self._windows.get(host)
            if window is None or ends_s > window.ends_s + SAME_WINDOW_S:
                self._windows[host] = _Window(left, ends_s)
            else:  # answers overtake each other: the smaller number is the later one
                window.left = min(window.left, left)
                window.ends_s = ends_s
            self._windows.move_to_end(host)
            if len(self._windows) > MOST_HOSTS:
                self._windows.popitem(last=False)


def _read_left(headers: httpx.Headers, clock: Clock) -> tuple[float, float] | None:
    """Give how many calls are left, and for how many seconds that holds."""
    fields = dict(FIELD.findall(headers.get("ratelimit", "")))
    if "r" in fields and "t" in fields:
        return float(fields["r"]), float(fields["t"])
    for prefix in ("ratelimit", "x-ratelimit", "x-rate-limit"):
        left = _read_number(headers.get(f"{prefix}-remaining"))
        reset = _read_number(headers.get(f"{prefix}-reset"))
        if left is not None and reset is not None:
            return left, _read_reset(reset, clock)
    return None


def _read_number(text: str | None) -> float | None:
    found = re.match(r"\s*(\d+(?:\.\d+)?)", text or "")
    return float(found[1]) if found else None


def _read_reset(reset: float, clock: Clock) -> float:
    if reset < FIRST_EPOCH:
        return reset
    moment_s = reset / 1000 if reset > FIRST_EPOCH_MS else reset
    return max(0.0, moment_s - clock.now().timestamp())
