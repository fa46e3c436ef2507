"""The client for code without an event loop; the twin of `async_client`, call for call. Threads may share one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

from holdfast.resilience.http.exchange import MAX_PAGES, Body, ClientOptions, Pages, Rules, translate
from holdfast.resilience.http.paging import pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from holdfast.resilience.http.paging import Paging


class HttpClient:
    """Calls one service: `with HttpClient(base_url=...) as api: api.get("/orders")`.

    The arguments are those of `ClientOptions`. Every answer of 400 or more raises a StatusError.
    """

    def __init__(self, **options: Any) -> None:
        self.options = ClientOptions(**options)
        self._rules = Rules.of(self.options)
        self._client = httpx.Client(
            base_url=self.options.base_url,
            auth=self.options.auth,
            headers=dict(self.options.headers),
            timeout=self.options.timeout_s,
            transport=self.options.transport,
        )

    def __enter__(self) -> Self:
        """Open the pool of connections."""
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._client.__exit__(kind, error, trace)

    def request(
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
        return policy.call_sync(self._attempt, request) if policy else self._attempt(request)

    def get(self, url: str, **how: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", url, **how)

    def post(self, url: str, **how: Any) -> httpx.Response:
        """POST; repeated only with an idempotency key."""
        return self.request("POST", url, **how)

    def put(self, url: str, **how: Any) -> httpx.Response:
        """PUT."""
        return self.request("PUT", url, **how)

    def patch(self, url: str, **how: Any) -> httpx.Response:
        """PATCH; repeated only with an idempotency key."""
        return self.request("PATCH", url, **how)

    def delete(self, url: str, **how: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", url, **how)

    def pages(
        self, url: str, paging: Paging, *, params: Mapping[str, Any] | None = None, max_pages: int = MAX_PAGES
    ) -> Iterator[httpx.Response]:
        """Give one answer after the other, each asked for when it is wanted.

        Raises:
            PagingError: There are more than `max_pages`, or they lead astray.
        """
        course = Pages(url, paging, params, max_pages)
        while True:
            response = self.get(course.url, params=course.params)
            yield response
            if not course.turn(response):
                return

    def items(self, url: str, paging: Paging, *, at: str = "items", **how: Any) -> Iterator[Any]:
        """Give each item of each page; `at` is where a page has its list, empty where the page is the list."""
        for response in self.pages(url, paging, **how):
            yield from pick(response, at)

    def _attempt(self, request: httpx.Request) -> httpx.Response:
        for hook in self.options.before:
            hook(request)
        while (wait_s := self._rules.reserve(request)) > 0:
            self.options.clock.sleep_sync(wait_s)
        try:
            response = self._send(request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise translate(error, request) from error
        for hook_after in self.options.after:
            hook_after(request, response)
        return self._rules.judge(response)

    def _send(self, request: httpx.Request) -> httpx.Response:
        response = self._client.send(request, stream=True)
        try:
            body = Body(response, self.options.max_bytes)
            for part in response.iter_bytes():
                body.add(part)
        finally:
            response.close()
        return body.finish()
