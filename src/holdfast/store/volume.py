"""What tables take on the disk, and how rows of all tenants leave at once; queries and retention are other files' work.

Lightweight deletes free nothing until parts merge, and the tables' partitions are weeks of expiry, not of time. So rows
go by a mutation: a part of which all rows go becomes an empty one without a byte rewritten, one of which none go is
linked, and only the part at the edge is written anew. Both sizes and shares are read off the index, not off rows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.ids import TenantId
from holdfast.store import batches
from holdfast.store.clients import Client
from holdfast.store.schema import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.store.running import RunningStore

LOOK_EVERY_S: Final = 0.1
# ruff: noqa: S608 -- what is put into the statements are names that rooms declare
_SIZES: Final = """
    SELECT table, toInt64(sumIf(rows, active)) AS rows, toInt64(sumIf(bytes_on_disk, active)) AS bytes,
      toInt64(countIf(active)) AS parts, toInt64(countIf(NOT active)) AS waiting
    FROM system.parts WHERE database = currentDatabase() GROUP BY table"""
_MERGES: Final = """
    SELECT table, toInt64(num_parts) AS parts, toInt64(total_size_bytes_compressed) AS size_bytes, progress,
      elapsed AS elapsed_s
    FROM system.merges WHERE database = currentDatabase() ORDER BY size_bytes DESC LIMIT 100"""
_SHARES: Final = """
    SELECT {keys}, toFloat64(sum(i.rows_in_granule * p.bytes_on_disk / p.rows)) AS bytes,
      toInt64(sum(i.rows_in_granule)) AS rows
    FROM mergeTreeIndex(currentDatabase(), '{table}') AS i JOIN (
      SELECT name, rows, bytes_on_disk FROM system.parts
      WHERE active AND rows > 0 AND database = currentDatabase() AND table = '{table}') AS p ON i.part_name = p.name
    WHERE i.rows_in_granule > 0 GROUP BY ALL ORDER BY ALL"""
_PENDING: Final = """SELECT any(latest_fail_reason) AS reason, count() AS n FROM system.mutations
    WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done"""
_KILL: Final = "KILL MUTATION WHERE database = currentDatabase() AND table = {table:String}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a table takes: of the disk only what is in force, not what merges have just replaced.

    `parts_waiting` are those that were replaced and go within minutes.
    """

    rows: int = 0
    size_bytes: int = 0
    parts: int = 0
    parts_waiting: int = 0


class Volume:
    """The room that tables take."""

    def __init__(self, running: RunningStore, clock: Clock) -> None:
        self._running = running
        self._clock = clock

    async def sizes(self, tables: Iterable[Table]) -> dict[str, Taken]:
        """Give what each table takes, by its name.

        Raises:
            UnavailableError: the engine does not answer.
        """
        rows = (await self._ask(_SIZES)).to_pylist()
        found = {row["table"]: Taken(row["rows"], row["bytes"], row["parts"], row["waiting"]) for row in rows}
        return {table.name: found.get(table.name, Taken()) for table in tables}

    async def merges(self) -> list[dict[str, Any]]:
        """Give the merges that run: `table`, `parts`, `size_bytes`, `progress` from 0 to 1 and `elapsed_s`.

        Raises:
            UnavailableError: the engine does not answer.
        """
        found: list[dict[str, Any]] = (await self._ask(_MERGES)).to_pylist()
        return found

    async def disk(self) -> tuple[int | None, int | None]:
        """Give the bytes that may still be used, and all bytes, of the folder's disk; None where a server keeps it."""
        folder = self._running.address.folder
        if folder is None:
            return None, None
        stat = await asyncio.to_thread(os.statvfs, folder)
        return stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize

    async def shares(self, table: Table, keys: Sequence[str]) -> pa.Table:
        """Give `bytes` and `rows` by the first columns of the sort key, true to about 8,192 rows, and cheap.

        Raises:
            UnavailableError: the engine does not answer.
        """
        named = ", ".join(f"i.{key} AS {key}" for key in keys)
        return await self._ask(_SHARES.format(keys=named, table=table.name))

    async def tenants(self, table: Table, condition: str) -> list[TenantId]:
        """Give whose rows satisfy a condition of numbers and column names.

        Raises:
            UnavailableError: the engine does not answer.
        """
        sql = f"SELECT DISTINCT tenant FROM {table.name} WHERE {condition} ORDER BY tenant"
        return [TenantId(tenant) for tenant in (await self._ask(sql))["tenant"].to_pylist()]

    async def drop(self, table: Table, condition: str) -> None:
        """Take the rows of all tenants that satisfy a condition; returns when they are gone.

        The embedded engine has given the space back then; a server does within ten minutes. Cancelled, the engine goes
        on by itself.

        Raises:
            UnavailableError: the engine does not answer, or cannot: there is no room to write the rest of a part anew.
        """
        sql = f"ALTER TABLE {table.name} DELETE WHERE {condition} SETTINGS mutations_sync = 0"
        await self._running.command(lambda client: client.command(sql))
        while True:
            row = (await self._ask(_PENDING, {"table": table.name})).to_pylist()[0]
            if not row["n"]:
                break
            if row["reason"]:
                await self._running.command(lambda client: client.command(_KILL, {"table": table.name}))
                raise UnavailableError(f"{table.name} cannot be made smaller: {row['reason']}")
            await self._clock.sleep(LOOK_EVERY_S)
        if self._running.address.folder is not None and table.partition_by:
            # The engine keeps replaced parts for eight minutes, lest a power cut take what it wrote instead. After a
            # sync that cannot happen, and dropping a partition, even one that is not there, has them removed now.
            await asyncio.to_thread(os.sync)
            release = f"ALTER TABLE {table.name} DROP PARTITION ID '19700101'"
            await self._running.command(lambda client: client.command(release))

    async def _ask(self, sql: str, parameters: dict[str, str] | None = None) -> pa.Table:
        def work(client: Client) -> pa.Table:
            return batches.parse(client.raw_query(sql, parameters or {}, fmt="ArrowStream"))

        return await self._running.command(work)
