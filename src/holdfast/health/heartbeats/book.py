"""The calls of jobs, kept in the database; a call is acknowledged when it is on the disk.

Keys are the only authority of a caller, so unknown ones are refused without a trace of what would be known.
"""

from __future__ import annotations

import asyncio
import secrets as randomness
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from holdfast.health.checks import Check
from holdfast.health.heartbeats.judging import Pulse, Signal, judge, receive
from holdfast.health.heartbeats.spec import HEARTBEAT, HeartbeatSpec
from holdfast.health.probes import Observation, ProbeContext
from holdfast.health.tables import HEARTBEATS
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError, LimitError, NotFoundError, after
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.sql import Database
from holdfast.resilience import Backoff, Pauses, rate_limit

MAX_MESSAGE_CHARS: Final = 500
CALLS_PER_S: Final = 1.0
BURST: Final = 20
_BACKOFF: Final = Backoff(base_s=1.0, cap_s=10.0, jitter="equal")


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    pulse: Pulse


class HeartbeatBook:
    """What is known of every heartbeat of one tenant."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        resolve_secret: Callable[[str], str],
        tell: Callable[[str], None],
        tenant: TenantId = DEFAULT_TENANT,
    ) -> None:
        """Prepare; nothing is read before `run` or `sync`.

        Args:
            db: where calls are kept.
            clock: where time comes from.
            resolve_secret: gives the key behind a reference.
            tell: is called with a check's name when its job has called.
            tenant: whose.
        """
        self._db = db
        self._clock = clock
        self._resolve = resolve_secret
        self._tell = tell
        self._tenant = tenant
        self._entries: dict[str, _Entry] = {}
        self._names: dict[str, str] = {}
        self._wanted: dict[str, str | None] = {}
        self._changed = asyncio.Event()
        self._limit = rate_limit(rate=CALLS_PER_S, burst=BURST, clock=clock)

    def expect(self, checks: Iterable[Check]) -> None:
        """Expect the calls of these checks from now on; `run` fetches or makes their keys."""
        self._wanted = {check.name: check.spec.key for check in checks if check.kind == HEARTBEAT.name}
        self._changed.set()

    async def run(self) -> None:
        """Keep the keys in step with the checks until cancelled."""
        pauses = Pauses(_BACKOFF)
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.sync()
                pauses.reset()
            except HoldfastError:
                self._changed.set()
                await self._clock.sleep(pauses.next_s())

    async def sync(self) -> None:
        """Read what is known of the expected checks, and make keys for new ones.

        Raises:
            HoldfastError: the database or a secret is not there; nothing was changed.
        """
        wanted = {
            name: await asyncio.to_thread(self._resolve, reference) if reference else None
            for name, reference in self._wanted.items()
        }
        entries = await self._db.write(lambda tx: self._read_or_make(tx, wanted))
        self._entries = entries
        self._names = {entry.key: name for name, entry in entries.items()}

    def _read_or_make(self, tx: Connection, wanted: dict[str, str | None]) -> dict[str, _Entry]:
        rows = tx.execute(select(HEARTBEATS).where(HEARTBEATS.c.tenant == self._tenant))
        entries = {row.name: _Entry(row.key, _to_pulse(row)) for row in rows if row.name in wanted}
        for name, key in wanted.items():
            known = entries.get(name)
            if known is None or (key is not None and key != known.key):
                pulse = known.pulse if known else Pulse(self._clock.now())
                entries[name] = _Entry(key or randomness.token_urlsafe(24), pulse)
                self._write(tx, name, entries[name])
        return entries

    def _write(self, tx: Connection, name: str, entry: _Entry) -> None:
        pulse = entry.pulse
        tx.execute(delete(HEARTBEATS).where(HEARTBEATS.c.tenant == self._tenant, HEARTBEATS.c.name == name))
        values = {
            "tenant": self._tenant,
            "name": name,
            "key": entry.key,
            "created_at": pulse.created_at,
            "last_signal": pulse.last_signal.value if pulse.last_signal else None,
            "last_at": pulse.last_at,
            "last_success_at": pulse.last_success_at,
            "started_at": pulse.started_at,
            "message": pulse.message,
        }
        tx.execute(insert(HEARTBEATS).values(values))

    async def call(self, key: str, signal: Signal, message: str = "") -> None:
        """Take a job's call; when this returns it is on the disk.

        Raises:
            NotFoundError: no heartbeat has this key.
            LimitError: this job calls too often.
        """
        name = self._names.get(key)
        if name is None:
            raise NotFoundError("no heartbeat has this key", hint="copy the address from the check's page")
        wait_s = self._limit.try_acquire(name)
        if wait_s > 0:
            raise LimitError("this heartbeat calls too often", hint="once a second is enough", retry=after(wait_s))
        pulse = receive(self._entries[name].pulse, signal, self._clock.now(), message[:MAX_MESSAGE_CHARS])
        entry = _Entry(key, pulse)
        await self._db.write(lambda tx: self._write(tx, name, entry))
        self._entries[name] = entry
        self._tell(name)

    def key(self, name: str) -> str | None:
        """Give the key of a check's heartbeat, for people who may see it."""
        entry = self._entries.get(name)
        return entry.key if entry else None

    def probe(self, check: Check) -> HeartbeatProbe:
        """Give the probe that reads this book for `check`."""
        return HeartbeatProbe(self, check)

    def judge(self, name: str, spec: HeartbeatSpec) -> Observation:
        """Say what the calls for `name` mean now."""
        entry = self._entries.get(name)
        if entry is None:
            return Observation(Verdict.UNKNOWN, "waiting for its key", 0.0)
        return judge(entry.pulse, spec, self._clock.now())


@dataclass(frozen=True, slots=True)
class HeartbeatProbe:
    """Looks into the book instead of asking anybody."""

    book: HeartbeatBook
    check: Check

    async def observe(self, context: ProbeContext) -> Observation:  # noqa: ARG002 - nothing is asked, nothing is granted
        """Say what is known now."""
        return self.book.judge(self.check.name, self.check.spec)


def _to_pulse(row: Any) -> Pulse:
    return Pulse(
        created_at=row.created_at,
        last_signal=Signal(row.last_signal) if row.last_signal else None,
        last_at=row.last_at,
        last_success_at=row.last_success_at,
        started_at=row.started_at,
        message=row.message,
    )
