"""Removes blobs that nothing refers to any more: a row was purged, or a crash came between the blob and its row.

A blob is written before the row that refers to it; so only blobs of some age are looked at.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from holdfast import journal
from holdfast.kernel.blobs.ports import Owner, Stored
from holdfast.kernel.errors import HoldfastError, NotFoundError

if TYPE_CHECKING:
    from holdfast.kernel.blobs.blobs import Blobs
    from holdfast.kernel.clock import Clock

BATCH: Final = 500

_log = journal.get_logger()


@dataclass(slots=True)
class SweepReport:
    """What one sweep of one owner did."""

    seen: int = 0
    removed: int = 0
    removed_bytes: int = 0


async def sweep(blobs: Blobs, owner: Owner, clock: Clock, *, min_age_s: float) -> SweepReport:
    """Look at every blob below the owner's prefix and remove those that it does not need."""
    report = SweepReport()
    newest = clock.now() - timedelta(seconds=min_age_s)
    batch: list[Stored] = []
    found = blobs.list(owner.prefix)
    async with aclosing(found):
        async for stored in found:
            report.seen += 1
            if stored.modified_at <= newest:
                batch.append(stored)
            if len(batch) >= BATCH:
                await _sweep_batch(blobs, owner, batch, report)
                batch = []
    if batch:
        await _sweep_batch(blobs, owner, batch, report)
    return report


async def sweep_for_ever(blobs: Blobs, clock: Clock, *, every_s: float, min_age_s: float) -> None:
    """Sweep each owner, again and again."""
    while True:
        await clock.sleep(every_s)
        for owner in list(blobs.owners.values()):
            try:
                report = await sweep(blobs, owner, clock, min_age_s=min_age_s)
            except HoldfastError as error:  # a bucket that is away is swept the next time
                _log.warning("blobs.sweep_failed", owner=owner.prefix, error=str(error))
                continue
            _log.info("blobs.swept", owner=owner.prefix, seen=report.seen, removed=report.removed)


async def _sweep_batch(blobs: Blobs, owner: Owner, batch: list[Stored], report: SweepReport) -> None:
    needed = set(await owner.find_referenced([stored.key for stored in batch]))
    for stored in batch:
        if stored.key in needed:
            continue
        try:
            # Written again since it was listed (the same content, put anew): somebody is about to refer to it.
            if (await blobs.stat(stored.key)).modified_at != stored.modified_at:
                continue
        except NotFoundError:
            continue
        await blobs.delete(stored.key)
        blobs.metrics.swept.labels(owner.prefix).inc()
        report.removed += 1
        report.removed_bytes += stored.size_bytes
