"""Inputs and results that are too large for a row: they become blobs, and the row keeps a reference.

A result that exists must not be lost because the store of blobs is away: keeping it is tried again until it works, as
the journal's writes are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Final

import orjson
from sqlalchemy import Connection, select

from holdfast import journal
from holdfast.kernel.blobs import Blobs, Owner
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import new_id
from holdfast.kernel.runs.tables import RUNS
from holdfast.kernel.sql import Database
from holdfast.resilience import Backoff

PREFIX: Final = "runs"

_MARK: Final = '{"$blob":'
_BACKOFF: Final = Backoff(base_s=0.1, cap_s=30.0, jitter="equal")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_LOG: Final = journal.get_logger("holdfast.runs")


class LargePayloads:
    """Keeps and fetches JSON texts; without blobs every text stands in its row.

    Args:
        blobs: where large texts go.
        inline_bytes: texts up to this size stay in the row.
        clock: for the pauses while the store is away.
    """

    def __init__(self, blobs: Blobs | None, inline_bytes: int, clock: Clock) -> None:
        self._blobs = blobs
        self._inline_bytes = inline_bytes
        self._clock = clock

    def is_large(self, text: str) -> bool:
        """Tell whether `keep` would make a blob of it; one that looks like a reference becomes a blob too."""
        return self._blobs is not None and (len(text) > self._inline_bytes or text.startswith(_MARK))

    async def keep(self, text: str, tenant: str, run_id: str) -> str:
        """Give what the row should hold: the text, or the reference to a blob that is durable now."""
        if self._blobs is None or not self.is_large(text):
            return text
        key = f"{PREFIX}/{_as_segment(tenant)}/{run_id}/{new_id()}"
        failures = 0
        while True:
            try:
                blob = await self._blobs.put(key, text.encode())
            except HoldfastError as error:
                if not error.retry.possible:
                    raise
                failures += 1
                _LOG.warning("runs.blob_waits", run=run_id, error=str(error), failures=failures)
                await self._clock.sleep(_BACKOFF.wait_s(failures))
            else:
                told = {"key": blob.key, "size_bytes": blob.size_bytes, "sha256": blob.sha256}
                return orjson.dumps({"$blob": told}).decode()

    async def fetch(self, text: str | None) -> str | None:
        """Give the text that the row stands for.

        Raises:
            NotFoundError: its blob is gone.
            BlobDamagedError: its blob is not what was written.
            UnavailableError: the store of blobs does not answer.
        """
        if self._blobs is None or text is None or not text.startswith(_MARK):
            return text
        told = orjson.loads(text)["$blob"]
        return (await self._blobs.get(told["key"], sha256=told["sha256"])).decode()


def own_blobs(blobs: Blobs, db: Database) -> None:
    """Have the sweep spare the blobs of runs that are still there."""

    async def find_referenced(keys: Sequence[str]) -> Collection[str]:
        runs = {key: key.split("/")[2] for key in keys}
        there = await db.read(lambda tx: _find_runs(tx, set(runs.values())))
        return [key for key, run_id in runs.items() if run_id in there]

    blobs.own(Owner(PREFIX, find_referenced))


def _find_runs(tx: Connection, ids: Collection[str]) -> set[str]:
    return set(tx.execute(select(RUNS.c.id).where(RUNS.c.id.in_(ids))).scalars())


def _as_segment(tenant: str) -> str:
    return tenant if _PLAIN.fullmatch(tenant) else hashlib.sha256(tenant.encode()).hexdigest()[:32]
