"""What both clients do with a call apart from sending it: its headers, policy and quota, and what its answer means.

Knows nothing of sockets or event loops; `async_client` and `sync_client` send.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.http.errors import (
    AnswerTooLarge,
    BadAnswer,
    HttpError,
    PagingError,
    PeerAway,
    PeerSlow,
    QuotaSpent,
    status_error,
)
from holdfast.resilience.http.paging import Paging, Params
from holdfast.resilience.http.quotas import Quotas
from holdfast.resilience.policies import Composed, Policy, policies_of
from holdfast.resilience.retries import retry

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, section 9.2.2
IDEMPOTENCY_KEY: Final = "Idempotency-Key"  # draft-ietf-httpapi-idempotency-key-header
REPEATING: Final = frozenset({"retry", "hedge"})
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_PAGES: Final = 1_000

Before = Callable[[httpx.Request], Any]
After = Callable[[httpx.Request, httpx.Response], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How a client calls.

    Attributes:
        base_url: What relative addresses are relative to.
        policy: What each call goes under; by default three attempts. Its retries and hedges are left out for calls that
            must not be repeated: methods that are not idempotent, without an idempotency key.
        auth: Who we are.
        headers: Sent with each call.
        timeout_s: For connecting, and for each wait for more of the answer.
        max_bytes: The largest answer, decompressed.
        max_quota_wait_s: How long to wait for the other party's quota to come back; a longer wait raises QuotaSpent.
        key_posts: Whether each POST and PATCH gets an idempotency key of its own.
        before: Called with each request before it is sent, each attempt anew; may change it.
        after: Called with each request and its answer, good or bad.
        transport: Another way to send, such as `httpx.MockTransport` in a test.
        clock: Where waiting comes from.
    """

    base_url: str = ""
    policy: Policy = field(default_factory=lambda: retry(attempts=3, base_s=0.2, cap_s=30.0))
    auth: httpx.Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    max_bytes: int = MAX_BYTES
    max_quota_wait_s: float = 30.0
    key_posts: bool = False
    before: Iterable[Before] = ()
    after: Iterable[After] = ()
    transport: Any = None
    clock: Clock = SYSTEM_CLOCK

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        if self.timeout_s <= 0 or self.max_bytes < 1 or self.max_quota_wait_s < 0:
            raise ValueError("timeout_s and max_bytes must be positive, and max_quota_wait_s not negative")


@dataclass(slots=True)
class Rules:
    """What a client decides about its calls."""

    options: ClientOptions
    quotas: Quotas
    once: Policy | None

    @classmethod
    def of(cls, options: ClientOptions) -> Rules:
        """Make the rules of a client."""
        kept = tuple(policy for policy in policies_of(options.policy) if policy.kind not in REPEATING)
        return cls(options, Quotas(options.clock), Composed(kept) if kept else None)

    def add_key(self, method: str, headers: dict[str, str], key: str | None) -> None:
        """Put an idempotency key into the headers, the same for every attempt of this call."""
        if key is not None:
            headers[IDEMPOTENCY_KEY] = key
        elif self.options.key_posts and method in {"POST", "PATCH"}:
            headers[IDEMPOTENCY_KEY] = str(uuid.uuid4())

    def choose_policy(self, request: httpx.Request) -> Policy | None:
        """Give the policy of this call: without retries and hedges where it must not be sent twice."""
        may_repeat = request.method in IDEMPOTENT or IDEMPOTENCY_KEY in request.headers
        may_repeat = may_repeat and isinstance(request.stream, httpx.ByteStream)  # others can be sent once
        return self.options.policy if may_repeat else self.once

    def reserve(self, request: httpx.Request) -> float:
        """Give the seconds to wait for the other party's quota; ask again afterwards.

        Raises:
            QuotaSpent: Longer than is waited here.
        """
        wait_s = self.quotas.take(request)
        if wait_s > self.options.max_quota_wait_s:
            raise QuotaSpent(f"nothing is left for {wait_s:.0f} s more", request, retry_after_s=wait_s)
        return wait_s

    def judge(self, response: httpx.Response) -> httpx.Response:
        """Give a good answer, raise for a bad one."""
        retry_after_s = self.quotas.learn(response)
        if response.status_code >= 400:
            raise status_error(response, retry_after_s=retry_after_s)
        return response


class Body:
    """An answer's body while it arrives; refuses more than `limit` bytes."""

    __slots__ = ("_limit", "_parts", "_response", "_size")

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._response = response
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit and response.request.method != "HEAD":
            raise self._too_large()

    def add(self, part: bytes) -> None:
        """Take the next part, decompressed."""
        self._size += len(part)
        if self._size > self._limit:
            raise self._too_large()
        self._parts.append(part)

    def finish(self) -> httpx.Response:
        """Give the answer with its body, with no connection behind it."""
        response = self._response
        dropped = {b"content-encoding", b"content-length", b"transfer-encoding"}
        return httpx.Response(
            response.status_code,
            headers=[(name, value) for name, value in response.headers.raw if name.lower() not in dropped],
            content=b"".join(self._parts),
            request=response.request,
            history=response.history,
        )

    def _too_large(self) -> AnswerTooLarge:
        return AnswerTooLarge(f"the answer is larger than {self._limit} bytes (max_bytes)", self._response.request)


def translate(error: httpx.HTTPError | httpx.InvalidURL | httpx.StreamError, request: httpx.Request) -> HttpError:
    """Give the typed error of what httpx raised."""
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return PeerSlow(f"no answer in time ({type(error).__name__})", request)
    if isinstance(error, httpx.NetworkError | httpx.ProxyError) or (
        isinstance(error, httpx.RemoteProtocolError) and "disconnected" in said
    ):
        return PeerAway(said, request)
    return BadAnswer(said, request)


class Pages:
    """The course of one list through its pages: what to ask for next, and when it has gone too far."""

    __slots__ = ("_count", "_max_pages", "_paging", "_params", "_seen", "url")

    def __init__(self, url: str, paging: Paging, params: Mapping[str, Any] | None, max_pages: int) -> None:
        self.url: str = url
        self._paging = paging
        self._params: Params | None = paging.first(params or {})
        self._max_pages = max_pages
        self._count = 0
        self._seen: set[str] = set()

    @property
    def params(self) -> Params | None:
        """The query to ask with; None where the address has it all."""
        return self._params

    def turn(self, response: httpx.Response) -> bool:
        """Go on behind `response`; tell whether there is more.

        Raises:
            PagingError: The pages do not end, go in a circle, or lead to another server.
        """
        self._count += 1
        request = response.request
        following = self._paging.next(response, self._params or {})
        if following is None:
            return False
        if self._count >= self._max_pages:
            raise PagingError(f"more than {self._max_pages} pages (max_pages)", request)
        mark = repr(following)
        if mark in self._seen:
            raise PagingError("the pages go in a circle: one named a page that came before", request)
        self._seen.add(mark)
        if isinstance(following, str):
            target = request.url.join(following)
            if (target.scheme, target.netloc) != (request.url.scheme, request.url.netloc):
                raise PagingError(f"the next page is at another server, {target.host!r}", request)
            self.url, self._params = str(target), None
        else:
            self._params = following
        return True


async def settle(value: Any) -> None:
    """Wait for what an interceptor gave, if it is async."""
    if isinstance(value, Awaitable):
        await value
