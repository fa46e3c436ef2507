"""`/loki/api/v1/tail`: the WebSocket of Loki's API; whatever is wrong is told in words before it opens.

Source: Grafana Loki's HTTP API, "Stream logs".
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response, WebSocket

from holdfast.kernel.auth import Identity, asks, requires
from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.telemetry.logs.api.envelope import failure
from holdfast.telemetry.logs.api.parameters import HOUR_NS, read_limit, read_time
from holdfast.telemetry.logs.api.results import CATEGORIZE, ENCODING_HEADER
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.tailing.conversation import Conversation
from holdfast.telemetry.logs.tailing.following import TailQuestion
from holdfast.telemetry.metrics.api import Parameters

if TYPE_CHECKING:
    from holdfast.telemetry.logs.tailing.tails import Tails

_ask = asks("logs.read")
_LONGEST_DELAY_S: Final = 5
_ENCODING: Final = "encoding"  # as the header, for pages, which cannot give a WebSocket headers

Reader = Annotated[Identity, Depends(requires("logs.read"))]
Asking = Annotated[Identity | HoldfastError, Depends(_ask)]


@dataclass(frozen=True, slots=True)
class TailRoutes:
    """The handler, over the tails; a `Part` of Loki's surface."""

    tails: Tails

    def add_to(self, router: APIRouter) -> None:
        """Put it on the router."""
        router.add_api_websocket_route("/tail", self.tail, name="tail")
        router.add_api_route("/tail", self.refuse, methods=["GET"])

    async def refuse(self, request: Request, identity: Reader) -> Response:
        """Say to who is no WebSocket why it would not open, for browsers tell that to no page; else what to do."""
        given = await Parameters.of(request)
        with self.tails.open(identity.tenant, read_question(given)):
            words = "this is a WebSocket: send Connection: Upgrade and Upgrade: websocket\n"
            return Response(words, 426, {"Upgrade": "websocket", "Connection": "Upgrade"}, media_type="text/plain")

    async def tail(self, socket: WebSocket, asking: Asking) -> None:
        """Follow a query for lines."""
        try:
            if isinstance(asking, HoldfastError):
                raise asking
            given = Parameters(list(socket.query_params.multi_items()))
            asked = read_question(given)
            with self.tails.open(asking.tenant, asked) as tail:
                await socket.accept()
                talk = Conversation(socket, tail, self.tails, partial(_ask, socket))
                flags = (socket.headers.get(ENCODING_HEADER, ""), given.text(_ENCODING))
                await talk.run(is_categorized=any(CATEGORIZE in flag for flag in flags))
        except HoldfastError as error:
            await socket.send_denial_response(failure(error))


def read_question(given: Parameters) -> TailQuestion:
    """Give what is to be followed.

    Raises:
        InvalidError: a parameter is not what it should be, or the query is not for lines.
    """
    expr = parse(given.text("query"))
    if not isinstance(expr, LogSelector):
        raise InvalidError("only log queries can be followed, not metric queries", hint="leave out the aggregation")
    delay_s = given.count("delay_for")
    if delay_s > _LONGEST_DELAY_S:
        raise InvalidError(f"delay_for can't be greater than {_LONGEST_DELAY_S}")
    start_ns = read_time(given, "start", time.time_ns() - HOUR_NS)
    return TailQuestion(expr, start_ns, read_limit(given), float(delay_s))
