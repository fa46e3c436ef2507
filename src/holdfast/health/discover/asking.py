"""Finds out what is behind a port by asking it, most likely question first. It sends nothing that changes anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from holdfast.health.discover import webs
from holdfast.health.discover.listening import Listener
from holdfast.health.discover.protocols import QUESTIONS, Recognised, recognise_greeting
from holdfast.health.discover.wire import Line
from holdfast.resilience import bulkhead

_AT_ONCE: Final = 16
_GREETING_S: Final = 0.4
_BY_PORT: Final = {
    5432: "postgres",
    6379: "redis",
    5672: "amqp",
    1883: "mqtt",
    11211: "memcached",
    9092: "kafka",
    50051: "grpc",
}
_BY_PROCESS: Final = {
    "postgres": "postgres",
    "redis-server": "redis",
    "valkey-server": "redis",
    "beam.smp": "amqp",
    "mosquitto": "mqtt",
    "memcached": "memcached",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A listener and what it is; `what` is None where nothing we know answered."""

    listener: Listener
    what: Recognised | None


async def look_at(listeners: Sequence[Listener], patience_s: float = 1.0) -> list[Found]:
    """Ask every listener, several at once; in the order given."""
    slots = bulkhead(_AT_ONCE, queue=len(listeners))

    async def look(listener: Listener) -> Found:
        return Found(listener, await slots.call(recognise, Line(listener, patience_s)))

    return list(await asyncio.gather(*(look(listener) for listener in listeners)))


async def recognise(line: Line) -> Recognised | None:
    """Ask one listener; None when it answers nothing that we know."""
    guess = _BY_PROCESS.get(line.listener.process) or _BY_PORT.get(line.listener.port)
    if guess is not None and (what := await _put(line, guess)):
        return what
    greeting = await line.ask(b"", patience_s=_GREETING_S)
    if greeting:
        return recognise_greeting(greeting) or Recognised("tcp")
    for protocol in QUESTIONS:
        if protocol != guess and (what := await _put(line, protocol)):
            return what
    return await _recognise_tls(line)


async def _put(line: Line, protocol: str) -> Recognised | None:
    question = QUESTIONS[protocol]
    what = question.read(await line.ask(question.send))
    return await webs.refine(line, what) if what is not None and what.protocol == "http" else what


async def _recognise_tls(line: Line) -> Recognised | None:
    inside = replace(line, is_tls=True)
    if not line.is_tls and (what := await _put(inside, "http")):
        return replace(what, is_tls=True)
    return None
