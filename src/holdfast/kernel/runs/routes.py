"""The API of runs: lists, one run with its steps and log, and what people may do to it.

The live stream of one run stands in `following`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.runs.bodies import ReasonBody, ReplayBody, ResolveBody, SignalBody, StartBody
from holdfast.kernel.runs.desk import Desk
from holdfast.kernel.runs.documents import (
    LogPage,
    QueryAnswer,
    RunDetail,
    RunList,
    SignalAnswer,
    StartedDocument,
    StepDocument,
    StepList,
    WorkflowList,
)
from holdfast.kernel.runs.lookups import StepWish, Wish
from holdfast.kernel.runs.model import RunState, StepState

Reader = Annotated[Identity, Depends(requires("runs.read"))]
Starter = Annotated[Identity, Depends(requires("runs.start"))]
Responder = Annotated[Identity, Depends(requires("runs.signal"))]
Manager = Annotated[Identity, Depends(requires("runs.manage"))]

RunId = Annotated[str, Path(max_length=100, description="The run's id.")]
Name = Annotated[str, Path(min_length=1, max_length=200)]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Word = Annotated[str | None, Query(max_length=200)]
Seq = Annotated[int, Query(ge=0, le=2**62, description="Only lines behind this one.")]


def _read_subject(
    workflow: Word = None,
    queue: Word = None,
    service: Annotated[str | None, Query(max_length=500)] = None,
    actor: Annotated[str | None, Query(max_length=200, description="Who started it.")] = None,
    schedule: Word = None,
    parent: Annotated[str | None, Query(max_length=100, description="Only children of this run.")] = None,
) -> Wish:
    return Wish(workflow=workflow, queue=queue, service=service, actor=actor, schedule=schedule, parent_id=parent)


def _read_wish(
    subject: Annotated[Wish, Depends(_read_subject)],
    state: Annotated[list[RunState] | None, Query(description="Only these states.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Created at this time or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Created before this time.")] = None,
    q: Annotated[str, Query(max_length=200, description="Part of an id, workflow, key, service or error.")] = "",
) -> Wish:
    return replace(subject, states=tuple(state or ()), since=since, until=until, text=q)


def routes(desk: Desk) -> APIRouter:
    """Build the router over `desk`."""
    router = APIRouter(tags=["runs"])
    _add_lists(router, desk)
    _add_reading(router, desk)
    _add_responding(router, desk)
    _add_managing(router, desk)
    return router


def _add_lists(router: APIRouter, desk: Desk) -> None:
    @router.get("/workflows", operation_id="listWorkflows", dependencies=[Depends(requires("runs.read"))])
    async def list_workflows() -> WorkflowList:
        """List the workflows that can be started here, and what could not be loaded."""
        return desk.list_workflows()

    @router.get("/runs", operation_id="listRuns")
    async def list_runs(
        identity: Reader, wish: Annotated[Wish, Depends(_read_wish)], cursor: Cursor = "", limit: Limit = 50
    ) -> RunList:
        """List runs, newest first."""
        return await desk.list_runs(identity.tenant, wish, cursor, limit)

    @router.post(
        "/runs",
        operation_id="startRun",
        status_code=201,
        responses={200: {"model": StartedDocument, "description": "A run with this key was started before."}},
    )
    async def start_run(identity: Starter, body: StartBody, response: Response) -> StartedDocument:
        """Start a run, or give the one that was started with the same key."""
        started = await desk.start(identity, body)
        response.headers["location"] = f"/api/v1/runs/{started.run.id}"
        if not started.is_new:
            response.status_code = 200
        return started


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/runs/{run_id}", operation_id="getRun")
    async def get_run(identity: Reader, run_id: RunId) -> RunDetail:
        """Show one run: its input and result, what it waits for, who signalled it, what can be done."""
        return await desk.get(identity.tenant, run_id)

    @router.get("/runs/{run_id}/steps", operation_id="listSteps")
    async def list_steps(
        *,
        identity: Reader,
        run_id: RunId,
        parent: Annotated[
            str | None, Query(max_length=500, description="Only the steps inside this one; without it, those in none.")
        ] = None,
        state: Annotated[list[StepState] | None, Query(description="Only these states.")] = None,
        cursor: Cursor = "",
        limit: Limit = 200,
    ) -> StepList:
        """List the steps of a run in the order in which they began; a fan-out has its items behind `parent`."""
        wish = StepWish(parent, tuple(state or ()))
        return await desk.list_steps(identity.tenant, run_id, wish, cursor, limit)

    @router.get("/runs/{run_id}/steps/{key:path}", operation_id="getStep")
    async def get_step(
        identity: Reader, run_id: RunId, key: Annotated[str, Path(max_length=500, description="The step's key.")]
    ) -> StepDocument:
        """Show one step with its result, whole unless it lies in a blob."""
        return await desk.get_step(identity.tenant, run_id, key)

    @router.get("/runs/{run_id}/log", operation_id="readRunLog")
    async def read_log(
        identity: Reader,
        run_id: RunId,
        after: Seq = 0,
        step: Annotated[str | None, Query(max_length=500, description="Only lines of this step.")] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> LogPage:
        """Read what a run and its steps said, oldest first."""
        return await desk.read_log(identity.tenant, run_id, step, after, limit)

    @router.get("/runs/{run_id}/queries/{name}", operation_id="queryRun")
    async def query_run(identity: Reader, run_id: RunId, name: Name) -> QueryAnswer:
        """Ask a run what it tells of itself under this name."""
        return await desk.query(identity.tenant, run_id, name)


def _add_responding(router: APIRouter, desk: Desk) -> None:
    @router.post("/runs/{run_id}/signals/{name}", operation_id="signalRun", status_code=202)
    async def signal_run(identity: Responder, run_id: RunId, name: Name, body: SignalBody) -> SignalAnswer:
        """Tell a run something that it waits for, or will wait for: an approval, an acknowledgement."""
        return await desk.signal(identity, run_id, name, body)

    @router.post("/runs/{run_id}/cancel", operation_id="cancelRun", status_code=202)
    async def cancel_run(identity: Responder, run_id: RunId, body: ReasonBody) -> RunDetail:
        """Ask a run to stop; what it has done is undone where its steps say how."""
        return await desk.cancel(identity, run_id, body)

    @router.post("/runs/{run_id}/retry", operation_id="retryRun", status_code=202)
    async def retry_run(identity: Responder, run_id: RunId) -> RunDetail:
        """Let a failed or cancelled run go on from the step that failed."""
        return await desk.retry(identity, run_id)


def _add_managing(router: APIRouter, desk: Desk) -> None:
    @router.post("/runs/{run_id}/replay", operation_id="replayRun", status_code=202)
    async def replay_run(identity: Manager, run_id: RunId, body: ReplayBody) -> RunDetail:
        """Do an ended run anew from a step on, with the newest code; the steps before it keep their results."""
        return await desk.replay(identity, run_id, body)

    @router.post("/runs/{run_id}/resolve", operation_id="resolveRun", status_code=202)
    async def resolve_run(identity: Manager, run_id: RunId, body: ResolveBody) -> RunDetail:
        """Choose the way out of a stranded run."""
        return await desk.resolve(identity, run_id, body)
