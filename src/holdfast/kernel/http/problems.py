"""The one place where an error becomes an HTTP status and an RFC 9457 problem document.

Surfaces that speak somebody else's protocol (Prometheus, Loki) shape their own bodies and take only `status_of`.
Nothing here logs: the access log of `web` does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from holdfast.kernel import errors
from holdfast.kernel.http.errors import MediaTypeError, PeerError, SlowBodyError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI, Request

MEDIA_TYPE: Final = "application/problem+json"
MAX_PROBLEMS: Final = 100
LATER_S: Final = 1.0
_MOST_STEP: Final = 100  # letters
_MOST_WORDS: Final = 500
_AS_JSON: Final = "send JSON, with Content-Type: application/json"
_LATER: Final = (503, 507)  # what is slow may be slow again, what is away or full may be back

# The nearest class in an error's ancestry decides.
_STATUS: Final[dict[type[errors.HoldfastError], int]] = {
    errors.HoldfastError: 500,
    errors.InvalidError: 422,
    MediaTypeError: 415,
    errors.UnauthenticatedError: 401,
    errors.DeniedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.LimitError: 429,
    SlowBodyError: 408,
    TooLargeError: 413,
    errors.UnavailableError: 503,
    PeerError: 502,
    errors.TimedOutError: 504,
    errors.StorageFullError: 507,
}
_CODES: Final = {
    400: "malformed",
    401: "unauthenticated",
    403: "denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "limit",
    503: "unavailable",
}


class PlaceDocument(BaseModel):
    """Where in a file or request the fault stands."""

    file: str = ""
    line: int = 0
    field: str = ""


class FaultDocument(BaseModel):
    """One of several faults."""

    detail: str
    hint: str = ""
    place: PlaceDocument | None = None


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 writes it, with Holdfast's own members."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    retry_after_s: float | None = None
    correlation_id: str | None = None
    place: PlaceDocument | None = None
    problems: list[FaultDocument] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A status, headers and the JSON members of a problem document."""

    status: int
    members: Mapping[str, Any]
    headers: Mapping[str, str]

    def body(self) -> bytes:
        """Give the document's bytes."""
        return orjson.dumps(self.members)

    def response(self) -> Response:
        """Give it as a response."""
        return Response(self.body(), self.status, dict(self.headers), media_type=MEDIA_TYPE)


def status_of(error: errors.HoldfastError) -> int:
    """Give the HTTP status of an error: that of the nearest class in its ancestry."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def describe(error: Exception, *, correlation_id: str = "") -> Problem:
    """Turn any error into a problem; one that is not ours says nothing of itself but the correlation id."""
    if isinstance(error, HTTPException) and isinstance(error.__cause__, errors.HoldfastError):
        error = error.__cause__  # FastAPI wraps what a middleware raised while the body was read
    if isinstance(error, errors.HoldfastError):
        return _describe_own(error, correlation_id)
    if isinstance(error, RequestValidationError):
        return _describe_validation(error, correlation_id)
    if isinstance(error, HTTPException):
        return _describe_http(error, correlation_id)
    return _problem(
        500,
        "internal",
        "Something went wrong inside Holdfast.",
        hint="the server's log has the details under this correlation id" if correlation_id else "",
        correlation_id=correlation_id,
    )


def install(app: FastAPI, correlation_id: Callable[[], str]) -> None:
    """Let `app` answer every error that a route raises with a problem document."""

    async def answer(_request: Request, error: Exception) -> Response:
        return describe(error, correlation_id=correlation_id()).response()

    for kind in (errors.HoldfastError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the `responses=` of a route that may answer these error statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}


def _describe_own(error: errors.HoldfastError, correlation_id: str) -> Problem:
    faults = error.problems if isinstance(error, errors.ConfigError) else ()
    retry_after = error.retry.after_s
    if retry_after is None and error.retry.possible and status_of(error) in _LATER:
        retry_after = LATER_S
    return _problem(
        status_of(error),
        error.code,
        error.message,
        hint=error.hint,
        correlation_id=correlation_id,
        retry_after_s=retry_after,
        place=error.place,
        problems=[
            _prune({"detail": fault.message, "hint": fault.hint, "place": _place(fault.place)})
            for fault in faults[:MAX_PROBLEMS]
        ],
    )


def _describe_validation(error: RequestValidationError, correlation_id: str) -> Problem:
    told = error.errors()[:MAX_PROBLEMS]
    faults = [
        {"detail": str(fault["msg"])[:_MOST_WORDS], "place": {"field": ".".join(_step(step) for step in fault["loc"])}}
        for fault in told
    ]
    detail = "; ".join(f"{fault['place']['field']}: {fault['detail']}" for fault in faults[:3])  # type: ignore[index]  # built above
    has_read_none = error.body is None or isinstance(error.body, bytes)
    is_unread = has_read_none and any(fault["loc"][:1] == ("body",) for fault in told)
    return _problem(
        422, "invalid", detail, hint=_AS_JSON if is_unread else "", correlation_id=correlation_id, problems=faults
    )


def _step(step: str | int) -> str:
    """Give a part of the way to a field; one that a sender made up may be a megabyte."""
    text = str(step)
    return text if len(text) <= _MOST_STEP else f"{text[:_MOST_STEP]}..."


def _describe_http(error: HTTPException, correlation_id: str) -> Problem:
    problem = _problem(
        error.status_code,
        _CODES.get(error.status_code, "internal" if error.status_code >= 500 else "refused"),
        str(error.detail),
        correlation_id=correlation_id,
    )
    return Problem(problem.status, problem.members, {**problem.headers, **(error.headers or {})})


def _problem(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    correlation_id: str = "",
    retry_after_s: float | None = None,
    place: errors.Place | None = None,
    problems: list[dict[str, Any]] | None = None,
) -> Problem:
    members = {
        "type": f"urn:holdfast:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
        "retry_after_s": retry_after_s,
        "correlation_id": correlation_id,
        "place": _place(place),
        "problems": problems,
    }
    headers = {"cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="holdfast"'
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
    return Problem(status, _prune(members), headers)


def _place(place: errors.Place | None) -> dict[str, Any] | None:
    if place is None or place == errors.Place():
        return None
    return _prune({"file": place.file, "line": place.line or None, "field": place.field})


def _prune(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if not (value is None or value in ("", []))}
