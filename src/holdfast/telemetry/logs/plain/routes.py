"""`POST /api/v1/logs/lines`: lines as they are, or as JSON; says how many were stored and what was refused."""

from __future__ import annotations

from email.message import Message
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.logs.plain.taking import DOOR, Sender, read_json, read_lines

if TYPE_CHECKING:
    from holdfast.telemetry.logs.plain.taking import PlainLines

_JSON: Final = "application/json"
_TEXTS: Final = frozenset(
    {"", "text/plain", "application/x-ndjson", "application/ndjson", "application/x-www-form-urlencoded"}
)
_LABEL: Final = 200

Writer = Annotated[Identity, Depends(requires("logs.write"))]


class LinesTaken(BaseModel):
    """What became of the lines: records stored, known already, and refused by reason."""

    stored: int
    repeated: int
    refused: dict[str, int]


def line_routes(door: PlainLines, backlog: Backlog | None = None) -> APIRouter:
    """Build the router; it stands below `/api/v1`."""
    router, backlog = APIRouter(prefix="/logs", tags=["logs"]), backlog or Backlog()

    @router.post(
        "/lines",
        operation_id="sendLogLines",
        openapi_extra={"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def send_lines(
        request: Request,
        identity: Writer,
        service: Annotated[str, Query(max_length=_LABEL, description="The service; else what the lines say.")] = "",
        environment: Annotated[str, Query(max_length=_LABEL, description="Such as `production`.")] = "",
        host: Annotated[str, Query(max_length=_LABEL, description="The host that wrote the lines.")] = "",
    ) -> LinesTaken:
        """Store log lines.

        Text, one record per line, or JSON: objects line by line (`application/x-ndjson`), or an array of texts and
        objects (`application/json`). Tracebacks and stack traces are joined; time, level, trace and span are
        recognised. Answered when all is on the disk; 429 and 503 say when to send the same again.
        """
        kind, charset = _content_type(request.headers.get("content-type", ""))
        async with backlog.read(DOOR, request) as body:
            read = read_json if kind == _JSON else partial(read_lines, charset=charset)
            delivered = await door.take(identity.tenant, body, read, Sender(service, environment, host))
        written = delivered.written
        return LinesTaken(stored=written.records, repeated=written.repeats, refused=dict(delivered.refusals.counts))

    return router


def _content_type(header: str) -> tuple[str, str]:
    parsed = Message()
    parsed["content-type"] = header or "text/plain"
    kind = parsed.get_content_type()
    if kind != _JSON and kind not in _TEXTS:
        raise MediaTypeError(f"{header!r} is not taken here", hint="send text/plain, application/x-ndjson or JSON")
    return kind, parsed.get_content_charset() or "utf-8"
