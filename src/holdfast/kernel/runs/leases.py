"""Who is alive: each process has one row with a counter that it raises; nobody compares clocks of two machines.

A process whose counter has stood still for a lease, by the watching process's own monotonic clock, has lost its runs.
The rows of a SQLite folder have one owner: whoever opens it takes all at once.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, text, update

from holdfast.kernel.runs.tables import RUN_WORKERS, RUNS

# A run that was at work counts the crash; one that waited does not. The epoch shuts the old owner out.
_RELEASE: Final = text(
    "UPDATE runs SET owner = NULL, epoch = epoch + 1, wake_at = NULL,"
    " recoveries = recoveries + CASE WHEN state = 'waiting' THEN 0 ELSE 1 END, state = 'queued'"
    " WHERE owner = :owner AND state IN ('running', 'waiting', 'cancelling')"
)


@dataclass(slots=True)
class _Seen:
    beat: int
    at_s: float


class Leases:
    """This process's own row, and what it knows of the others."""

    def __init__(self, worker: str, lease_s: float) -> None:
        self.worker = worker
        self._lease_s = lease_s
        self._beat = 0
        self._seen: dict[str, _Seen] = {}

    def beat(self, tx: Connection, now: datetime, workflows: Sequence[str]) -> None:
        """Say that this process is alive, and what it can run."""
        self._beat += 1
        row = {"beat": self._beat, "beat_at": now, "workflows": list(workflows)}
        done = tx.execute(update(RUN_WORKERS).where(RUN_WORKERS.c.id == self.worker).values(**row))
        if not done.rowcount:
            row |= {"id": self.worker, "host": socket.gethostname(), "pid": os.getpid(), "started_at": now}
            tx.execute(insert(RUN_WORKERS).values(**row))

    def find_dead(self, tx: Connection, now_s: float) -> list[str]:
        """Give the processes that have been silent for a lease; `now_s` is this process's monotonic time."""
        rows = tx.execute(select(RUN_WORKERS.c.id, RUN_WORKERS.c.beat)).all()
        owners = set(tx.execute(select(RUNS.c.owner).where(RUNS.c.owner.is_not(None)).distinct()).scalars())
        beats: dict[str, Any] = dict.fromkeys(owners, 0) | {row.id: row.beat for row in rows}
        beats.pop(self.worker, None)
        self._seen = {worker: seen for worker, seen in self._seen.items() if worker in beats}
        dead = []
        for worker, beat in beats.items():
            seen = self._seen.get(worker)
            if seen is None or seen.beat != beat:
                self._seen[worker] = _Seen(beat, now_s)
            elif now_s - seen.at_s >= self._lease_s:
                dead.append(worker)
        return dead

    def others(self, tx: Connection) -> list[str]:
        """Give every other process that has a row or runs, alive or not."""
        owners = set(tx.execute(select(RUNS.c.owner).where(RUNS.c.owner.is_not(None)).distinct()).scalars())
        return sorted((owners | set(tx.execute(select(RUN_WORKERS.c.id)).scalars())) - {self.worker})


def take_over(tx: Connection, workers: Sequence[str]) -> int:
    """Put the runs of these processes back into their queues, shut the processes out; give how many runs."""
    count = 0
    for worker in workers:
        count += tx.execute(_RELEASE, {"owner": worker}).rowcount
        tx.execute(delete(RUN_WORKERS).where(RUN_WORKERS.c.id == worker))
    return count


def give_back(tx: Connection, run_id: str, epoch: int) -> None:
    """Queue one run again that the engine itself has failed on; it counts as a crash, so it does not go on for ever."""
    release = text(
        "UPDATE runs SET owner = NULL, epoch = epoch + 1, wake_at = NULL, recoveries = recoveries + 1, state = 'queued'"
        " WHERE id = :id AND epoch = :epoch AND state IN ('running', 'waiting', 'cancelling')"
    )
    tx.execute(release, {"id": run_id, "epoch": epoch})


def leave(tx: Connection, worker: str) -> None:
    """Give everything back in good order: nothing of it counts as a crash."""
    tx.execute(
        text(
            "UPDATE runs SET owner = NULL, epoch = epoch + 1, wake_at = NULL, state = 'queued'"
            " WHERE owner = :owner AND state IN ('running', 'waiting', 'cancelling')"
        ),
        {"owner": worker},
    )
    tx.execute(delete(RUN_WORKERS).where(RUN_WORKERS.c.id == worker))
