"""Settings of what is found around a moment: `[around]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration


@dataclass(frozen=True, slots=True)
class AroundSettings:
    """What one question about a moment may cost.

    Attributes:
        labels: labels of metrics that may name the service; of a metric the first one that does counts. In `job` it
            may stand behind a namespace, as in `shop/orders`.
        timeout: the longest that an answer may take once it has its turn; what was found until then is told.
        max_window: the longest window.
        max_metrics: metrics of the service that are compared; those whose names speak of errors come first.
        max_series: series of one metric that are compared one by one; of more, their sum or mean.
        max_samples: samples that one comparison may read.
        max_neighbours: services next to this one that are looked at.
        max_findings: findings of one answer, those ranked highest.
        concurrency: questions that are answered at once.
        queue: questions that may wait for their turn; one more is told that we are busy.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    labels: tuple[str, ...] = ("service_name", "service", "job", "app")
    timeout: Annotated[Duration, Field(ge=0.1)] = 15.0
    max_window: Annotated[Duration, Field(ge=60)] = 86_400.0
    max_metrics: Annotated[int, Field(ge=1)] = 300
    max_series: Annotated[int, Field(ge=1)] = 30
    max_samples: Annotated[int, Field(ge=1)] = 5_000_000
    max_neighbours: Annotated[int, Field(ge=0)] = 12
    max_findings: Annotated[int, Field(ge=1, le=1000)] = 100
    concurrency: Annotated[int, Field(ge=1)] = 2
    queue: Annotated[int, Field(ge=0)] = 20


SECTION: Final = Section("around", AroundSettings)
