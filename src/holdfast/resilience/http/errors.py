"""What goes wrong with a call to another party, each with the call, redacted, and what is known of the answer.

Those that may pass by themselves are ConnectionError or TimeoutError too, which is what `retry` tries again by default.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from holdfast.resilience.errors import ResilienceError
from holdfast.resilience.http.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

EXCERPT_CHARS: Final = 500


class HttpError(ResilienceError):
    """The root: a call that gave no usable answer; `method` and `url` say which, without secrets."""

    def __init__(self, message: str, request: httpx.Request, *, retry_after_s: float | None = None) -> None:
        self.method = request.method
        self.url = redact_url(request.url)
        super().__init__(f"{self.method} {self.url}: {message}", retry_after_s=retry_after_s)


class PeerAway(HttpError, ConnectionError):
    """Nobody answered: no address, no connection, or one that broke."""


class PeerSlow(HttpError, TimeoutError):
    """The answer did not come in time; the call may have had its effect."""


class BadAnswer(HttpError):
    """The answer is not what was announced: no HTTP, or no JSON."""


class AnswerTooLarge(HttpError):
    """The answer is larger than `max_bytes`; it was not read to its end."""


class QuotaSpent(HttpError):
    """The other party said that nothing is left until later; the call was not made."""


class PagingError(HttpError):
    """The pages do not end, go round in a circle, or lead to somebody else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem document; `more` holds its other members."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    instance: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


class StatusError(HttpError):
    """The answer has a status of 400 or more.

    Attributes:
        status: The status.
        headers: The answer's headers.
        body: The answer's body, up to the client's `max_bytes`.
        problem: What the body says as application/problem+json; None if it does not.
    """

    def __init__(self, response: httpx.Response, *, retry_after_s: float | None = None) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content
        self.problem = read_problem(response)
        said = self.problem.detail or self.problem.title if self.problem else _excerpt(response)
        message = f"{self.status} {response.reason_phrase}".strip() + (f": {said}" if said else "")
        super().__init__(message, response.request, retry_after_s=retry_after_s)


class Unauthorized(StatusError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(StatusError):
    """403: the credentials do not allow it."""


class NotFound(StatusError):
    """404 or 410: there is no such thing, or not any more."""


class Conflict(StatusError):
    """409 or 412: the state does not allow it."""


class Invalid(StatusError):
    """400 or 422: the request is wrong."""


class TooManyRequests(StatusError, ConnectionError):
    """429: slower; `retry_after_s` says when, where the answer did."""


class ServerFault(StatusError):
    """500 or more: the other side failed, and may have had an effect before."""


class ServerUnavailable(ServerFault, ConnectionError):
    """502, 503 or 504: the other side cannot answer now."""


_BY_STATUS: Final[dict[int, type[StatusError]]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    422: Invalid,
    429: TooManyRequests,
    502: ServerUnavailable,
    503: ServerUnavailable,
    504: ServerUnavailable,
}


def status_error(response: httpx.Response, *, retry_after_s: float | None) -> StatusError:
    """Give the error of an answer whose status is 400 or more."""
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else StatusError)
    return kind(response, retry_after_s=retry_after_s)


def read_problem(response: httpx.Response) -> Problem | None:
    """Read application/problem+json; None where the answer has none that can be read."""
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/problem+json":
        return None
    try:
        found = json.loads(response.content)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    texts = {name: str(found.pop(name)) for name in ("type", "title", "detail", "instance") if name in found}
    status = found.pop("status", response.status_code)
    return Problem(status=status if isinstance(status, int) else response.status_code, more=found, **texts)


def _excerpt(response: httpx.Response) -> str:
    if not response.headers.get("content-type", "").startswith(("text/plain", "application/json")):
        return ""
    return " ".join(response.text[:EXCERPT_CHARS].split())
