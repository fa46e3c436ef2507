"""Reads the ledger: sums by hour for a picture, sums by service and reason for tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store

_WHERE: Final = """
    FROM usage_hours WHERE tenant = {tenant:String} AND hour >= {start:DateTime} AND hour < {end:DateTime}
    AND ({signal:String} = '' OR signal = {signal:String})
    AND ({reason:String} = '' OR reason IN ('', {reason:String}))
    AND ({all:UInt8} OR lowerUTF8(toString(service)) IN {services:Array(String)})"""
_SUMS: Final = "toInt64(sum(records)) AS records, toInt64(sum(bytes)) AS bytes, toInt64(sum(requests)) AS requests"
_HOURS: Final = f"""
    SELECT toUnixTimestamp(hour) AS hour_s, toString(signal) AS signal, reason != '' AS is_dropped, {_SUMS} {_WHERE}
    GROUP BY hour_s, signal, is_dropped ORDER BY hour_s, signal, is_dropped LIMIT 100000"""
_SERVICES: Final = f"""
    SELECT toString(signal) AS signal, toString(service) AS service, toString(reason) AS reason, {_SUMS} {_WHERE}
    GROUP BY signal, service, reason HAVING records != 0 OR bytes != 0 OR requests != 0
    ORDER BY records DESC, requests DESC, signal, service, reason LIMIT 20000"""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is asked for: whole hours from `start` to before `end`; `services` None for all, in any case of letters.

    An empty `signal` stands for all; `reason` leaves out what was left out for others.
    """

    start: datetime
    end: datetime
    signal: str = ""
    services: Sequence[str] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HourSum:
    """What was stored, or left out, of one signal in one hour."""

    hour: datetime
    signal: str
    is_dropped: bool
    records: int
    bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class ServiceSum:
    """What was stored of a service, or left out for a reason; the reason is empty for what was stored."""

    signal: str
    service: str
    reason: str
    records: int
    bytes: int
    requests: int


async def read_hours(store: Store, tenant: TenantId, cut: Cut) -> list[HourSum]:
    """Give sums by hour and signal; hours without any are missing.

    Raises:
        UnavailableError: the store does not answer.
    """
    rows = (await store.query(_HOURS, _values(cut), tenant=tenant)).to_pylist()
    return [
        HourSum(
            datetime.fromtimestamp(row["hour_s"], UTC),
            row["signal"],
            bool(row["is_dropped"]),
            row["records"],
            row["bytes"],
            row["requests"],
        )
        for row in rows
    ]


async def read_services(store: Store, tenant: TenantId, cut: Cut) -> list[ServiceSum]:
    """Give sums by service and reason, the most records first.

    Raises:
        UnavailableError: the store does not answer.
    """
    return [ServiceSum(**row) for row in (await store.query(_SERVICES, _values(cut), tenant=tenant)).to_pylist()]


def _values(cut: Cut) -> dict[str, Any]:
    return {
        "start": cut.start,
        "end": cut.end,
        "signal": cut.signal,
        "all": int(cut.services is None),
        "services": [name.lower() for name in cut.services or ()],
        "reason": cut.reason,
    }
