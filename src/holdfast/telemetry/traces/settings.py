"""Settings of traces: `[traces]` in `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Sequence
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
class SamplingPolicy:
    """Keeps traces for which all of this holds.

    Attributes:
        name: shown with what it kept.
        errors: a span failed.
        slower_than: from its first start to its last end the trace took longer than this.
        service: a span is of this service.
        operation: a span has this name.
        rarer_than: its root's service and operation began fewer traces than this since the last judgement.
        share: of the traces for which all of it holds; 0.1 keeps a tenth.
        rate: traces a second that are kept per service that begins them; 0 for no limit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str
    errors: bool = False
    slower_than: Duration = 0.0
    service: str = ""
    operation: str = ""
    rarer_than: Annotated[int, Field(ge=0)] = 0
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    rate: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """Tail sampling: which traces are kept for as long as `telemetry.retention` says (its stream is `traces`).

    Attributes:
        enabled: whether traces are sampled at all; all are kept if not.
        policies: a trace is kept if any of them keeps it, with the number of traces that it stands for.
        recent: how long every trace is there, kept or not.
        decide_after: how old the first span of a trace is when it is judged, by all that has come until then. What
            comes later shares its fate if it was kept; if it went, it is judged anew, and comes back if it fails after
            all.
        every: how often traces are judged.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    enabled: bool = False
    policies: Sequence[SamplingPolicy] = (
        SamplingPolicy("errors", errors=True),
        SamplingPolicy("slow", slower_than=1.0),
        SamplingPolicy("rare", rarer_than=10),
        SamplingPolicy("share", share=0.1),
    )
    recent: Annotated[Duration, Field(ge=600)] = 6 * 3600.0
    decide_after: Duration = 3600.0
    every: Annotated[Duration, Field(ge=1)] = 300.0


@dataclass(frozen=True, slots=True)
class TracesSettings:
    """How spans are counted and which are kept.

    Attributes:
        metrics: metrics made from spans, before any sampling.
        sampling: which traces are kept.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    metrics: SpanMetricsSettings = field(default_factory=SpanMetricsSettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)


TRACES_SECTION: Final = Section("traces", TracesSettings)
