"""What metrics take on the disk: in all, by kind, and about what of it is a tenant's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from holdfast.telemetry.metrics.downsampling import Kept
from holdfast.telemetry.metrics.keeping.size import SizeLimit
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId


@dataclass(frozen=True, slots=True)
class KindShare:
    """What one kind takes: raw samples, sums of 5 minutes, sums of an hour.

    Tenants share the files, so theirs is an estimate by rows, true to about 8,192 of them.
    """

    kind: str
    bytes: int
    tenant_bytes: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Storage:
    """What all metrics take, series and their labels too; `limit_bytes` is empty where there is no limit."""

    bytes: int
    limit_bytes: int | None
    kinds: tuple[KindShare, ...]


async def read_storage(size: SizeLimit, tenant: TenantId) -> Storage:
    """Give what metrics take.

    Raises:
        UnavailableError: the store does not answer.
    """
    every, own = await size.shares(), await size.shares(tenant)
    kinds = (KindShare(str(kind), _sum(every[kind]), _sum(own[kind]), _since(every[kind])) for kind in Kept)
    return Storage(await size.size_bytes(), size.max_bytes or None, tuple(kinds))


def _sum(shares: Mapping[int, float]) -> int:
    return round(sum(shares.values()))


def _since(shares: Mapping[int, float]) -> datetime | None:
    return datetime.fromtimestamp(min(shares) * SLOT_MS / 1000, UTC) if shares else None
