"""Signals: kept from the moment they are sent, each taken by one wait, in the order in which they came.

A signal that was committed before its wait timed out wins over the timeout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.awaited import signal_types
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.facts import Wait
from holdfast.kernel.runs.model import RunId, StepKind
from holdfast.kernel.runs.records import Taking
from holdfast.kernel.runs.tables import RUN_SIGNALS
from holdfast.kernel.runs.workflows import Registry
from holdfast.kernel.sql import Database

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal as a wait sees it."""

    id: str
    name: str
    payload: str | None
    actor: str


class Signals:
    """Brings signals to the runs that are in this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._given: dict[RunId, set[str]] = {}

    def forget(self, run_id: RunId) -> None:
        """The run has left this process."""
        self._given.pop(run_id, None)

    async def take_last(self, run: Execution, wait: Wait) -> Signal | None:
        """Look once more before a wait times out; give the signal that came in time."""
        for signal in await self._read(run.facts.id):
            if signal.name == wait.name and self._claim(run, signal, wait):
                return signal
        return None

    async def deliver(self, run: Execution) -> None:
        """Give each open wait of the run the oldest signal of its name."""
        for signal in await self._read(run.facts.id):
            for wait in list(run.waits.values()):
                is_open = wait.kind is StepKind.SIGNAL and wait.name == signal.name and not wait.answer.done()
                if is_open and self._claim(run, signal, wait):
                    wait.answer.set_result(signal)
                    break

    def _claim(self, run: Execution, signal: Signal, wait: Wait) -> bool:
        given = self._given.setdefault(run.facts.id, set())
        if signal.id in given or run.leaving is not None:
            return False
        given.add(signal.id)
        try:
            payloads.decode(signal.payload, wait.kind_of_payload or Any, what=f"signal {signal.name!r}")
        except InvalidError as error:
            run.write(taking=Taking(signal.id, wait.key, str(error)[:2000]))
            run.write_line(wait.key, "log", f"signal {signal.name!r} refused: {error}", {"actor": signal.actor})
            return False
        return True

    async def _read(self, run_id: RunId) -> list[Signal]:
        return await self._db.read(lambda tx: _untaken(tx, run_id))


def _untaken(tx: Connection, run_id: RunId) -> list[Signal]:
    table = RUN_SIGNALS.c
    query = select(table.id, table.name, table.payload, table.actor).where(
        table.run_id == run_id, table.taken_by.is_(None), table.refused.is_(None)
    )
    return [Signal(*row) for row in tx.execute(query.order_by(table.id).limit(_MOST))]


def refuse_unfit(registry: Registry, row: Row[Any], name: str, payload: str) -> None:
    """Raise InvalidError when the run's code names a type for the signal, and the payload is not of it."""
    found = registry.find(row.workflow, row.version)
    kind = signal_types(found.fn).get(name) if found is not None else None
    if kind is not None:
        payloads.decode(payload, payloads.as_type(kind), what=f"signal {name!r}")
