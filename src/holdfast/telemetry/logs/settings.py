"""Settings of how logs are kept: `[logs]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size
from holdfast.telemetry.metrics.settings import KeepRule

_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class LogsSettings:
    """How log records are kept.

    Attributes:
        retention_counts: whether a record's retention counts from its `arrival`, which keeps what is imported from long
            ago, or from its own time, the `event`. How long it is, `telemetry.retention` says (its stream is `logs`).
        keep: rules of how long the records of single streams stay, each `{match = '{env="dev"}', keep = "7d"}`,
            `tenant` if only one's; the first that matches wins, else `telemetry.retention`.
        max_size: what all logs of all tenants may take on the disk; beyond it the oldest hours go, but never the newest
            two; 0 for no limit but `telemetry.reserve`.
        max_line: the longest body; longer ones are refused and counted.
        max_metadata: the most bytes of structured metadata of one record.
        max_streams: streams that a tenant may have at once; new ones beyond it are refused and counted.
        max_labels: labels that one stream may have.
        forget_idle: a stream without a record for so long is forgotten, and its memory given back.
        repeats: records that are remembered per process, so that one sent again is stored once.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    retention_counts: Literal["arrival", "event"] = "arrival"
    keep: Sequence[KeepRule] = ()
    max_size: Size = 0
    max_line: Size = 256 * _KIB
    max_metadata: Size = 64 * _KIB
    max_streams: Annotated[int, Field(ge=1)] = 100_000
    max_labels: Annotated[int, Field(ge=1)] = 30
    forget_idle: Annotated[Duration, Field(ge=60)] = 3600.0
    repeats: Annotated[int, Field(ge=0)] = 1_000_000


LOGS_SECTION: Final = Section("logs", LogsSettings)
