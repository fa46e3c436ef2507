"""The shape of answers below `/loki/api/v1`: `{"status": "success", "data": ...}`; errors are plain words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from holdfast.kernel import errors
from holdfast.kernel.http import problems

JSON: Final = "application/json"
HINT_HEADER: Final = "x-holdfast-hint"
_STATUSES: Final = {409: 400, 422: 400}


def success(data: object) -> Response:
    """Answer with `data`."""
    return Response(orjson.dumps({"status": "success", "data": data}), media_type=JSON)


def plain(document: object, *, status: int = 200) -> Response:
    """Answer with a document that has no envelope."""
    return Response(orjson.dumps(document), status, media_type=JSON)


def failure(error: errors.HoldfastError) -> Response:
    """Answer with an error in the words of Loki alone, which clients compare; what to do about it is in a header."""
    status = problems.status_of(error)
    if isinstance(error, errors.LimitError) and error.retry.after_s is None:
        status = 400  # the query asks for too much: as Loki, for a repetition would not help
    headers = dict(problems.describe(error).headers)
    headers.pop("content-type", None)
    if error.hint:
        headers[HINT_HEADER] = " ".join(error.hint.split()).encode("ascii", "replace").decode()
    return Response(error.message, _STATUSES.get(status, status), headers, media_type="text/plain")


class LokiRoute(APIRoute):
    """A route whose errors come as Loki's do; what is not ours goes on to the request fence."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except errors.HoldfastError as error:
                return failure(error)
            except RequestValidationError as error:
                return failure(errors.InvalidError(str(error.errors()[0]["msg"])))

        return answer
