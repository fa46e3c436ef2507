"""The ledger over SQL: each call is one transaction of state and events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from holdfast.health.checks import Once, Period, Selector, Window
from holdfast.health.engine.ledger import Memory
from holdfast.health.engine.watches import Pause, Saved
from holdfast.health.tables import CHECK_STATES, MAINTENANCE_OPEN, MAINTENANCE_WINDOWS
from holdfast.health.verdict import Verdict
from holdfast.kernel.events import EventLog, NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.sql import Database


class SqlLedger:
    """Keeps state in the control plane's database."""

    def __init__(self, db: Database, log: EventLog, tenant: TenantId = DEFAULT_TENANT) -> None:
        self._db = db
        self._log = log
        self._tenant = tenant

    async def recall(self) -> Memory:
        """Give what was kept; planned windows that are over stay out."""
        return await self._db.read(self._recall)

    def _recall(self, tx: Connection) -> Memory:
        states = tx.execute(select(CHECK_STATES).where(CHECK_STATES.c.tenant == self._tenant))
        is_open = tx.execute(select(MAINTENANCE_OPEN.c.id).where(MAINTENANCE_OPEN.c.tenant == self._tenant))
        windows = tx.execute(select(MAINTENANCE_WINDOWS).where(MAINTENANCE_WINDOWS.c.tenant == self._tenant))
        return Memory(
            {row.name: _to_saved(row) for row in states},
            frozenset(is_open.scalars()),
            tuple(_to_window(row) for row in windows),
        )

    async def save_state(self, check: str, saved: Saved, events: tuple[NewEvent, ...]) -> None:
        """Keep the state of one check."""
        row = {
            "tenant": self._tenant,
            "name": check,
            "verdict": saved.verdict.value,
            "since": saved.since,
            "message": saved.message,
            "is_flapping": saved.is_flapping,
            "blocked_by": saved.blocked_by,
            "paused_by": saved.pause.by if saved.pause else None,
            "paused_at": saved.pause.at if saved.pause else None,
        }

        def work(tx: Connection) -> None:
            tx.execute(delete(CHECK_STATES).where(CHECK_STATES.c.tenant == self._tenant, CHECK_STATES.c.name == check))
            tx.execute(insert(CHECK_STATES).values(row))
            self._log.append(tx, *events)

        await self._db.write(work)

    async def save_turn(
        self, opened: Mapping[str, datetime], closed: tuple[str, ...], events: tuple[NewEvent, ...]
    ) -> None:
        """Keep which windows are open now."""
        table = MAINTENANCE_OPEN

        def work(tx: Connection) -> None:
            tx.execute(delete(table).where(table.c.tenant == self._tenant, table.c.id.in_([*closed, *opened])))
            rows = [{"tenant": self._tenant, "id": key, "opened_at": at} for key, at in opened.items()]
            if rows:
                tx.execute(insert(table), rows)
            self._log.append(tx, *events)

        await self._db.write(work)

    async def add_window(self, window: Window, events: tuple[NewEvent, ...]) -> None:
        """Keep a window that a person made; it happens once."""
        assert isinstance(window.when, Once)
        selector = window.selector
        row = {
            "tenant": self._tenant,
            "id": window.id,
            "name": window.name,
            "selector": {
                "checks": list(selector.checks),
                "services": list(selector.services),
                "labels": dict(selector.labels),
            },
            "starts_at": window.when.period.start,
            "ends_at": window.when.period.end,
            "reason": window.reason,
        }

        def work(tx: Connection) -> None:
            tx.execute(insert(MAINTENANCE_WINDOWS).values(row))
            self._log.append(tx, *events)

        await self._db.write(work)

    async def remove_window(self, window_id: str, events: tuple[NewEvent, ...]) -> None:
        """Forget a window that a person made."""
        table = MAINTENANCE_WINDOWS

        def work(tx: Connection) -> None:
            tx.execute(delete(table).where(table.c.tenant == self._tenant, table.c.id == window_id))
            self._log.append(tx, *events)

        await self._db.write(work)


def _to_saved(row: Any) -> Saved:
    return Saved(
        Verdict(row.verdict),
        row.since,
        row.message,
        row.is_flapping,
        row.blocked_by,
        Pause(row.paused_by, row.paused_at) if row.paused_by else None,
    )


def _to_window(row: Any) -> Window:
    chosen = row.selector
    selector = Selector(tuple(chosen["checks"]), tuple(chosen["services"]), chosen["labels"])
    return Window(row.id, row.name, selector, Once(Period(row.starts_at, row.ends_at)), row.reason)
