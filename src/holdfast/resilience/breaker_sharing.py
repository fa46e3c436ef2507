"""Keeps the breakers of several processes of one mind: one that opens opens all, and one process probes for all.

Each process counts its own calls. The store is asked now and then, never on every call; while it does not answer each
process goes by what it knows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from holdfast.resilience.breaker_states import BreakerMachine, BreakerState, Change
from holdfast.resilience.clocks import Clock
from holdfast.resilience.ports import BreakerRecord, BreakerStore

_ISOLATED = "isolated"
_KEEP_RESETS = 10  # a record is kept for so many open times, then the breaker is as good as new


@dataclass(frozen=True, slots=True)
class _Swap:
    """Asks the store to put `record` in the place of version `seen`."""

    seen: int
    record: BreakerRecord
    keep_s: float


_Talk = Generator["_Swap | None", Any, list[Change]]
"""A talk with the store: yields None to read, a swap to write; is sent the answer; ends with what changed here."""


class Sharing:
    """One breaker's part in the agreement; the breaker runs it before calls that are due and after changes."""

    __slots__ = (
        "_ask_at_s",
        "_clock",
        "_machine",
        "_name",
        "_seen",
        "_tell",
        "_told_epoch",
        "lock",
        "refresh_s",
        "store",
    )

    def __init__(
        self,
        name: str,
        store: BreakerStore,
        machine: BreakerMachine,
        lock: threading.Lock,
        *,
        refresh_s: float,
        clock: Clock,
        tell: Callable[..., None],
    ) -> None:
        if refresh_s <= 0:
            raise ValueError(f"refresh_s={refresh_s} must be positive")
        self.store = store
        self.refresh_s = refresh_s
        self._name = name
        self._machine = machine
        self.lock = lock
        self._clock = clock
        self._tell = tell
        self._seen = 0  # the version last seen
        self._told_epoch = machine.epoch
        self._ask_at_s = 0.0

    @property
    def has_news(self) -> bool:
        """Whether the breaker changed since the store was told."""
        return self._machine.epoch != self._told_epoch

    def is_due(self, now_s: float) -> bool:
        """Tell whether to ask the store: its turn has come, or a probe is about to go and only one process may."""
        return now_s >= self._ask_at_s or self.has_news or self._wants_probe(now_s)

    def _wants_probe(self, now_s: float) -> bool:
        machine = self._machine
        return machine.state is BreakerState.OPEN and not machine.is_isolated and machine.wait_s(now_s) <= 0

    def run(self) -> list[Change]:
        """Agree with the store; give what changed here by it."""
        talk = self._agree()
        answer: object = None
        try:
            while True:
                asked = talk.send(answer)
                try:
                    if asked is None:
                        answer = self.store.read(self._name)
                    else:
                        answer = self.store.swap(self._name, asked.seen, asked.record, keep_s=asked.keep_s)
                except Exception as error:  # noqa: BLE001 -- the fence of a plugin: calls go on without the store
                    return self._give_up(error)
        except StopIteration as end:
            return list(end.value)

    async def run_async(self) -> list[Change]:
        """Do as `run`."""
        talk = self._agree()
        answer: object = None
        try:
            while True:
                asked = talk.send(answer)
                try:
                    if asked is None:
                        answer = await self.store.read_async(self._name)
                    else:
                        answer = await self.store.swap_async(self._name, asked.seen, asked.record, keep_s=asked.keep_s)
                except Exception as error:  # noqa: BLE001 -- the fence of a plugin: calls go on without the store
                    return self._give_up(error)
        except StopIteration as end:
            return list(end.value)

    def _give_up(self, error: Exception) -> list[Change]:
        self._tell("store_failed", error)
        self._told_epoch = self._machine.epoch
        return []

    def _agree(self) -> _Talk:
        self._ask_at_s = self._clock.monotonic() + self.refresh_s
        told, offset_s = yield None
        offset_s -= self._clock.monotonic()  # of the store's clock over ours
        if told.version != self._seen:
            changes = self._take_over(told, offset_s)
        elif self.has_news:
            changes = yield from self._put(self._record(offset_s), offset_s)
        else:
            changes = []
        if self._wants_probe(self._clock.monotonic()):
            now_s = self._clock.monotonic()
            machine = self._machine
            probing = BreakerRecord(
                version=self._seen + 1,
                state=BreakerState.HALF_OPEN.value,
                since_s=now_s + offset_s,
                wait_s=machine.rule.probe_s,
                failed_probes=machine.failed_probes,
            )
            changes += yield from self._put(probing, offset_s)
        return changes

    def _put(self, record: BreakerRecord, offset_s: float) -> _Talk:
        epoch = self._machine.epoch
        if (yield _Swap(record.version - 1, record, self._machine.rule.reset_cap_s * _KEEP_RESETS)):
            self._seen = record.version
            self._told_epoch = epoch
            return []
        told, _ = yield None
        return self._take_over(told, offset_s)

    def _record(self, offset_s: float) -> BreakerRecord:
        machine = self._machine
        return BreakerRecord(
            version=self._seen + 1,
            state=_ISOLATED if machine.is_isolated else machine.state.value,
            since_s=machine.since_s + offset_s,
            wait_s=machine.open_s if machine.state is BreakerState.OPEN else machine.rule.probe_s,
            failed_probes=machine.failed_probes,
        )

    def _take_over(self, told: BreakerRecord, offset_s: float) -> list[Change]:
        """Bring the breaker to what another process has found out."""
        machine, now_s = self._machine, self._clock.monotonic()
        with self.lock:
            if told.state == _ISOLATED:
                change = machine.isolate(now_s, "told")
            elif told.state == BreakerState.CLOSED.value:
                change = machine.close(now_s, "told") if machine.state is not BreakerState.CLOSED else None
            else:  # open, or somebody else's probe is under way: refuse until its time is over
                change = machine.open(now_s, told.wait_s, "told")
                machine.since_s = min(now_s, told.since_s - offset_s)
                machine.failed_probes = told.failed_probes
            self._seen = told.version
            self._told_epoch = machine.epoch
        return [change] if change is not None else []
