"""Tells the ledger of usage which spans tail sampling lets go, each once, and takes it back where their trace returns.

They count in the hour in which they became old enough to be judged, so that what is taken back leaves no hour below
nothing: the first round after a start, which may judge again what another process has judged, is not counted.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from holdfast.telemetry.ledger import Notes, Reason, Signal

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId

_HOUR_S = 3600


class Gone:
    """Notes what went, by the service where the trace began."""

    def __init__(self, ledger: Notes, left_s: int) -> None:
        """Prepare; `left_s` is how long a span is still there when it has become old enough."""
        self._ledger = ledger
        self._left_s = left_s
        self._counted_from: dict[TenantId, int] = {}

    def begin(self, tenant: TenantId, until: int) -> None:
        """Take that spans that expire later than `until` are counted by this process."""
        self._counted_from[tenant] = until

    def note(self, tenant: TenantId, table: pa.Table, stay: npt.NDArray[np.bool_], since: int) -> None:
        """Note the spans of the traces that went in a round: early ones with their trace, late ones as they come."""
        begun, early, late, last = _numbers(table, "begun", "early_spans", "late_spans", "last_due")
        services = [_service(root) for root in table.column("root").to_pylist()]
        is_first = ~stay & (begun > since)
        self._add(tenant, services, self._hours(begun), np.where(is_first, early, 0))
        self._add(tenant, services, self._hours(last), np.where(~stay, late, 0))

    def take_back(self, tenant: TenantId, table: pa.Table, come_back: npt.NDArray[np.bool_]) -> None:
        """Take back what was noted of traces that return; what was noted by another process stays."""
        begun, early, later, last = _numbers(table, "begun", "early_spans", "later_before", "last_before")
        services = table.column("service_before").to_pylist()
        is_ours = come_back & (begun > self._counted_from.get(tenant, 0))
        self._add(tenant, services, self._hours(begun), np.where(is_ours, -early, 0))
        self._add(tenant, services, self._hours(last), np.where(is_ours, -later, 0))

    def _hours(self, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return (ends - self._left_s) // _HOUR_S * _HOUR_S

    def _add(
        self, tenant: TenantId, services: list[str], hours: npt.NDArray[np.int64], spans: npt.NDArray[np.int64]
    ) -> None:
        sums: Counter[tuple[str, int]] = Counter()
        for row in np.flatnonzero(spans).tolist():
            sums[services[row], int(hours[row])] += int(spans[row])
        for (service, hour), count in sums.items():
            at = datetime.fromtimestamp(hour, UTC)
            self._ledger.note(tenant, Signal.TRACES, service, Reason.TAIL_SAMPLED, records=count, requests=0, hour=at)


def _numbers(table: pa.Table, *names: str) -> list[npt.NDArray[np.int64]]:
    return [table.column(name).to_numpy().astype(np.int64) for name in names]


def _service(root: dict[str, str] | tuple[str, str]) -> str:
    service, _ = root.values() if isinstance(root, dict) else root
    return service
