"""Goes through one request of each kind before the first one comes: code that runs for the first time takes 20 ms more.

Whoever is asked for is nobody: these requests go by no network, have a gate of their own, and are counted and noted
nowhere. A rehearsal is short, and one that fails is told and forgotten.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from fastapi.routing import iter_route_contexts

from holdfast import journal
from holdfast.kernel.auth import ANONYMOUS, Identity
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.resilience import timeout

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from fastapi import APIRouter

    from holdfast.kernel.clock import Clock

LONGEST_S: Final = 0.3
_STEP_S: Final = 60
_STEPS: Final = 10
_RANGES: Final = (
    "sum by (job) (rate({name}[5m]))",
    "rate({name}[5m])",
    "max_over_time({name}[10m])",
    "quantile(0.9, rate({name}[5m]))",
    "{name}",
    "count({name})",
    "histogram_quantile(0.9, sum by (le) (rate({name}[5m])))",
)
_INSTANTS: Final = ("sum(rate({name}[5m]))", "{name}", "topk(5, {name})", "{name} / on(instance) group_left {name}")

log = journal.get_logger("holdfast.queries")


class Example(NamedTuple):
    """A metric with some series, and when it surely had samples."""

    name: str
    at_ms: int


class _Usher:
    """Lets the rehearsal in."""

    async def admit(self, request: Request, permission: str) -> Identity:  # noqa: ARG002 -- a gate's signature
        return dataclasses.replace(ANONYMOUS, tenant=DEFAULT_TENANT)


class Rehearsal:
    """Asks a router of its own, over services that count and note nothing."""

    def __init__(self, router: APIRouter, clock: Clock, find: Callable[[], Example | None]) -> None:
        """Prepare.

        Args:
            router: whose routes are asked; they all have lanes.
            clock: the time, where there are no samples.
            find: gives what there is to ask about.
        """
        self._lanes = {context.path: context.original_route for context in iter_route_contexts(router.routes)}
        self._clock = clock
        self._find = find

    async def run(self) -> None:
        """Ask, for `LONGEST_S` at most; never raises but a cancellation."""
        try:
            with suppress(TimeoutError):
                async with timeout(LONGEST_S, name="rehearsal"):
                    await self._ask_all()
        except Exception as error:  # noqa: BLE001 -- the fence of a job: nobody asked for this, so nothing may fail by it
            log.warning("queries.rehearsal_failed", error=str(error))

    async def _ask_all(self) -> None:
        example = self._find() or Example("", int(self._clock.now().timestamp() * 1000))
        for path, params in _requests(example):
            await self._ask(path, params)

    async def _ask(self, path: str, params: Sequence[tuple[str, Any]]) -> None:
        route: Any = self._lanes[path]
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": urlencode(params).encode(),
            "headers": [(b"accept-encoding", b"gzip")],
            "path_params": {"name": "instance"} if "{name}" in path else {},
            "app": SimpleNamespace(state=SimpleNamespace(gate=_Usher())),
        }
        response = await route.lane(Request(scope, _nothing))
        await response(scope, _nothing, _forget)


def _requests(example: Example) -> Iterator[tuple[str, Sequence[tuple[str, Any]]]]:
    prefix, now_s = "/prometheus/api/v1", example.at_ms // 1000
    yield f"{prefix}/query", [("query", "vector(1) + 1")]
    span = [("start", now_s - _STEP_S * _STEPS), ("end", now_s)]
    yield f"{prefix}/labels", span
    yield f"{prefix}/label/{{name}}/values", span
    if not example.name:
        return
    selector = f"{{__name__={json.dumps(example.name)}}}"
    yield f"{prefix}/series", [*span, ("match[]", selector), ("limit", 10)]
    for query in _INSTANTS:
        yield f"{prefix}/query", [("query", query.replace("{name}", selector)), ("time", now_s)]
    for query in _RANGES:
        yield f"{prefix}/query_range", [*span, ("step", _STEP_S), ("query", query.replace("{name}", selector))]


async def _nothing() -> MutableMapping[str, Any]:
    """Wait, as a client does that stays for its answer."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable: nobody sets it")


async def _forget(message: MutableMapping[str, Any]) -> None:
    """Take what would go to a client."""
