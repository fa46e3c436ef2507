"""The notifier over HTTP: events come in, messages and dead letters can be seen, the dead can be revived.

Plain Starlette: four routes need no more.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shop.chassis import Problem
from shop.notifier.events import EVENT_LIMIT_BYTES
from shop.notifier.inbox import InboxFull, accept, revive
from shop.notifier.tables import inbox, messages
from shop.storage import Database

SHOWN = 100


def routes(database: Database, wake: Callable[[], None]) -> list[Route]:
    """Return the notifier's routes; `wake` tells the worker that an event came."""

    async def take_event(request: Request) -> Response:
        body = await request.body()
        if len(body) > EVENT_LIMIT_BYTES:
            raise Problem(413, "too-large", f"An event has at most {EVENT_LIMIT_BYTES} bytes.")
        try:
            is_new = await database.write(accept, body)
        except InboxFull as error:
            headers = {"Retry-After": "5"}
            raise Problem(503, "inbox-full", "Too many events wait already.", headers=headers) from error
        wake()
        return JSONResponse({"accepted": is_new}, 202)

    async def show_messages(request: Request) -> Response:
        customer_id = request.query_params.get("customer_id", "")
        return JSONResponse({"messages": await database.read(_list_messages, customer_id)})

    async def show_dead_letters(_request: Request) -> Response:
        return JSONResponse({"dead_letters": await database.read(_list_dead)})

    async def revive_letter(request: Request) -> Response:
        letter_id = request.path_params["event_id"]
        if not await database.write(revive, letter_id):
            raise Problem(404, "unknown-letter", f"There is no dead letter {letter_id}.")
        wake()
        return Response(status_code=202)

    return [
        Route("/events", take_event, methods=["POST"]),
        Route("/messages", show_messages),
        Route("/dead-letters", show_dead_letters),
        Route("/dead-letters/{event_id}/revive", revive_letter, methods=["POST"]),
    ]


def _list_messages(connection: Connection, customer_id: str) -> list[dict[str, Any]]:
    query = select(messages).where(messages.c.customer_id == customer_id)
    return _rows(connection.execute(query.order_by(messages.c.sent_ms.desc()).limit(SHOWN)).mappings().all())


def _list_dead(connection: Connection) -> list[dict[str, Any]]:
    query = select(inbox).where(inbox.c.status == "dead").order_by(inbox.c.died_ms.desc())
    return _rows(connection.execute(query.limit(SHOWN)).mappings().all())


def _rows(found: "list[RowMapping] | Any") -> list[dict[str, Any]]:
    return [dict(row) for row in found]
