"""Calls to other services over HTTP: retries for reads, a breaker and a deadline for everything, a cap on the answer.

Writes are never repeated here: only the caller knows whether its idempotency key makes that safe.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry import trace
from prometheus_client import Gauge

from holdfast import instrument, journal
from holdfast.resilience import (
    Breaker,
    BreakerChange,
    BreakerOpen,
    BreakerState,
    DeadlineExceeded,
    PolicyEvent,
    breaker,
    retry,
    timeout,
)
from shop.chassis import PROBLEM_MEDIA_TYPE, Degraded, Dependency, Faults, Problem

ANSWER_LIMIT_BYTES = 1 << 20
_REFUSING_URL = "http://127.0.0.1:1"  # nothing listens on port 1: the refusal is a real one
_breaker_open = Gauge("shop_breaker_open", "1 while calls of this peer are refused", ["peer"])
_log = journal.get_logger()
_tracer = trace.get_tracer("shop.peers")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)

    @property
    def is_problem(self) -> bool:
        """Whether the body is a problem document."""
        return self.headers.get("content-type", "").startswith(PROBLEM_MEDIA_TYPE)


class PeerUnavailable(Problem):
    """A peer failed or did not answer.

    Attributes:
        may_have_happened: Whether the call could have had its effect all the same.
        answer: The peer's own 5xx answer, where there is one.
    """

    def __init__(self, peer: str, why: str, *, may_have_happened: bool = False, answer: Answer | None = None) -> None:
        super().__init__(503, f"{peer}-unavailable", f"{peer}: {why}", headers={"Retry-After": "1"})
        self.may_have_happened = may_have_happened
        self.answer = answer


class PeerSilent(PeerUnavailable):
    """No answer came at all: this is what opens the breaker, while a peer that answers 503 is heard each time."""


class Peer:
    """One other service, as this one sees it."""

    def __init__(self, name: str, base_url: str, faults: Faults, *, deadline_s: float = 2.0) -> None:
        self.name = name
        self._faults = faults
        self._base_url = base_url
        # Building a TLS context costs 10 MB and 50 ms; a peer on plain HTTP does not need one.
        self._client = httpx.AsyncClient(
            verify=base_url.startswith("https"),
            trust_env=False,
            timeout=httpx.Timeout(deadline_s, connect=0.5),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
        )
        instrument.watch_httpx(self._client)
        self._breaker: Breaker = breaker(name=name, failures=5, reset_s=5.0, on=(PeerSilent, DeadlineExceeded))
        watch_breaker(self._breaker)
        self._write = self._breaker | timeout(deadline_s)
        self._read = retry(attempts=3, base_s=0.05, cap_s=0.4, on=(PeerUnavailable, DeadlineExceeded)) | self._write
        faults.add_dependency(name)

    async def get(self, path: str, **request: Any) -> Answer:
        """Read; tried up to three times. `request` is what httpx takes: `params`, `headers`.

        Raises:
            PeerUnavailable: No good answer; a 4xx is an answer.
        """
        return await self._guard(self._read, "GET", path, **request)

    async def send(self, method: str, path: str, **request: Any) -> Answer:
        """Write; tried once. `request` is what httpx takes: `json`, `content`, `headers`.

        Raises:
            PeerUnavailable: No good answer; a 4xx is an answer.
        """
        return await self._guard(self._write, method, path, **request)

    def dependency(self, *, is_required: bool = True) -> Dependency:
        """Return this peer as `/readyz` names it."""
        return Dependency(self.name, self._probe, is_required=is_required)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _guard(self, policy: Any, method: str, path: str, **request: Any) -> Answer:
        with _tracer.start_as_current_span(f"{method} {self.name}", kind=trace.SpanKind.CLIENT) as span:
            try:
                answer: Answer = await policy.call(self._exchange, method, path, **request)
            except BreakerOpen as error:
                raise PeerSilent(self.name, str(error)) from error
            except DeadlineExceeded as error:
                raise PeerSilent(self.name, str(error), may_have_happened=True) from error
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    async def _exchange(self, method: str, path: str, **request: Any) -> Answer:
        base_url = _REFUSING_URL if self._faults.is_dead(self.name) else self._base_url
        try:
            async with self._client.stream(method, base_url + path, **request) as response:
                body = await _read_capped(self.name, response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PeerSilent(self.name, f"cannot connect to {base_url}") from error
        except httpx.HTTPError as error:
            raise PeerSilent(self.name, type(error).__name__, may_have_happened=True) from error
        answer = Answer(response.status_code, body, response.headers)
        if answer.status >= 500:
            raise PeerUnavailable(self.name, f"answered {answer.status}", may_have_happened=True, answer=answer)
        return answer

    async def _probe(self) -> None:
        await self._exchange("GET", "/livez")
        if self._breaker.retry_after_s > 0:
            raise Degraded(f"calls are refused for {self._breaker.retry_after_s:.1f} s more: it failed too often")


async def _read_capped(peer: str, response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > ANSWER_LIMIT_BYTES:
            why = f"the answer is larger than {ANSWER_LIMIT_BYTES} bytes"
            raise PeerUnavailable(peer, why, may_have_happened=True)
        chunks.append(chunk)
    return b"".join(chunks)


def watch_breaker(guard: Breaker) -> None:
    """Show a breaker's state as the metric `shop_breaker_open`, and its changes in the log."""
    _breaker_open.labels(guard.name).set(0)

    def note(change: PolicyEvent) -> None:
        if not isinstance(change, BreakerChange):
            return
        _breaker_open.labels(change.name).set(change.after is not BreakerState.CLOSED)
        _log.warning("breaker_changed", peer=change.name, before=change.before, after=change.after)

    guard.add_listener(note)
