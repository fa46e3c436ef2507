"""Settings of the data plane: `[telemetry]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import ConfigDict

from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size

MAX_LINGER_S: Final = 0.2
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where columns live, how much they may use, and how long they stay.

    Attributes:
        url: `clickhouse://user:password@host:8123/database` (`clickhouses://` for TLS), or `chdb:///folder`; empty
            means chDB in the data folder.
        pool_size: queries that run at once; more wait.
        queue_queries: queries that may wait before callers are told that we are busy.
        max_memory: all that the embedded engine may use; a server has its own limit.
        mark_cache: memory that the embedded engine keeps for finding rows again.
        query_timeout: the longest that one query may take.
        query_memory: the most memory that one query may use.
        query_rows: the most rows that one query may return.
        query_size: the most bytes that one query may return.
        linger: how long a write may wait for company before it goes to the engine; at most 200ms.
        batch_rows: rows that go to the engine without further waiting.
        queue_rows: rows per table that may wait before writers are told that we are busy.
        queue_size: bytes per table that may wait before writers are told that we are busy.
        write_retry: how long a batch is tried again while the engine does not answer.
        fsync_after_insert: acknowledge only what survives a power cut; off, only a crash of the process is survived.
        reserve: writes are refused when the disk has less room than this.
        retention: how long rows stay.
        retention_of: the same for a `stream`, a `tenant/stream` or a `tenant/*`; the most exact entry wins.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: Secret = Secret("")
    pool_size: int = 4
    queue_queries: int = 64
    max_memory: Size = 1024 * MIB
    mark_cache: Size = 16 * MIB
    query_timeout: Duration = 30.0
    query_memory: Size = 512 * MIB
    query_rows: int = 5_000_000
    query_size: Size = 256 * MIB
    linger: Duration = 0.1
    batch_rows: int = 50_000
    queue_rows: int = 500_000
    queue_size: Size = 64 * MIB
    write_retry: Duration = 5.0
    fsync_after_insert: bool = True
    reserve: Size = 256 * MIB
    retention: Duration = 90 * 86400.0
    retention_of: Mapping[str, Duration] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would break a promise.

        Raises:
            InvalidError: `linger` is over 200 ms, or a bound is not positive.
        """
        if not 0 <= self.linger <= MAX_LINGER_S:
            raise InvalidError(
                f"linger is {self.linger * 1000:.0f}ms", hint="at most 200ms", place=Place(field="telemetry.linger")
            )
        for name in ("pool_size", "queue_queries", "batch_rows", "queue_rows", "query_rows"):
            if getattr(self, name) < 1:
                raise InvalidError(f"{name} is not positive", hint="1 or more", place=Place(field=f"telemetry.{name}"))


SECTION: Final = Section("telemetry", StoreSettings)
