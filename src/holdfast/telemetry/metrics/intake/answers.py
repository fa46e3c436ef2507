"""Errors as the doors of Prometheus' protocols answer them: a status and plain words, which senders write into logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from holdfast.kernel.http import problems

if TYPE_CHECKING:
    from holdfast.kernel.errors import HoldfastError

# These protocols know neither 422 nor 507; 503 is sent again when there is room.
_STATUSES: Final = {422: 400, 507: 503}
_KEPT_HEADERS: Final = ("retry-after", "cache-control")


def refuse(error: HoldfastError) -> Response:
    """Answer with an error in plain words, which is what senders write into their logs."""
    status = problems.status_of(error)
    status = _STATUSES.get(status, status)
    headers = {name: text for name, text in problems.describe(error).headers.items() if name in _KEPT_HEADERS}
    if status in {429, 503}:
        headers.setdefault("retry-after", "1")
    return Response(f"{error}\n", status, headers, media_type="text/plain")
