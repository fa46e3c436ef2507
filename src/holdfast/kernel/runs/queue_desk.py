"""Where the API meets queues and schedules, as `desk` is for runs."""

from __future__ import annotations

from holdfast.kernel.auth import Identity
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs.desk import Desk
from holdfast.kernel.runs.documents import StartedDocument
from holdfast.kernel.runs.queue_documents import QueueDocument, QueueList, ScheduleDocument, ScheduleList
from holdfast.kernel.runs.queues import QueueBoard, QueueView
from holdfast.kernel.runs.schedules import ScheduleBook, ScheduleView


class QueueDesk:
    """Answers about what waits, and what starts by the clock."""

    def __init__(self, board: QueueBoard, book: ScheduleBook, desk: Desk) -> None:
        self._board = board
        self._book = book
        self._desk = desk

    async def list_queues(self) -> QueueList:
        """Give all queues by name."""
        return QueueList([show_queue(view) for view in await self._board.views()], None)

    async def pause_queue(self, identity: Identity, name: str) -> QueueDocument:
        """Start nothing from a queue."""
        await self._board.pause(name, actor=identity.actor)
        return await self._get_queue(name)

    async def resume_queue(self, identity: Identity, name: str) -> QueueDocument:
        """Open a queue."""
        await self._board.resume(name, actor=identity.actor)
        return await self._get_queue(name)

    async def drain_queue(self, identity: Identity, name: str) -> QueueDocument:
        """Take nothing new into a queue."""
        await self._board.drain(name, actor=identity.actor)
        return await self._get_queue(name)

    async def list_schedules(self, tenant: TenantId) -> ScheduleList:
        """Give the tenant's schedules by name."""
        return ScheduleList([show_schedule(view) for view in await self._book.views(tenant)], None)

    async def pause_schedule(self, identity: Identity, name: str) -> ScheduleDocument:
        """Start nothing by a schedule."""
        await self._book.pause(name, actor=identity.actor, tenant=identity.tenant)
        return await self._get_schedule(identity.tenant, name)

    async def resume_schedule(self, identity: Identity, name: str) -> ScheduleDocument:
        """Let a schedule go on."""
        await self._book.resume(name, actor=identity.actor, tenant=identity.tenant)
        return await self._get_schedule(identity.tenant, name)

    async def start_schedule(self, identity: Identity, name: str) -> StartedDocument:
        """Start a schedule's workflow out of turn."""
        run_id = await self._book.start_now(name, actor=identity.actor, tenant=identity.tenant)
        return await self._desk.show_started(identity.tenant, run_id, is_new=True)

    async def _get_queue(self, name: str) -> QueueDocument:
        for view in await self._board.views():
            if view.name == name:
                return show_queue(view)
        raise NotFoundError(f"there is no queue {name!r}")

    async def _get_schedule(self, tenant: TenantId, name: str) -> ScheduleDocument:
        for view in await self._book.views(tenant):
            if view.standing.name == name:
                return show_schedule(view)
        raise NotFoundError(f"there is no schedule {name!r}")


def show_queue(view: QueueView) -> QueueDocument:
    """Give a queue as the API shows it."""
    queue, ruling = view.queue, view.ruling
    return QueueDocument(
        name=view.name,
        state=ruling.state,
        changed_by=ruling.changed_by or None,
        changed_at=ruling.changed_at,
        concurrency=queue.concurrency if queue else None,
        per_worker=queue.per_worker if queue else None,
        per_key=queue.per_key if queue else None,
        rate=queue.rate if queue else None,
        is_known=queue is not None,
        queued=view.queued,
        delayed=view.delayed,
        running=view.running,
        oldest_wait_s=view.oldest_wait_s,
    )


def show_schedule(view: ScheduleView) -> ScheduleDocument:
    """Give a schedule as the API shows it."""
    standing = view.standing
    said = standing.definition
    return ScheduleDocument(
        name=standing.name,
        workflow=standing.workflow,
        kind=said["kind"],
        rule=said["rule"],
        zone=said["zone"] if said["kind"] != "interval" else None,
        catch_up=said["catch_up"],
        overlap=said["overlap"],
        jitter_s=said["jitter_s"],
        is_paused=standing.is_paused,
        changed_by=standing.changed_by,
        changed_at=standing.changed_at,
        next_at=None if standing.is_paused else standing.next_at,
        upcoming=list(view.upcoming),
        last_at=standing.last_due,
        last_run_id=standing.last_run_id,
        last_outcome=standing.outcome,
        is_known=view.is_known,
    )
