"""What a room hands to `app.py`, and what it gets: the two ends of every wire in the house.

There is no central list of routes, permissions, jobs or event kinds; the app gathers them from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from holdfast.kernel.blobs import Blobs
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.events import Consumer, EventKind, EventLog
from holdfast.kernel.http import NO_PROXIES, OutboundHttp, Proxies
from holdfast.kernel.ops_report import OpsInForce
from holdfast.kernel.permissions import Permission
from holdfast.kernel.secrets import Secrets
from holdfast.kernel.settings import Settings
from holdfast.kernel.sql import Database

ProcessRole = Literal["api", "ingest", "evaluate", "probe", "work"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What every room stands on."""

    settings: Settings
    clock: Clock
    db: Database
    events: EventLog
    secrets: Secrets
    http: OutboundHttp
    metrics: CollectorRegistry
    blobs: Blobs
    proxies: Proxies = NO_PROXIES  # those that the environment names, for sections that ask for them
    ops: OpsInForce = field(default_factory=OpsInForce)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the environment, for files


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs as long as the process has its role.

    When `run` raises, the app records it and starts it again after a growing pause; when it returns, it is done.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    role: ProcessRole = "api"


@dataclass(frozen=True, slots=True)
class OpsFolder:
    """The folder of ops as code. `path` need not exist: then every room gets an empty one."""

    path: Path

    def files(self, *patterns: str) -> list[Path]:
        """Give the files that match, sorted, hidden ones and editors' leavings passed over.

        Raises:
            ConfigError: a file stands where a pattern goes into a folder.
        """
        for pattern in patterns:
            self.demand_folder(pattern.rpartition("/")[0].partition("/*")[0])
        found = {
            file
            for pattern in patterns
            for file in self.path.glob(pattern)
            if file.is_file() and not file.name.startswith((".", "#")) and not file.name.endswith("~")
        }
        return sorted(found)

    def demand_folder(self, name: str) -> None:
        """Refuse a file in place of the folder `name`; one that is missing is fine. Raises `ConfigError`."""
        if (self.path / name).is_file():
            fault = InvalidError("this is a file", hint=f"make it a folder: {name}/", place=Place(name))
            raise ConfigError((fault,))


class Prepared(Protocol):
    """A room's new configuration, read and found valid, not yet in force."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but worth a look, each line with its place."""
        ...

    async def apply(self) -> None:
        """Put it in force; must not fail for anything that `prepare` could have seen."""
        ...


@dataclass(frozen=True, slots=True)
class OpsSection:
    """A room's part of the ops folder.

    Attributes:
        name: such as `checks`.
        prepare: reads and validates; raises `ConfigError` with every fault. Gets the sections prepared before it by
            name, so that a check may name a service that the same change adds.
    """

    name: str
    prepare: Callable[[OpsFolder, dict[str, Prepared]], Prepared]


@dataclass(frozen=True, slots=True)
class Readiness:
    """One condition of `/readyz`: `check` raises a `HoldfastError` that says what is missing."""

    name: str
    check: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wiring:
    """All that a room adds to the app.

    Attributes:
        name: the room's.
        routers: mounted below `/api/v1`.
        surfaces: mounted at the root, each with its whole prefix: the protocols of others, such as `/prometheus`.
        migrations: the package of its Alembic revisions, if it owns tables.
        jobs: run while the app is started.
        consumers: of the event log.
        permissions: what people may be allowed to do here.
        event_kinds: what it writes into the event log.
        ops: its part of the ops folder.
        lifespan: entered after the migrations and before the jobs, left after them.
        readiness: conditions of `/readyz`.
        doors: the signal that comes in by a path, or by all paths that begin so if it ends in a slash.
    """

    name: str
    routers: tuple[APIRouter, ...] = ()
    surfaces: tuple[APIRouter, ...] = ()
    migrations: str = ""
    jobs: tuple[Job, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    permissions: tuple[Permission, ...] = ()
    event_kinds: tuple[EventKind, ...] = ()
    ops: OpsSection | None = None
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None
    readiness: tuple[Readiness, ...] = ()
    doors: Mapping[str, str] = field(default_factory=dict)


class Room(Protocol):
    """What `wire` gives: the room's object with its wiring."""

    @property
    def wiring(self) -> Wiring:
        """All that the room adds to the app."""
        ...
