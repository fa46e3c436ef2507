"""Settings of how metrics are kept: `[metrics]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size

OWN_ORIGIN: Final = "holdfast"  # what this process measures itself; no limit keeps it out
_MIB: Final = 1024 * 1024
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class KeepRule:
    """How long series are kept that a selector matches.

    Attributes:
        match: a selector, such as `{env="dev"}`.
        keep: how long their samples stay.
        tenant: whose series; every tenant's if empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    match: str
    keep: Duration
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class RollupSettings:
    """How samples are summed up, so that long times stay cheap to ask for and to keep.

    Attributes:
        enabled: whether it is done. Off, sums of before are read only where raw samples have gone, until they expire.
        every: how often what is new or came late is summed up.
        after: how long after its end a slot of two hours is summed up the first time.
        keep_5m: how long sums of 5 minutes stay, if `telemetry.retention_of` does not say it of `metrics_5m`.
        keep_1h: how long sums of an hour stay, if `telemetry.retention_of` does not say it of `metrics_1h`.
        least_samples: a query that would read fewer raw samples, which are still there, reads those.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    enabled: bool = True
    every: Annotated[Duration, Field(ge=1)] = 300.0
    after: Duration = 1800.0
    keep_5m: Duration = 365 * _DAY_S
    keep_1h: Duration = 5 * 365 * _DAY_S
    least_samples: Annotated[int, Field(ge=0)] = 1_000_000


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """How metrics are kept and remembered.

    Attributes:
        retention_counts: whether a sample's retention counts from its `arrival`, which keeps what is imported from long
            ago, or from its own time, the `event`. How long it is, `telemetry.retention` says.
        keep: rules of how long single series stay, each `{match = '{env="dev"}', keep = "7d"}`, `tenant` if only one's;
            the first that matches wins, else `telemetry.retention`.
        rollups: how samples are summed up by 5 minutes and by the hour.
        max_size: what all metrics of all tenants may take on the disk; beyond it the oldest raw samples go first, then
            the oldest sums; 0 for no limit but `telemetry.reserve`.
        forget_idle: a series without a sample for so long is no longer active, and its memory is given back.
        cache: memory for samples that queries have read; used only when queries come.
        warm: memory for samples that a start reads before anybody asks, those of the newest hour first, then of the day
            before it; where not all fit, of metrics that were queried last. 0 for none. Labels are read, too; of
            more than 20,000 series after the start, of more than 200,000 only when they are asked for.
        indexed_series: series of which labels are remembered for queries, about 1 KiB each.
        writers_margin: how long after its time a sample may still arrive through another process; younger samples are
            not remembered when the store is a server.
        max_series: active series that a tenant may have; new ones beyond it are refused and counted, known ones go on.
        max_series_of: the same for single tenants.
        max_series_per_metric: active series that one metric may have.
        max_series_per_origin: active series that one sender, such as a scraped target, may have.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    retention_counts: Literal["arrival", "event"] = "arrival"
    keep: Sequence[KeepRule] = ()
    rollups: RollupSettings = field(default_factory=RollupSettings)
    max_size: Size = 0
    forget_idle: Annotated[Duration, Field(ge=60)] = 3600.0
    cache: Size = 256 * _MIB
    warm: Size = 32 * _MIB
    indexed_series: Annotated[int, Field(ge=1000)] = 2_000_000
    writers_margin: Duration = 3600.0
    max_series: Annotated[int, Field(ge=1)] = 1_000_000
    max_series_of: Mapping[str, Annotated[int, Field(ge=1)]] = field(default_factory=dict)
    max_series_per_metric: Annotated[int, Field(ge=1)] = 200_000
    max_series_per_origin: Annotated[int, Field(ge=1)] = 200_000

    @property
    def least_limit(self) -> int:
        """Give the number of series below which none of the limits within a tenant can be reached."""
        return min(self.max_series_per_metric, self.max_series_per_origin)


METRICS_SECTION: Final = Section("metrics", MetricsSettings)
