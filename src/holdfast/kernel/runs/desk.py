"""Where the API meets the engine: asks it for a tenant, and shows what it says as documents.

Refuses to decide anything about runs: the engine does, and raises what the API answers.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from holdfast.kernel.auth import Identity
from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs import lookups
from holdfast.kernel.runs.bodies import ReasonBody, ReplayBody, ResolveBody, SignalBody, StartBody
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
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.lookups import StepWish, Wish
from holdfast.kernel.runs.model import RunId, StartOptions, StepKind
from holdfast.kernel.runs.offering import Offering
from holdfast.kernel.runs.showing import show_detail, show_line, show_step, show_summary, show_workflow
from holdfast.kernel.runs.workflows import Workflow
from holdfast.kernel.sql import Database

T = TypeVar("T")
_CURSOR: Final = re.compile(r"(\d{1,9}):(.{0,500})", re.DOTALL)


class Desk:
    """Answers about the runs of one engine."""

    def __init__(self, runs: Runs, db: Database, offering: Offering) -> None:
        self._runs = runs
        self._db = db
        self._offering = offering

    def list_workflows(self) -> WorkflowList:
        """Give all workflows by name, and what could not be loaded."""
        versions: dict[str, list[tuple[Workflow[Any, Any], str]]] = {}
        for workflow, place in self._offering.workflows:
            versions.setdefault(workflow.name, []).append((workflow, place))
        items = [show_workflow(versions[name]) for name in sorted(versions)]
        return WorkflowList(items, list(self._offering.faults), None)

    async def list_runs(self, tenant: TenantId, wish: Wish, cursor: str, limit: int) -> RunList:
        """Give a page of runs, and on the first one how many there are by state."""
        found = await self._db.read(
            partial(lookups.find_runs, tenant=tenant, wish=wish, before=cursor, limit=limit + 1)
        )
        counts = {} if cursor else await self._db.read(partial(lookups.count_runs, tenant=tenant, wish=wish))
        under_way = [row.id for row in found[:limit] if row.started_at and not row.finished_at]
        progress = await self._db.read(partial(lookups.find_progress, run_ids=under_way)) if under_way else {}
        items = [show_summary(row, progress.get(row.id)) for row in found[:limit]]
        return RunList(items, items[-1].id if len(found) > limit else None, counts)

    async def get(self, tenant: TenantId, run_id: str) -> RunDetail:
        """Give a run on its own page."""
        rows = await self._db.read(partial(lookups.read_run, tenant=tenant, run_id=run_id))
        return show_detail(_demand(rows, run_id))

    async def list_steps(self, tenant: TenantId, run_id: str, wish: StepWish, cursor: str, limit: int) -> StepList:
        """Give a page of steps."""
        run = await self._demand_run(tenant, run_id)
        after = _read_cursor(cursor)
        steps = await self._db.read(partial(lookups.find_steps, run_id=run_id, wish=wish, after=after, limit=limit + 1))
        page = steps[:limit]
        following = f"{page[-1].position}:{page[-1].key}" if len(steps) > limit else None
        return StepList(await self._show_steps(run, page), following)

    async def get_step(self, tenant: TenantId, run_id: str, key: str) -> StepDocument:
        """Give one step with its whole result."""
        run = await self._demand_run(tenant, run_id)
        step = await self._db.read(partial(lookups.find_step, run_id=run_id, key=key))
        if step is None:
            raise NotFoundError(f"run {run_id} has no step {key!r}")
        return (await self._show_steps(run, [step]))[0]

    async def read_log(self, tenant: TenantId, run_id: str, step: str | None, after: int, limit: int) -> LogPage:
        """Give a page of what a run said."""
        await self._demand_run(tenant, run_id)
        found = await self._db.read(partial(lookups.find_lines, run_id=run_id, step=step, after=after, limit=limit + 1))
        items = [show_line(row) for row in found[:limit]]
        return LogPage(items, items[-1].seq if len(found) > limit else None)

    async def query(self, tenant: TenantId, run_id: str, name: str) -> QueryAnswer:
        """Ask a run."""
        value = await self._runs.query(run_id, name, tenant=tenant)
        return QueryAnswer(name, value, is_live=self._runs.residents.get(RunId(run_id)) is not None)

    async def start(self, identity: Identity, body: StartBody) -> StartedDocument:
        """Start a run, or find the one that has the key."""
        options = StartOptions(
            key=body.key,
            queue=body.queue,
            priority=body.priority,
            concurrency_key=body.concurrency_key,
            delay_s=body.delay_s or 0.0,
            deadline=body.deadline_at,
            is_dry_run=body.dry_run,
            tenant=identity.tenant,
            actor=identity.actor,
            service=ServiceId(body.service) if body.service else None,
        )
        handle = await self._runs.start(self._find_workflow(body), body.input, options)
        return await self.show_started(identity.tenant, handle.id, is_new=handle.is_new)

    async def show_started(self, tenant: TenantId, run_id: str, *, is_new: bool) -> StartedDocument:
        """Give a run that was just asked for."""
        return StartedDocument(show_summary(await self._demand_run(tenant, run_id)), is_new)

    async def signal(self, identity: Identity, run_id: str, name: str, body: SignalBody) -> SignalAnswer:
        """Tell a run something."""
        key, tenant = body.key, identity.tenant
        is_new = await self._runs.signal(run_id, name, body.payload, actor=identity.actor, key=key, tenant=tenant)
        return SignalAnswer(name, key, is_new)

    async def cancel(self, identity: Identity, run_id: str, body: ReasonBody) -> RunDetail:
        """Ask a run to stop."""
        await self._runs.cancel(run_id, actor=identity.actor, reason=body.reason, tenant=identity.tenant)
        return await self.get(identity.tenant, run_id)

    async def retry(self, identity: Identity, run_id: str) -> RunDetail:
        """Let a failed run go on."""
        await self._runs.retry(run_id, actor=identity.actor, tenant=identity.tenant)
        return await self.get(identity.tenant, run_id)

    async def replay(self, identity: Identity, run_id: str, body: ReplayBody) -> RunDetail:
        """Do a run anew from a step on."""
        actor, tenant = identity.actor, identity.tenant
        await self._runs.replay(run_id, from_step=body.from_step, actor=actor, tenant=tenant)
        return await self.get(tenant, run_id)

    async def resolve(self, identity: Identity, run_id: str, body: ResolveBody) -> RunDetail:
        """Lead a stranded run out."""
        actor, tenant = identity.actor, identity.tenant
        await self._runs.resolve_stranded(run_id, body.way, from_step=body.from_step, actor=actor, tenant=tenant)
        return await self.get(tenant, run_id)

    def _find_workflow(self, body: StartBody) -> Workflow[Any, Any]:
        registry = self._runs.registry
        newest = registry.newest(body.workflow)
        if body.version is None:
            return newest
        found = registry.find(body.workflow, body.version)
        if found is None:
            hint = f"the newest is {newest.version}"
            raise NotFoundError(f"there is no version {body.version} of workflow {body.workflow!r}", hint=hint)
        return found

    async def _demand_run(self, tenant: TenantId, run_id: str) -> Row[Any]:
        return _demand(await self._db.read(partial(lookups.find_run, tenant=tenant, run_id=run_id)), run_id)

    async def _show_steps(self, run: Row[Any], steps: Any) -> list[StepDocument]:
        tried = [step.key for step in steps if step.attempts > 1 or step.attempt_group > 1]
        maps = [step.key for step in steps if step.kind == StepKind.MAP]
        attempts = await self._db.read(partial(lookups.find_attempts, run_id=run.id, keys=tried))
        items = await self._db.read(partial(lookups.count_items, run_id=run.id, keys=maps))
        return [
            show_step(step, attempts.get(step.key, ()), items.get(step.key), is_dry_run=run.is_dry_run)
            for step in steps
        ]


def _demand(found: T | None, run_id: str) -> T:
    if found is None:
        raise NotFoundError(f"there is no run {run_id!r}")
    return found


def _read_cursor(cursor: str) -> tuple[int, str]:
    if not cursor:
        return -1, ""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidError(f"{cursor!r} is not the `next` of a page of steps")
    return int(match[1]), match[2]
