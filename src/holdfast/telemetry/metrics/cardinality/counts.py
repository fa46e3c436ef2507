"""What a report of cardinality is made of: counts by metric, label and sender, refusals, what nobody uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricCount:
    """One metric: its active series in this process, those kept in the store, and those new in an hour and a day."""

    name: str
    active: int
    kept: int
    new_in_hour: int
    new_in_day: int


@dataclass(frozen=True, slots=True)
class LabelCount:
    """One label of active series: how many different values it has, and on how many series it is."""

    name: str
    values: int
    series: int


@dataclass(frozen=True, slots=True)
class OriginCount:
    """One sender, such as a scraped target, and its active series."""

    origin: str
    active: int


@dataclass(frozen=True, slots=True)
class Explosion:
    """A metric whose new series are refused: by which limit, who sends them, and the label that differs the most.

    `refused` counts each time that one was offered, since the culprit was first noticed; `values` is an estimate over
    those that were looked into, so at least about as many; `example` is one value of the label.
    """

    metric: str
    origin: str
    reason: str
    refused: int
    label: str
    values: int
    example: str


@dataclass(frozen=True, slots=True)
class UnusedMetric:
    """A metric that no query has read and nothing names; `series` are those kept, `active` those of this process."""

    name: str
    series: int
    active: int


@dataclass(frozen=True, slots=True)
class UnusedTotal:
    """All metrics that nobody uses, also those beyond the list: what dropping them would free."""

    metrics: int
    series: int
    active: int


@dataclass(frozen=True, slots=True)
class CardinalityReport:
    """All of it, each list the largest first; `refused` counts each time that a series was offered."""

    active: int
    limit: int
    metric_limit: int
    origin_limit: int
    kept: int
    refused: dict[str, int]
    metrics: tuple[MetricCount, ...]
    labels: tuple[LabelCount, ...]
    origins: tuple[OriginCount, ...]
    explosions: tuple[Explosion, ...]
    unused: tuple[UnusedMetric, ...]
    unused_total: UnusedTotal
