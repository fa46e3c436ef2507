"""Settings of traces: `[traces]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class SpanMetricsSettings:
    """Metrics made from spans, with the names that OpenTelemetry's span metrics and service graph connectors give.

    Attributes:
        enabled: whether they are made.
        every: how often they are written.
        max_operations: combinations of service, operation, kind and status per tenant; what is beyond it is counted
            together, with the label `otel_metric_overflow`.
        max_edges: combinations of client, server and connection per tenant; what is beyond it is not counted.
        pair_wait: how long one end of a call waits for the span of the other end.
        max_waiting: ends that wait at once, in all.
        forget_idle: an operation or edge without a span for so long makes room for others.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    enabled: bool = True
    every: Annotated[Duration, Field(ge=1)] = 15.0
    max_operations: Annotated[int, Field(ge=1)] = 2000
    max_edges: Annotated[int, Field(ge=1)] = 1000
    pair_wait: Duration = 10.0
    max_waiting: Annotated[int, Field(ge=0)] = 100_000
    forget_idle: Annotated[Duration, Field(ge=60)] = 3600.0


@dataclass(frozen=True, slots=True)
class TracesSettings:
    """How spans are counted.

    Attributes:
        metrics: metrics made from spans, before any sampling.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    metrics: SpanMetricsSettings = field(default_factory=SpanMetricsSettings)


TRACES_SECTION: Final = Section("traces", TracesSettings)
