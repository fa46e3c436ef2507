"""What people do to runs, the steering half of the engine: signal, cancel, retry, replay, resolve what is stranded.

The transactions stand in `steering`; here is who hears of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConflictError, NotFoundError
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs import payloads, steering
from holdfast.kernel.runs.handles import Endings
from holdfast.kernel.runs.model import RunId, RunState, WayOut
from holdfast.kernel.runs.residents import Residents
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.signals import refuse_unfit
from holdfast.kernel.runs.views import Views
from holdfast.kernel.runs.worker import Worker
from holdfast.kernel.runs.workflows import Registry
from holdfast.kernel.sql import after_commit

_SIGNAL_RECEIVED: Final = "run.signal_received"


class Controls(Views):
    """The steering half of `Runs`, which sets the attributes."""

    settings: RunsSettings
    registry: Registry
    residents: Residents
    _events: EventLog
    _clock: Clock
    _endings: Endings
    _worker: Worker

    async def signal(
        self,
        run_id: str,
        name: str,
        payload: Any = None,
        *,
        actor: str = "system",
        key: str | None = None,
        tenant: TenantId | None = None,
    ) -> bool:
        """Send a signal; it waits for the run if the run does not wait for it yet. False when `key` was sent before.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: the run has ended.
            InvalidError: the payload is not JSON, or not what the waiting run takes.
        """
        text = payloads.encode(payload, what=f"signal {name!r}", limit_bytes=self.settings.payload_limit)
        run = self.residents.get(RunId(run_id))
        for wait in run.waits.values() if run is not None else ():
            if wait.kind == "signal" and wait.name == name:
                payloads.decode(text, wait.kind_of_payload or Any, what=f"signal {name!r}")

        def work(tx: Connection) -> bool:
            row = steering.lock(tx, run_id, tenant)
            is_new = steering.send_signal(tx, row, name, text, actor=actor, key=key, now=self._clock.now())
            if is_new:
                refuse_unfit(self.registry, row, name, text)
                self._events.append(tx, _about(row, _SIGNAL_RECEIVED, {"signal": name}, actor))
            after_commit(tx, functools.partial(self._worker.hear_soon, RunId(run_id)))
            return is_new

        return await self._db.write(work)

    async def cancel(
        self, run_id: str, *, actor: str = "system", reason: str = "", tenant: TenantId | None = None
    ) -> RunState:
        """Have a run cancelled: its code ends, then its compensations run. Gives its state now.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has ended.
        """

        def work(tx: Connection) -> tuple[RunState, list[RunId]]:
            row = steering.lock(tx, run_id, tenant)
            now = self._clock.now()
            if row.state == RunState.STRANDED:
                steering.undo_stranded(tx, row, self._code(row), actor, now)
                return RunState.QUEUED, []
            state = steering.request_cancel(tx, row, actor, reason, now)
            children = steering.cancel_children(tx, run_id, actor, now)
            self._events.append(tx, _about(row, "run.cancel_requested", {"reason": reason[:1000]}, actor))
            return state, children

        state, children = await self._db.write(work)
        for child in (RunId(run_id), *children):
            self._worker.hear(child)
        self._worker.look_soon()
        return state

    async def retry(self, run_id: str, *, actor: str = "system", tenant: TenantId | None = None) -> None:
        """Have a failed or cancelled run go on from the step that failed.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has not failed.
        """
        await self._steer(run_id, tenant, actor, "run.retried", {}, steering.retry)

    async def replay(
        self, run_id: str, *, from_step: str | None = None, actor: str = "system", tenant: TenantId | None = None
    ) -> None:
        """Have an ended or stranded run go on from a step, on the newest code, with new idempotency keys.

        Raises:
            NotFoundError: there is no such run or step.
            ConflictError: the run is still under way.
        """

        def change(tx: Connection, row: Any, code: steering.Code, now: Any) -> None:
            steering.replay(tx, row, code, from_step, now)

        await self._steer(run_id, tenant, actor, "run.replayed", {"from_step": from_step}, change)

    async def resolve_stranded(
        self,
        run_id: str,
        way: WayOut,
        *,
        from_step: str | None = None,
        actor: str = "system",
        tenant: TenantId | None = None,
    ) -> None:
        """Lead a stranded run out: on its old code, by replaying on the new one, or by cancelling it.

        Raises:
            NotFoundError: there is no such run or step.
            ConflictError: it is not stranded, or its old code is not registered here.
        """
        view = await self.get(run_id, tenant=tenant)
        if view.state is not RunState.STRANDED:
            raise ConflictError(f"run {run_id} is {view.state}, not stranded")
        if way == "cancel":
            await self.cancel(run_id, actor=actor, reason="it was stranded", tenant=tenant)
        elif way == "replay":
            await self.replay(run_id, from_step=from_step, actor=actor, tenant=tenant)
        else:
            await self._steer(run_id, tenant, actor, "run.resumed", {}, self._finish_old)

    def _finish_old(self, tx: Connection, row: Any, _code: steering.Code, _now: Any) -> None:
        found = self.registry.find(row.workflow, row.version)
        if found is None or found.fingerprint != row.fingerprint:
            raise ConflictError(
                f"the code that the run began with, version {row.version} of {row.workflow!r}, is not registered here",
                hint="register the old function under its old version beside the new one, or replay the run",
            )
        steering.finish_old(tx, row)

    async def _steer(
        self,
        run_id: str,
        tenant: TenantId | None,
        actor: str,
        kind: str,
        data: dict[str, Any],
        change: Callable[[Connection, Any, steering.Code, Any], None],
    ) -> None:
        def work(tx: Connection) -> None:
            row = steering.lock(tx, run_id, tenant)
            change(tx, row, self._code(row), self._clock.now())
            self._events.append(tx, _about(row, kind, data, actor))

        await self._db.write(work)
        self._endings.forget(RunId(run_id))
        self._worker.look_soon()

    def _code(self, row: Any) -> steering.Code:
        try:
            newest = self.registry.newest(row.workflow)
        except NotFoundError:
            return steering.Code(row.version, row.fingerprint)
        return steering.Code(newest.version, newest.fingerprint)


def _about(row: Any, kind: str, data: dict[str, Any], actor: str) -> NewEvent:
    return NewEvent(
        kind,
        f"run/{row.id}",
        {"workflow": row.workflow} | data,
        service=ServiceId(row.service) if row.service else None,
        actor=actor,
        tenant=TenantId(row.tenant),
        correlation_id=row.id,
    )
