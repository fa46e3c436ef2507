"""The API of queues and schedules: what waits, what starts by the clock, and the levers to stop it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.runs.documents import StartedDocument
from holdfast.kernel.runs.queue_desk import QueueDesk
from holdfast.kernel.runs.queue_documents import QueueDocument, QueueList, ScheduleDocument, ScheduleList

Reader = Annotated[Identity, Depends(requires("runs.read"))]
Starter = Annotated[Identity, Depends(requires("runs.start"))]
Manager = Annotated[Identity, Depends(requires("runs.manage"))]
Name = Annotated[str, Path(min_length=1, max_length=200)]


def routes(desk: QueueDesk) -> APIRouter:
    """Build the router over `desk`."""
    router = APIRouter(tags=["runs"])

    _add_queues(router, desk)
    _add_schedules(router, desk)
    return router


def _add_queues(router: APIRouter, desk: QueueDesk) -> None:
    @router.get("/queues", operation_id="listQueues", dependencies=[Depends(requires("runs.read"))])
    async def list_queues() -> QueueList:
        """List the queues: their limits, what waits and how long."""
        return await desk.list_queues()

    @router.post("/queues/{name}/pause", operation_id="pauseQueue")
    async def pause_queue(identity: Manager, name: Name) -> QueueDocument:
        """Start nothing from this queue until it is resumed; what runs goes on."""
        return await desk.pause_queue(identity, name)

    @router.post("/queues/{name}/resume", operation_id="resumeQueue")
    async def resume_queue(identity: Manager, name: Name) -> QueueDocument:
        """Open a paused or draining queue again."""
        return await desk.resume_queue(identity, name)

    @router.post("/queues/{name}/drain", operation_id="drainQueue")
    async def drain_queue(identity: Manager, name: Name) -> QueueDocument:
        """Take no new runs into this queue, and finish those that are in it."""
        return await desk.drain_queue(identity, name)


def _add_schedules(router: APIRouter, desk: QueueDesk) -> None:
    @router.get("/schedules", operation_id="listSchedules")
    async def list_schedules(identity: Reader) -> ScheduleList:
        """List the schedules: when each starts what next, and how its last run went."""
        return await desk.list_schedules(identity.tenant)

    @router.post("/schedules/{name}/pause", operation_id="pauseSchedule")
    async def pause_schedule(identity: Manager, name: Name) -> ScheduleDocument:
        """Start nothing by this schedule until it is resumed."""
        return await desk.pause_schedule(identity, name)

    @router.post("/schedules/{name}/resume", operation_id="resumeSchedule")
    async def resume_schedule(identity: Manager, name: Name) -> ScheduleDocument:
        """Let a paused schedule go on with its next time."""
        return await desk.resume_schedule(identity, name)

    @router.post("/schedules/{name}/start", operation_id="startSchedule", status_code=201)
    async def start_schedule(identity: Starter, name: Name) -> StartedDocument:
        """Start the schedule's workflow now, out of turn."""
        return await desk.start_schedule(identity, name)
