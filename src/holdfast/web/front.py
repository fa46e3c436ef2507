"""The HTTP front of one `Holdfast`: its rooms' routes plus what only the front can tell, `/status` and `/reload`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

import psutil
from fastapi import APIRouter, Depends

import holdfast as package
from holdfast.app import Holdfast
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.wiring import Readiness, Wiring
from holdfast.web.assembly import WebApp, build_app
from holdfast.web.operations import METRICS_PERMISSION
from holdfast.web.safety import hosts_to_answer, is_loopback
from holdfast.web.server import parse_listen
from holdfast.web.settings import WebSettings

_METRICS_SUMMARY: Final = "Read Holdfast's own metrics where web.public_metrics is off."
PERMISSIONS: Final = (
    Permission("server.read", Role.VIEWER, "See how Holdfast itself fares."),
    Permission("server.reload", Role.OPERATOR, "Have the ops folder read again."),
    Permission(METRICS_PERMISSION, Role.VIEWER, _METRICS_SUMMARY),
)


@dataclass(frozen=True, slots=True)
class OpsStatus:
    """What of the ops folder is in force, and why its newest state is not, if it is not."""

    path: str
    loaded_at: datetime | None
    warnings: list[str]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a background job fares."""

    name: str
    is_running: bool
    crashes: int
    last_error: str
    last_crash_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """How this process fares."""

    version: str
    started_at: datetime
    uptime_s: float
    ready: bool
    unready: dict[str, str]
    auth: Literal["on", "off"]
    roles: list[str]
    database: str
    resident_bytes: int
    ops: OpsStatus
    jobs: list[JobStatus]


def build(holdfast: Holdfast) -> WebApp:
    """Put HTTP around `holdfast`; see `listen_address` for what it refuses."""
    host, _ = listen_address(holdfast.server)
    return build_app(
        (*holdfast.wirings, _wiring(holdfast)),
        gate=holdfast.people.gate,
        registry=holdfast.ground.metrics,
        settings=holdfast.ground.settings[WebSettings],
        hosts=hosts_to_answer(host, holdfast.server.allowed_hosts),
        refused=holdfast.refused_at_doors,
    )


def listen_address(server: ServerSettings) -> tuple[str, int]:
    """Give the host and port to listen on.

    Raises:
        InvalidError: it is no address, or it is open to other machines while authentication is off.
    """
    host, port = parse_listen(server.listen)
    if server.auth == "off" and not is_loopback(host):
        raise InvalidError(
            f"authentication is off, but {host} is open to other machines",
            hint="listen on 127.0.0.1, or leave --auth off out",
            place=Place(field="server.auth"),
        )
    return host, port


def _wiring(holdfast: Holdfast) -> Wiring:
    ready = Readiness("started", holdfast.demand_started)
    return Wiring(name="server", routers=(_routes(holdfast),), permissions=PERMISSIONS, readiness=(ready,))


def _routes(holdfast: Holdfast) -> APIRouter:
    router = APIRouter(tags=["server"])

    @router.get("/status", operation_id="getStatus")
    async def get_status(_: Annotated[Identity, Depends(requires("server.read"))]) -> Status:
        """Tell how this process fares: readiness, ops folder, jobs, memory."""
        return await _status(holdfast)

    @router.post("/reload", operation_id="reloadOps")
    async def reload_ops(identity: Annotated[Identity, Depends(requires("server.reload"))]) -> OpsStatus:
        """Read the ops folder again; when it has faults, all of them are told and nothing changes."""
        await holdfast.reload(identity.actor)
        return _ops_status(holdfast)

    return router


async def _status(holdfast: Holdfast) -> Status:
    unready = await holdfast.unready()
    now = holdfast.ground.clock.now()
    return Status(
        version=package.__version__,
        started_at=holdfast.started_at,
        uptime_s=(now - holdfast.started_at).total_seconds(),
        ready=not unready,
        unready=unready,
        auth=holdfast.ground.settings[ServerSettings].auth,
        roles=list(holdfast.server.roles),
        database=holdfast.ground.db.dialect,
        resident_bytes=psutil.Process().memory_info().rss,
        ops=_ops_status(holdfast),
        jobs=[
            JobStatus(job.name, job.is_running, job.crashes, job.last_error, job.last_crash_at) for job in holdfast.jobs
        ],
    )


def _ops_status(holdfast: Holdfast) -> OpsStatus:
    report = holdfast.ops.report
    problems = [str(problem) for problem in report.problems]
    return OpsStatus(str(report.path), report.loaded_at, list(report.warnings), problems)
