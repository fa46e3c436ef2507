"""The API of checks as they stand: list, one check, run, pause. Their past has routes in `history`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response

from holdfast.health.checking import TENANT, Checking
from holdfast.health.history import NOTHING, Held
from holdfast.health.permissions import WRITE
from holdfast.health.showing import show_detail, show_run, show_summary
from holdfast.health.verdict import Verdict
from holdfast.health.views import CheckDetail, CheckPage, CheckSummary, RunView
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import NotFoundError

Reader = Annotated[Identity, Depends(requires("health.read"))]
Name = Annotated[str, Path(max_length=100, description="The check's name.")]


@dataclass(frozen=True, slots=True)
class _Wish:
    service: str | None
    verdicts: frozenset[Verdict]
    text: str
    after: str


def routes(checking: Checking) -> APIRouter:
    """Build the router over `checking`."""
    router = APIRouter(tags=["checks"])
    _add_reading(router, checking)
    _add_changing(router, checking)
    return router


def _add_reading(router: APIRouter, checking: Checking) -> None:
    @router.get("/checks", operation_id="listChecks", response_model=CheckPage)
    async def list_checks(
        *,
        identity: Reader,
        service: Annotated[str | None, Query(max_length=500, description="Attached to this service.")] = None,
        verdict: Annotated[list[Verdict] | None, Query(description="Only these verdicts.")] = None,
        q: Annotated[str, Query(max_length=200, description="Part of a name, target, service or label.")] = "",
        after: Annotated[str, Query(max_length=100, description="Only names behind this one.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> Response:
        """List checks by name."""
        if identity.tenant != TENANT:
            return _write(CheckPage([], None))
        wish = _Wish(service, frozenset(verdict or ()), q.lower(), after)
        found = list(islice(_find(checking, wish, await checking.read_uptimes()), limit + 1))
        return _write(CheckPage(found[:limit], found[limit - 1].name if len(found) > limit else None))

    @router.get("/checks/{name}", operation_id="getCheck")
    async def get_check(identity: Reader, name: Name) -> CheckDetail:
        """Show one check: its configuration, phases, facts and what blocks it."""
        return await _detail(checking, name, identity)


def _add_changing(router: APIRouter, checking: Checking) -> None:
    @router.post("/checks/{name}/run", operation_id="runCheck")
    async def run_check(identity: Annotated[Identity, Depends(requires("health.run"))], name: Name) -> RunView:
        """Run a check now, or join the run that goes on, and give its result."""
        own(identity, name)
        return show_run(await checking.engine.check_now(name))

    @router.post("/checks/{name}/pause", operation_id="pauseCheck")
    async def pause_check(identity: Annotated[Identity, Depends(requires("health.write"))], name: Name) -> CheckDetail:
        """Stop a check until it is resumed; it reads `unknown` meanwhile."""
        own(identity, name)
        await checking.engine.pause(name, identity.actor)
        return await _detail(checking, name, identity)

    @router.post("/checks/{name}/resume", operation_id="resumeCheck")
    async def resume_check(identity: Annotated[Identity, Depends(requires("health.write"))], name: Name) -> CheckDetail:
        """Let a paused check go on."""
        own(identity, name)
        await checking.engine.resume(name, identity.actor)
        return await _detail(checking, name, identity)


async def _detail(checking: Checking, name: str, identity: Identity) -> CheckDetail:
    own(identity, name)
    state = checking.engine.state(name)
    key = checking.heartbeats.key(name) if identity.holds(WRITE) else None
    return show_detail(
        state,
        checking.services_of(state.check),
        await checking.uptime_of(name),
        ping_path=f"/api/v1/heartbeats/{key}" if key else None,
    )


def _write(page: CheckPage) -> Response:
    """Write the one answer that may be large: ten times as fast as by way of pydantic."""
    return Response(orjson.dumps(page, option=orjson.OPT_UTC_Z), media_type="application/json")


def _find(checking: Checking, wish: _Wish, uptimes: Mapping[str, Mapping[str, Held]]) -> Iterator[CheckSummary]:
    for state in sorted(checking.engine.states(), key=lambda state: state.check.name):
        name, services = state.check.name, checking.services_of(state.check)
        if name <= wish.after or (wish.verdicts and state.verdict not in wish.verdicts):
            continue
        if wish.service is not None and wish.service not in services:
            continue
        summary = show_summary(state, services, uptimes.get(name, NOTHING))
        if _is_about(summary, wish.text):
            yield summary


def own(identity: Identity, name: str) -> None:
    """Keep tenants apart: the checks of this process belong to one.

    Raises:
        NotFoundError: to another tenant there is no such check.
    """
    if identity.tenant != TENANT:
        raise NotFoundError(f"there is no check {name!r}")


def _is_about(summary: CheckSummary, text: str) -> bool:
    words = (summary.name, summary.target, summary.kind, *summary.services, *summary.labels.values())
    return any(text in word.lower() for word in words)
