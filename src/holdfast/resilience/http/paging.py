"""How a list that comes in pages goes on: by a Link header, a cursor, a page number or an offset.

Says where the next page is and nothing else; the clients ask for it and watch the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.resilience.http.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

Params = dict[str, Any]


class Paging(Protocol):
    """Says what to ask for first, and next."""

    def first(self, params: Mapping[str, Any]) -> Params:
        """Give the query of the first page."""
        ...

    def next(self, response: httpx.Response, params: Mapping[str, Any]) -> str | Params | None:
        """Give the address or the query of the page after `response`; None after the last."""
        ...


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """Follows `Link: <...>; rel="next"` (RFC 8288), as GitHub and GitLab send it."""

    def first(self, params: Mapping[str, Any]) -> Params:
        """Ask as one is asked."""
        return dict(params)

    def next(self, response: httpx.Response, params: Mapping[str, Any]) -> str | Params | None:  # noqa: ARG002 -- Paging's shape
        """Give the link."""
        return response.links.get("next", {}).get("url")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Sends back, as `param`, what the answer says at `at` (a path such as `meta.next`); nothing there ends it."""

    param: str = "cursor"
    at: str = "next_cursor"

    def first(self, params: Mapping[str, Any]) -> Params:
        """Ask as one is asked."""
        return dict(params)

    def next(self, response: httpx.Response, params: Mapping[str, Any]) -> str | Params | None:
        """Send the cursor back."""
        cursor = pick(response, self.at, default=None)
        return {**params, self.param: cursor} if cursor not in {None, "", False} else None


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Counts pages in `param`; a page with nothing at `items`, or fewer than `size`, is the last."""

    param: str = "page"
    start: int = 1
    size: int = 0
    size_param: str = "per_page"
    items: str = "items"

    def first(self, params: Mapping[str, Any]) -> Params:
        """Ask for the first page."""
        return {**params, self.param: self.start, **({self.size_param: self.size} if self.size else {})}

    def next(self, response: httpx.Response, params: Mapping[str, Any]) -> str | Params | None:
        """Ask for the page after."""
        count = len(pick(response, self.items))
        return {**params, self.param: int(params[self.param]) + 1} if count and count >= self.size else None


@dataclass(frozen=True, slots=True)
class Offset:
    """Asks for `limit` items from an offset on; a page with fewer is the last."""

    limit: int = 100
    param: str = "offset"
    limit_param: str = "limit"
    items: str = "items"

    def first(self, params: Mapping[str, Any]) -> Params:
        """Ask from the start."""
        return {**params, self.param: 0, self.limit_param: self.limit}

    def next(self, response: httpx.Response, params: Mapping[str, Any]) -> str | Params | None:
        """Ask from where this page ended."""
        count = len(pick(response, self.items))
        return {**params, self.param: int(params[self.param]) + count} if count >= self.limit else None


_REQUIRED: Any = object()


def pick(response: httpx.Response, path: str, *, default: Any = _REQUIRED) -> Any:
    """Give what the JSON of an answer holds at `path`, dots between names; an empty path is all of it.

    Raises:
        BadAnswer: The answer is not JSON, or there is nothing at `path`.
    """
    try:
        found = response.json()
    except ValueError:
        raise BadAnswer("the answer is not JSON", response.request) from None
    for name in filter(None, path.split(".")):
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif default is not _REQUIRED:
            return default
        else:
            raise BadAnswer(f"the answer has nothing at {path!r}", response.request)
    return found
