"""What a reader asks of the store of logs, and what it gets: records in pages, streams, counts.

LogQL stands above this: it puts into a selection what the engine can answer, and does the rest on the pages.
`LogSource` answers from the engine, `MemoryLogSource` (tests, analysing files) from lists.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.extraction import Extracted, Extraction
    from holdfast.telemetry.logs.records import RecordPage
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.samples import Matcher

Matchers = tuple["Matcher", ...]


class LineOp(StrEnum):
    """How a line filter looks at a body, as LogQL writes it; expressions are RE2, unanchored, case as it stands."""

    CONTAINS = "|="
    NOT_CONTAINS = "!="
    MATCHES = "|~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A condition on the body; with several values (`|= "a" or "b"`) any of them satisfies it.

    For the negative operators the line passes if none of the values is found.
    """

    op: LineOp
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """What a parsed label tells of a line: it holds one of `texts`, or its stream or metadata has one of `labels`.

    A source may use it to leave out lines, or not; whoever asks looks again.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...]


class Direction(StrEnum):
    """Which records come first."""

    BACKWARD = "backward"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class RecordSelection:
    """Records of the streams that match all of `matchers`, with `start_ns` <= time < `end_ns`.

    Attributes:
        matchers: on labels of streams.
        start_ns: ns of Unix time, inclusive.
        end_ns: exclusive.
        lines: all must hold.
        fields: matchers on structured metadata, `detected_level`, `trace_id`, ... among it; all must hold. A record
            without the field counts as having it empty.
        direction: which come first.
        limit: so many at most; 0 for all.
        odd_for: only records that this extraction cannot be sure of.
        hints: records that all of these allow, and perhaps others.
    """

    matchers: Matchers
    start_ns: int
    end_ns: int
    lines: tuple[LineFilter, ...] = ()
    fields: Matchers = ()
    direction: Direction = Direction.BACKWARD
    limit: int = 0
    odd_for: Extraction | None = None
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamScope:
    """Which streams are looked at: those that match any of `selectors` (all if empty) with records in the time."""

    selectors: tuple[Matchers, ...] = ()
    start_ns: int = 0
    end_ns: int = 2**63 - 1
    limit: int = 0


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """Counts of records: row `i` tells of group `groups[i]` in the step that begins at `begins_ns[i]`; ordered by both.

    `groups` are values of the `by` names, in their order.
    """

    groups: Sequence[tuple[str, ...]]
    begins_ns: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    body_bytes: npt.NDArray[np.int64]


class RecordSource(Protocol):
    """Where readers get log records."""

    def pages(
        self, tenant: TenantId, selection: RecordSelection, *, page: int = 5000
    ) -> AsyncGenerator[RecordPage, None]:
        """Give the records in the order of the direction, `page` at a time; records of one time in any order.

        Whoever stops listening (`aclose`) stops the engine.

        Raises:
            InvalidError: an expression is no RE2.
            LimitError, TimedOutError, BusyError, UnavailableError: as the store says.
        """
        ...

    async def counts(
        self, tenant: TenantId, selection: RecordSelection, *, step_ns: int, by: tuple[str, ...] = ()
    ) -> RecordCounts:
        """Count records and bytes of bodies in steps aligned to `start_ns`; `by` are labels or metadata fields.

        `direction` and `limit` count for nothing; steps without records are left out.
        """
        ...

    async def extracts(
        self, tenant: TenantId, selection: RecordSelection, extraction: Extraction, *, step_ns: int, most: int
    ) -> Extracted | None:
        """Count records by step, stream and what is taken out of their bodies.

        None if it cannot, or gives more rows than `most`. `direction` and `limit` count for nothing.
        """
        ...

    async def streams(self, tenant: TenantId, scope: StreamScope) -> list[Labels]:
        """Give the label sets of streams, sorted."""
        ...

    async def label_names(self, tenant: TenantId, scope: StreamScope) -> list[str]:
        """Give the names of labels, sorted."""
        ...

    async def label_values(self, tenant: TenantId, label: str, scope: StreamScope) -> list[str]:
        """Give the values of one label, sorted."""
        ...
