"""The shape of every answer below `/prometheus/api/v1`: `{"status": ..., "data": ...}`, errors included.

Statuses and error types are those of Prometheus' HTTP API, because clients decide by them whether to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match

from holdfast.kernel import errors
from holdfast.kernel.auth import Handler, direct
from holdfast.kernel.http import problems
from holdfast.telemetry.metrics.api.origins import Origins
from holdfast.telemetry.metrics.promql import QueryExecutionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

JSON: Final = "application/json"

# The nearest class in an error's ancestry decides: Prometheus' word for it, and the status if it is not the usual one.
_KINDS: Final[dict[type[errors.HoldfastError], tuple[str, int | None]]] = {
    errors.HoldfastError: ("internal", None),
    errors.InvalidError: ("bad_data", 400),
    QueryExecutionError: ("execution", 422),
    errors.LimitError: ("execution", 422),
    errors.BusyError: ("unavailable", 503),
    errors.UnavailableError: ("unavailable", 503),
    errors.TimedOutError: ("timeout", 503),
    errors.NotFoundError: ("not_found", 404),
    errors.UnauthenticatedError: ("unauthorized", 401),
    errors.DeniedError: ("unauthorized", 403),
}


def success(data: object, *, warnings: Iterable[str] = (), infos: Iterable[str] = ()) -> Response:
    """Answer with `data`; warnings and infos are left out where there are none."""
    document: dict[str, object] = {"status": "success", "data": data}
    document |= {name: list(notes) for name, notes in (("warnings", warnings), ("infos", infos)) if notes}
    return JsonAnswer(orjson.dumps(document))


class JsonAnswer(Response):
    """A successful answer whose body is JSON already; made in a quarter of the time that its parent takes."""

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI app
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def failure(error: errors.HoldfastError) -> Response:
    """Answer with an error, its hint behind its message."""
    kind, status = next(_KINDS[base] for base in type(error).__mro__ if base in _KINDS)
    document = {"status": "error", "errorType": kind, "error": _sentence(error)}
    headers: Mapping[str, str] = problems.describe(error).headers
    return Response(orjson.dumps(document), status or problems.status_of(error), dict(headers), media_type=JSON)


def _sentence(error: errors.HoldfastError) -> str:
    place = f"{error.place}: " if str(error.place) else ""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{place}{error.message}{hint}"


class PrometheusRoute(APIRoute):
    """A route whose errors come in the envelope; what is not ours goes on to the request fence.

    `lane` answers past FastAPI, where the handler asks for nothing that takes it.
    """

    origins: ClassVar[Origins] = Origins(())
    lane: Handler | None = None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler."""
        plain = direct(self)
        if plain is not None:
            self.lane = self._enveloped(plain)
        return self._enveloped(super().get_route_handler())

    def _enveloped(self, handle: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except errors.HoldfastError as error:
                response = failure(error)
            except RequestValidationError as error:
                response = failure(errors.InvalidError(str(error.errors()[0]["msg"])))
            allowed = self.origins.headers_for(request)
            if allowed:
                response.headers.update(allowed)
            return response

        return answer


class PreflightRoute(PrometheusRoute):
    """A route for whatever path, which is not in the way of what has no route: that is not found, for any method."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for it."""
        match, found = super().matches(scope)
        return (match, found) if match is Match.FULL else (Match.NONE, {})


def route_class(origins: Origins, kind: type[PrometheusRoute] = PrometheusRoute) -> type[PrometheusRoute]:
    """Give the class of routes that lets pages of these origins read."""
    return type(kind.__name__, (kind,), {"origins": origins})
