"""What there is to query: series, label names and values, metadata, exemplars, counts. No samples.

A contract like `selection`: the store answers it from its tables, the in-memory twin from its lists; the HTTP API, the
editor's completion and the terminal ask it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from holdfast.telemetry.metrics.samples import Matcher

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.labels import Labels

Matchers = tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series are looked at: those that match any of `selectors` (all if empty) and live in [start_ms, end_ms].

    `limit` bounds the answer; 0 for no bound of the caller's own.
    """

    selectors: tuple[Matchers, ...] = ()
    start_ms: int = 0
    end_ms: int = 2**62
    limit: int = 0


class FoundExemplar(NamedTuple):
    """An exemplar of a series that is known from around it."""

    ts_ms: int
    value: float
    labels: Labels


class Count(NamedTuple):
    """How often a name occurs among the series."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class SeriesStats:
    """Where the series come from, each list the largest first; `label_pairs` are named `label=value`.

    There are `pairs` different ones in all, and the lists are only of the largest.
    """

    series: int
    pairs: int
    samples: int
    min_ms: int
    max_ms: int
    metrics: tuple[Count, ...] = ()
    label_values: tuple[Count, ...] = ()
    label_pairs: tuple[Count, ...] = ()
    label_bytes: tuple[Count, ...] = ()


class SeriesBrowser(Protocol):
    """Answers what there is; lists are sorted by code point unless said otherwise."""

    async def series(self, tenant: TenantId, scope: Scope) -> list[Labels]:
        """Give the label sets."""
        ...

    async def label_names(self, tenant: TenantId, scope: Scope) -> list[str]:
        """Give the names of labels, `__name__` among them."""
        ...

    async def label_values(self, tenant: TenantId, label: str, scope: Scope) -> list[str]:
        """Give the values of one label."""
        ...

    async def metadata(self, tenant: TenantId, family: str = "") -> Sequence[MetricMetadata]:
        """Give what is said of metric families, by family; all that differ where senders disagree."""
        ...

    async def exemplars(self, tenant: TenantId, scope: Scope) -> list[tuple[Labels, list[FoundExemplar]]]:
        """Give the exemplars whose time is in the scope, by series and time."""
        ...

    async def stats(self, tenant: TenantId, top: int) -> SeriesStats:
        """Count the tenant's series and give the `top` ones of each list."""
        ...
