"""One process among those of its kind: it beats, sees who else does, and knows which keys are its own.

Beats are judged by the database's clock. While the database is away everybody keeps the members last known: work is
rather done twice than by nobody. A folder of SQLite has one process, which is alone.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from holdfast import journal
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.members.metrics import MemberMetrics
from holdfast.kernel.members.rendezvous import owner_of
from holdfast.kernel.members.tables import MEMBERS
from holdfast.resilience import timeout

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.sql import Database

BEAT_S: Final = 5.0
LEASE_S: Final = 15.0  # with a beat more until it is seen, what a dead member had is another's after 20 s
_LEAVE_S: Final = 3.0
_FORGOTTEN: Final = 100  # leases after which a row is deleted
_NOW: Final = func.extract("epoch", func.clock_timestamp())
_log = journal.get_logger("holdfast.members")


class Membership:
    """This process' part in the work of its kind."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        kind: str,
        *,
        metrics: MemberMetrics | None = None,
        beat_s: float = BEAT_S,
        lease_s: float = LEASE_S,
    ) -> None:
        self.kind = kind
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._db = db
        self._clock = clock
        self._metrics = metrics or MemberMetrics(None)
        self._beat_s = beat_s
        self._lease_s = lease_s
        self._is_alone = db.dialect == "sqlite"
        self._watchers: list[Callable[[], None]] = []
        self.members: frozenset[str] = frozenset({self.id} if self._is_alone else ())

    def owns(self, key: str) -> bool:
        """Tell whether `key` is this process' part; nothing is before the first beat."""
        return self._is_alone or owner_of(key, self.members) == self.id

    def watch(self, call: Callable[[], None]) -> None:
        """Have `call` made on the event loop whenever the members changed."""
        self._watchers.append(call)

    async def run(self) -> None:
        """Beat until cancelled; then leave, so that the others take over at their next beat."""
        self._metrics.alive.labels(self.kind).set(1)
        if self._is_alone:
            return
        try:
            while True:
                await self.beat()
                await self._clock.sleep(self._beat_s)
        finally:
            await self._leave()

    async def beat(self) -> None:
        """Say that this process is alive, and see who else is."""
        try:
            found = frozenset(await self._db.write(self._beat))
        except HoldfastError as error:
            self._metrics.failures.labels(self.kind).inc()
            _log.warning("members.beat_failed", kind=self.kind, error=str(error))
            return
        if found == self.members:
            return
        self.members = found
        self._metrics.alive.labels(self.kind).set(len(found))
        self._metrics.changes.labels(self.kind).inc()
        _log.info("members.changed", kind=self.kind, members=sorted(found))
        for call in self._watchers:
            call()

    def _beat(self, tx: Connection) -> list[str]:
        row = {"kind": self.kind, "id": self.id, "host": socket.gethostname(), "beat_s": _NOW}
        statement = insert(MEMBERS).values(**row)
        keys = [MEMBERS.c.kind, MEMBERS.c.id]
        tx.execute(statement.on_conflict_do_update(index_elements=keys, set_={"beat_s": statement.excluded.beat_s}))
        of_kind = MEMBERS.c.kind == self.kind
        tx.execute(delete(MEMBERS).where(of_kind, MEMBERS.c.beat_s < _NOW - _FORGOTTEN * self._lease_s))
        alive = select(MEMBERS.c.id).where(of_kind, MEMBERS.c.beat_s > _NOW - self._lease_s)
        return list(tx.execute(alive).scalars())

    async def _leave(self) -> None:
        try:
            async with timeout(_LEAVE_S):
                await self._db.write(lambda tx: tx.execute(delete(MEMBERS).where(MEMBERS.c.id == self.id)).rowcount)
        except (HoldfastError, TimeoutError) as error:
            _log.warning("members.leave_failed", kind=self.kind, error=str(error))
