"""Finds routes that need nothing of FastAPI by their path in one look, ahead of its search through all routes.

A route offers such a lane by an attribute `lane` (see `kernel.auth.direct`); it stands among the app's routes all the
same, guarded, described and matched as they are. What has no lane goes on to the app.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

if TYPE_CHECKING:
    import re

    from fastapi import FastAPI

    from holdfast.kernel.auth import Handler
    from holdfast.web.asgi import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class _Lane:
    """A way to a handler; `path_format` names the route for whoever counts requests."""

    path_format: str
    pattern: re.Pattern[str]
    handler: Handler


class Lanes:
    """Wraps the app; ask for `direct` routes by method and path, hand all else on."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._exact: dict[tuple[str, str], _Lane] = {}
        self._begun: dict[tuple[str, str], _Lane] = {}  # by what stands before the first parameter
        seen: set[tuple[str, str]] = set()
        for context in iter_route_contexts(api.routes):
            self._add(context, seen)

    def _add(self, context: Any, seen: set[tuple[str, str]]) -> None:
        route = context.original_route
        path = context.path or ""
        # Guards that were put on with a whole router stand only in the app.
        is_guarded_more = len(getattr(context, "dependencies", None) or ()) > len(getattr(route, "dependencies", ()))
        handler = None if is_guarded_more else getattr(route, "lane", None)
        begin, has_parameter, _ = path.partition("{")
        for method in sorted(getattr(context, "methods", None) or ()):
            if (method, path) in seen:
                continue  # the first one answers, as in the app
            seen.add((method, path))
            if handler is not None:
                lane = _Lane(path, compile_path(path)[0], handler)
                (self._begun if has_parameter else self._exact)[method, begin] = lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        lane = self._find(scope) if scope["type"] == "http" else None
        if lane is None:
            await self._api(scope, receive, send)
            return
        scope["app"] = self._api
        scope["route"] = lane
        response = await lane.handler(Request(scope, receive, send))
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> _Lane | None:
        method, path = scope["method"], scope["path"]
        lane = self._exact.get((method, path))
        if lane is None:
            begin = path[: path.rfind("/", 0, path.rfind("/")) + 1]
            lane = self._begun.get((method, begin))
            found = lane.pattern.match(path) if lane is not None else None
            if found is None:
                return None
            scope["path_params"] = found.groupdict()
        return lane
