"""Runs jobs side by side; one that crashes is recorded and started again after a growing pause, others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.kernel.wiring import Job
from holdfast.resilience import Backoff, Pauses

_BACKOFF: Final = Backoff(base_s=0.5, cap_s=30.0, jitter="none")
_CALM_S: Final = 60.0  # a job that ran this long starts with a short pause again

_log = journal.get_logger()


@dataclass(frozen=True, slots=True)
class JobReport:
    """How a job fares: how often it crashed, and the last time."""

    name: str
    is_running: bool
    crashes: int
    last_error: str = ""
    last_crash_at: datetime | None = None


class Supervisor:
    """Owns the tasks of one process."""

    def __init__(self, clock: Clock, metrics: CollectorRegistry) -> None:
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._reports: dict[str, JobReport] = {}
        self._crashes = Counter("holdfast_job_crashes", "Crashes of background jobs.", ["job"], registry=metrics)
        self._running = Gauge("holdfast_jobs_running", "Background jobs that run now.", registry=metrics)

    @property
    def reports(self) -> tuple[JobReport, ...]:
        """Give every job's state, by name."""
        return tuple(self._reports[name] for name in sorted(self._reports))

    def start(self, jobs: Iterable[Job]) -> None:
        """Start `jobs`; returns at once."""
        for job in jobs:
            self._reports[job.name] = JobReport(job.name, is_running=True, crashes=0)
            self._tasks.append(asyncio.create_task(self._keep(job), name=f"job:{job.name}"))

    async def stop(self, grace_s: float = 10.0) -> None:
        """Cancel every job and wait for its end, at most `grace_s`."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in stuck:
                _log.warning("job.stuck", job=task.get_name())
        self._tasks.clear()

    async def _keep(self, job: Job) -> None:
        pauses = Pauses(_BACKOFF)
        while True:
            started = self._clock.monotonic()
            self._running.inc()
            try:
                await job.run()
            except Exception as error:  # noqa: BLE001 - the fence of a job: recorded, then started again
                self._record(job, error)
            else:
                self._note(job, is_running=False)
                return
            finally:
                self._running.dec()
            if self._clock.monotonic() - started > _CALM_S:
                pauses.reset()
            await self._clock.sleep(pauses.next_s())
            self._note(job, is_running=True)

    def _record(self, job: Job, error: Exception) -> None:
        _log.error("job.crashed", job=job.name, error=str(error), exc_info=error)
        self._crashes.labels(job.name).inc()
        crashes = self._reports[job.name].crashes + 1
        text = f"{type(error).__name__}: {error}"[:500]
        report = JobReport(
            job.name, is_running=False, crashes=crashes, last_error=text, last_crash_at=self._clock.now()
        )
        self._reports[job.name] = report

    def _note(self, job: Job, *, is_running: bool) -> None:
        old = self._reports[job.name]
        self._reports[job.name] = JobReport(job.name, is_running, old.crashes, old.last_error, old.last_crash_at)
