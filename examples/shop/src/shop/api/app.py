"""Makes a FastAPI app whose refused requests are problem documents too (RFC 9457)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from shop.chassis import PROBLEM_MEDIA_TYPE, Problem, answer_problem

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ProblemBody(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    status: int
    code: str
    detail: str
    hint: str | None = None


def refusal(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Return a refusal as a route declares it; the framework's own way would name the wrong media type."""
    schema = ProblemBody.model_json_schema()
    return {status: {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}}


def new_api(title: str, release: str, lifespan: Lifespan) -> FastAPI:
    """Return an app without routes."""
    app = FastAPI(
        title=title,
        version=release,
        lifespan=lifespan,
        responses=refusal(422, "The request makes no sense"),
    )
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    return app


async def _answer_invalid(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    places = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults[:5]]
    return answer_problem(request, Problem(422, "invalid-request", "; ".join(places)))
