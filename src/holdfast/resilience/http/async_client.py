"""The client for async code: other people's HTTP services under a policy, with typed errors and bounds.

Its twin for plain code is in `sync_client`; both decide by `exchange`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

from holdfast.resilience.http.exchange import MAX_PAGES, Body, ClientOptions, Pages, Rules, settle, translate
from holdfast.resilience.http.paging import pick

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from holdfast.resilience.http.paging import Paging


class AsyncHttpClient:
    """Calls one service: `async with AsyncHttpClient(base_url=...) as api: await api.get("/orders")`.

    The arguments are those of `ClientOptions`. Every answer of 400 or more raises a StatusError.
    """

    def __init__(self, **options: Any) -> None:
        self.options = ClientOptions(**options)
        self._rules = Rules.of(self.options)
        self._client = httpx.AsyncClient(
            base_url=self.options.base_url,
            auth=self.options.auth,
            headers=dict(self.options.headers),
            timeout=self.options.timeout_s,
            transport=self.options.transport,
        )

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self._client.__aexit__(kind, error, trace)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        **body: Any,
    ) -> httpx.Response:
        """Call; `body` is one of httpx's `json`, `content`, `data`, `files`.

        Raises:
            HttpError: One of its kinds says what went wrong.
        """
        method = method.upper()
        sent = dict(headers or {})
        self._rules.add_key(method, sent, idempotency_key)
        request = self._client.build_request(method, url, params=params, headers=sent, **body)
        policy = self._rules.choose_policy(request)
        return await (policy.call(self._attempt, request) if policy else self._attempt(request))

    async def get(self, url: str, **how: Any) -> httpx.Response:
        """GET."""
        return await self.request("GET", url, **how)

    async def post(self, url: str, **how: Any) -> httpx.Response:
        """POST; repeated only with an idempotency key."""
        return await self.request("POST", url, **how)

    async def put(self, url: str, **how: Any) -> httpx.Response:
        """PUT."""
        return await self.request("PUT", url, **how)

    async def patch(self, url: str, **how: Any) -> httpx.Response:
        """PATCH; repeated only with an idempotency key."""
        return await self.request("PATCH", url, **how)

    async def delete(self, url: str, **how: Any) -> httpx.Response:
        """DELETE."""
        return await self.request("DELETE", url, **how)

    async def pages(
        self, url: str, paging: Paging, *, params: Mapping[str, Any] | None = None, max_pages: int = MAX_PAGES
    ) -> AsyncIterator[httpx.Response]:
        """Give one answer after the other, each asked for when it is wanted.

        Raises:
            PagingError: There are more than `max_pages`, or they lead astray.
        """
        course = Pages(url, paging, params, max_pages)
        while True:
            response = await self.get(course.url, params=course.params)
            yield response
            if not course.turn(response):
                return

    async def items(self, url: str, paging: Paging, *, at: str = "items", **how: Any) -> AsyncIterator[Any]:
        """Give each item of each page; `at` is where a page has its list, empty where the page is the list."""
        async for response in self.pages(url, paging, **how):
            for item in pick(response, at):
                yield item

    async def _attempt(self, request: httpx.Request) -> httpx.Response:
        for hook in self.options.before:
            await settle(hook(request))
        while (wait_s := self._rules.reserve(request)) > 0:
            await self.options.clock.sleep(wait_s)
        try:
            response = await self._send(request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise translate(error, request) from error
        for hook_after in self.options.after:
            await settle(hook_after(request, response))
        return self._rules.judge(response)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        response = await self._client.send(request, stream=True)
        try:
            body = Body(response, self.options.max_bytes)
            async for part in response.aiter_bytes():
                body.add(part)
        finally:
            await response.aclose()
        return body.finish()
