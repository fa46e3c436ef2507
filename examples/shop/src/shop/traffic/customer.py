"""One customer in front of the public API: makes requests, thinks between them, and counts what came back."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

ANSWER_LIMIT_BYTES = 1 << 20


class GaveUp(Exception):  # noqa: N818 -- what a customer does
    """A request failed, and the customer leaves."""


@dataclass(slots=True)
class Tally:
    """What all customers saw: answers by step and status, and the slowest of the latest answers."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    durations_s: list[float] = field(default_factory=list)

    def record(self, step: str, status: str, duration_s: float) -> None:
        """Count one answer."""
        self.answers[step, status] += 1
        self.durations_s.append(duration_s)

    def summary(self) -> dict[str, Any]:
        """Return what was counted since the last summary, and start anew."""
        durations_s = sorted(self.durations_s)
        failed = {f"{step} {status}": count for (step, status), count in self.answers.items() if status >= "400"}
        summary = {
            "requests": len(durations_s),
            "failures": failed,
            "orders": self.answers["check_out", "201"],
            "p50_ms": _percentile_ms(durations_s, 0.5),
            "p95_ms": _percentile_ms(durations_s, 0.95),
        }
        self.answers.clear()
        self.durations_s.clear()
        return summary


class Customer:
    """Somebody with a token and a temper."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally, rng: random.Random, think_s: float) -> None:
        self.rng = rng
        self.requests = 0
        self._client = client
        self._tally = tally
        self._think_s = think_s
        self._token = ""

    @property
    def is_known(self) -> bool:
        """Whether this customer has been here before."""
        return bool(self._token)

    async def enter(self) -> None:
        """Get a token: a new one, or the old one renewed."""
        session = None
        if self.is_known:
            session = await self.ask("renew", "POST", "/api/sessions/renew", tolerated={401})
        if session is None:
            self._token = ""
            session = await self.ask("enter", "POST", "/api/sessions")
        self._token = (session or {})["token"]

    async def ask(
        self, step: str, method: str, path: str, *, tolerated: set[int] | None = None, **request: Any
    ) -> dict[str, Any] | None:
        """Make one request after a moment's thought; return the answer, None for a tolerated refusal.

        Raises:
            GaveUp: It failed otherwise.
        """
        await asyncio.sleep(self.rng.expovariate(1 / self._think_s))
        headers = request.pop("headers", {}) | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        clock = asyncio.get_running_loop().time
        began = clock()
        self.requests += 1
        try:
            answer = await self._client.request(method, path, headers=headers, **request)
        except httpx.HTTPError as error:
            self._tally.record(step, type(error).__name__, clock() - began)
            raise GaveUp(step) from error
        self._tally.record(step, str(answer.status_code), clock() - began)
        if answer.status_code in (tolerated or set()):
            return None
        if answer.is_error or len(answer.content) > ANSWER_LIMIT_BYTES:
            raise GaveUp(f"{step}: {answer.status_code}")
        body: dict[str, Any] = answer.json()
        return body


def _percentile_ms(ordered_s: list[float], share: float) -> float:
    return round(ordered_s[int(share * (len(ordered_s) - 1))] * 1000, 1) if ordered_s else 0.0
