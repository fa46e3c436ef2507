"""How long sums stay: what `telemetry.retention_of` says of their stream, else the settings of rollups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.store import Store
from holdfast.telemetry.metrics.downsampling.choosing import HOUR_MS, MINUTES_MS
from holdfast.telemetry.metrics.settings import RollupSettings

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

STREAMS: Final = {MINUTES_MS: "metrics_5m", HOUR_MS: "metrics_1h"}


def keep_seconds(store: Store, settings: RollupSettings, tenant: TenantId, resolution_ms: int) -> int:
    """Give how long the sums of a resolution stay."""
    stream, said = STREAMS[resolution_ms], store.retention.exact_s
    default_s = settings.keep_5m if resolution_ms == MINUTES_MS else settings.keep_1h
    return int(next((said[key] for key in (f"{tenant}/{stream}", stream) if key in said), default_s))
