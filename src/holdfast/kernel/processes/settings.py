"""Settings of the process itself: `[server]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict

from holdfast.kernel.settings import Section
from holdfast.kernel.wiring import ProcessRole

ALL_ROLES: Final[tuple[ProcessRole, ...]] = ("api", "ingest", "evaluate", "probe", "work")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the process is and where it listens.

    Attributes:
        data: the folder that holds everything; one process at a time owns it.
        ops: the folder of ops as code.
        listen: `host:port` of the HTTP server.
        auth: `off` lets everybody in as administrator; refused unless `listen` is on loopback.
        roles: which parts of the work this process does.
        secrets: the folder that `${dir:name}` reads, one file per secret, as Kubernetes mounts them.
        allowed_hosts: further `Host` names that the server answers to, besides its own address and localhost.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    data: Path = Path("holdfast-data")
    ops: Path = Path("ops")
    listen: str = "127.0.0.1:4653"
    auth: Literal["on", "off"] = "on"
    roles: tuple[ProcessRole, ...] = ALL_ROLES
    secrets: Path | None = None
    allowed_hosts: tuple[str, ...] = ()


SECTION: Final = Section("server", ServerSettings)
