"""Settings of the control plane: `[database]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where rows live, and how patient we are with the database.

    Attributes:
        url: `postgresql://user:password@host/name`; empty means SQLite in the data folder.
        pool_size: connections for reading (and, on PostgreSQL, for writing).
        queue_size: writes that may wait before callers are told that we are busy.
        statement_timeout: the longest that one PostgreSQL statement may take.
        reserve: SQLite writes are refused when the disk has less room than this.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: Secret = Secret("")
    pool_size: int = 4
    queue_size: int = 10_000
    statement_timeout: Duration = 30.0
    reserve: Size = 32 * 1024 * 1024


SECTION = Section("database", DatabaseSettings)
