"""`/livez` and `/readyz`: the first says that the process answers, the second names every dependency.

Ready means `ok` or `degraded` (HTTP 200); `failing` (HTTP 503) means that requests would fail. A probe asks the real
dependency; answers are kept for a moment so that many watchers cost one probe.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from holdfast.resilience import cache, timeout

PROBE_TIMEOUT_S = 1.0
_KEEP_S = 0.5


class Status(StrEnum):
    """How well something works, best first."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


class Degraded(Exception):  # noqa: N818 -- an answer of a probe, not a crash
    """Raised by a probe: it works, but not well; the message says how."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that the service needs.

    Attributes:
        name: As `/readyz` calls it.
        probe: Asks it now; raises when it fails, `Degraded` when it limps.
        is_required: Whether the service is of no use without it.
        slow_s: From this duration on an answer counts as degraded.
    """

    name: str
    probe: Callable[[], Awaitable[None]]
    is_required: bool = True
    slow_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found: status, duration in seconds and, when not ok, why."""

    status: Status
    duration_s: float
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `/readyz` shows it."""
        body = {"status": self.status.value, "latency_ms": round(self.duration_s * 1000, 1)}
        return body | ({"detail": self.detail} if self.detail else {})


class Health:
    """The service's dependencies and what the latest probes found."""

    def __init__(self) -> None:
        self._dependencies: list[Dependency] = []
        self._find = cache(ttl_s=_KEEP_S, jitter=0.0)(self._ask_all)

    def add(self, dependency: Dependency) -> None:
        """Name one more dependency."""
        self._dependencies.append(dependency)

    async def probe(self) -> tuple[Status, dict[str, Finding]]:
        """Probe every dependency at once; return the worst status and each finding by name."""
        findings = await self._find()
        return _worst([finding.status for finding in findings.values()]), dict(findings)

    async def _ask_all(self) -> dict[str, Finding]:
        found = await asyncio.gather(*(_ask(dependency) for dependency in self._dependencies))
        return {dependency.name: finding for dependency, finding in zip(self._dependencies, found, strict=True)}


def _worst(statuses: list[Status]) -> Status:
    order = list(Status)
    return max(statuses, key=order.index, default=Status.OK)


async def _ask(dependency: Dependency) -> Finding:
    began = time.perf_counter()
    failed = Status.FAILING if dependency.is_required else Status.DEGRADED
    try:
        async with timeout(PROBE_TIMEOUT_S):
            await dependency.probe()
    except Degraded as finding:
        return Finding(Status.DEGRADED, time.perf_counter() - began, str(finding))
    except TimeoutError:
        return Finding(failed, time.perf_counter() - began, f"no answer within {PROBE_TIMEOUT_S:g} s")
    except Exception as error:  # noqa: BLE001 -- the fence of a probe: whatever it raises is the finding
        return Finding(failed, time.perf_counter() - began, f"{type(error).__name__}: {error}")
    duration_s = time.perf_counter() - began
    if duration_s > dependency.slow_s:
        detail = f"answers in {duration_s * 1000:.0f} ms, more than {dependency.slow_s * 1000:.0f} ms"
        return Finding(Status.DEGRADED, duration_s, detail)
    return Finding(Status.OK, duration_s)


async def livez(_request: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})
