"""What sinks and doors see of the ledger: they note whole batches, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger.reasons import Reason
    from holdfast.telemetry.ledger.signals import Signal


class Notes(Protocol):
    """Where is noted what was stored, and what was not and why; called in the event loop only, and never blocks."""

    def note(
        self,
        tenant: TenantId,
        signal: Signal,
        service: str,
        reason: Reason | None,
        *,
        records: int,
        size: int = 0,
        requests: int = 1,
        hour: datetime | None = None,
    ) -> None:
        """Add to one count; without a reason the records were stored.

        An earlier `hour` than this one may be named; what was counted by mistake is taken back from it by less than 0.
        """
        ...

    def note_each(
        self,
        tenant: TenantId,
        signal: Signal,
        reason: Reason | None,
        *,
        services: Sequence[str],
        codes: npt.NDArray[Any],
        sizes: npt.NDArray[Any] | int = 0,
    ) -> None:
        """Add a batch: `codes` say by their place in `services` of which each record is, `sizes` its bytes."""
        ...


class NoLedger:
    """Notes nothing."""

    def note(
        self,
        tenant: TenantId,
        signal: Signal,
        service: str,
        reason: Reason | None,
        *,
        records: int,
        size: int = 0,
        requests: int = 1,
        hour: datetime | None = None,
    ) -> None:
        """Forget it."""

    def note_each(
        self,
        tenant: TenantId,
        signal: Signal,
        reason: Reason | None,
        *,
        services: Sequence[str],
        codes: npt.NDArray[Any],
        sizes: npt.NDArray[Any] | int = 0,
    ) -> None:
        """Forget it."""


NO_LEDGER: Final = NoLedger()


def parts(
    services: Sequence[str], codes: npt.NDArray[Any], sizes: npt.NDArray[Any] | int
) -> list[tuple[str, int, int]]:
    """Give services with their records and bytes; costs as much as there are services, beside two sums."""
    counts = np.bincount(codes, minlength=1)
    found = np.flatnonzero(counts)
    if isinstance(sizes, int):
        return [
            (services[at], count, count * sizes)
            for at, count in zip(found.tolist(), counts[found].tolist(), strict=True)
        ]
    if len(found) == 1:
        return [(services[int(found[0])], len(codes), int(sizes.sum()))]
    sums = np.bincount(codes, weights=sizes)[found].astype(np.int64)
    return [
        (services[at], count, size)
        for at, count, size in zip(found.tolist(), counts[found].tolist(), sums.tolist(), strict=True)
    ]
