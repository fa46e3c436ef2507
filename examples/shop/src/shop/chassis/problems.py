"""Errors as callers see them: one exception, one JSON shape (RFC 9457, `application/problem+json`).

A service raises `Problem`; everything else that escapes is a bug and becomes an opaque 500.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 -- RFC 9457 calls it a problem
    """A failure that the caller may see, and can act on by its `code`."""

    def __init__(
        self, status: int, code: str, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})

    def as_json(self) -> dict[str, Any]:
        """Return the body: `type`, `status`, `code`, `detail` and, where there is one, `hint`."""
        body = {"type": f"urn:shop:{self.code}", "status": self.status, "code": self.code, "detail": self.detail}
        return body | ({"hint": self.hint} if self.hint else {})


def answer_problem(_request: Request, problem: Exception) -> Response:
    """Turn a raised `Problem` into its response; any other exception becomes an opaque 500."""
    if not isinstance(problem, Problem):
        problem = Problem(500, "internal", "The service failed; its log has the trace.")
    return JSONResponse(problem.as_json(), problem.status, problem.headers, media_type=PROBLEM_MEDIA_TYPE)
