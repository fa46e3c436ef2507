"""What one group holds, and how pushes change it; pure.

A group's families are kept as they were parsed. `PUT` takes the place of all of them, `POST` of those with the same
names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.exposition import Family
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdfast.telemetry.metrics.exposition import PageSample

PUSHED: Final = "push_time_seconds"
FAILED: Final = "push_failure_time_seconds"
OURS: Final = frozenset((PUSHED, FAILED))
METADATA: Final = (
    MetricMetadata(PUSHED, "gauge", "Last Unix time when changing this group succeeded."),
    MetricMetadata(FAILED, "gauge", "Last Unix time when changing this group failed."),
)


@dataclass(frozen=True, slots=True)
class Group:
    """The metrics of one job, or whatever the labels name; `failed_at` is None if no push ever failed."""

    labels: Labels
    families: tuple[Family, ...] = ()
    pushed_at: datetime | None = None
    failed_at: datetime | None = None
    changed_at: datetime | None = None

    def pushed(self, families: Iterable[Family], at: datetime, *, is_replacing: bool) -> Group:
        """Give the group after a push; `is_replacing` for PUT, else families with other names stay."""
        fresh = {family.name: family for family in families}
        kept = {} if is_replacing else {family.name: family for family in self.families}
        return replace(self, families=tuple((kept | fresh).values()), pushed_at=at, changed_at=at)

    def failed(self, at: datetime) -> Group:
        """Give the group after a push that was refused."""
        return replace(self, failed_at=at, changed_at=at)

    def samples(self) -> Iterator[tuple[Labels, PageSample]]:
        """Go through the pushed samples with their whole label sets: those of the group win."""
        own = dict(self.labels)
        for family in self.families:
            for sample in family.samples:
                yield labels_of(dict(sample.labels) | own), sample

    def times(self) -> list[tuple[Labels, float]]:
        """Give the two series that tell of the pushes themselves."""
        own = dict(self.labels)
        pairs = ((PUSHED, self.pushed_at), (FAILED, self.failed_at))
        return [(labels_of(own | {METRIC_NAME: name}), at.timestamp() if at else 0.0) for name, at in pairs]


def check_pushed(families: Iterable[Family], labels: Labels) -> None:
    """Refuse what a group with these labels cannot keep.

    Raises:
        InvalidError: a sample brings a time of its own, or stands twice.
    """
    own, seen = dict(labels), set()
    for family in families:
        for sample in family.samples:
            if sample.ts_ms is not None:
                name = dict(sample.labels)[METRIC_NAME]
                raise InvalidError(f"{name} has a timestamp: pushed metrics count as of now", hint="leave it out")
            whole = labels_of(dict(sample.labels) | own)
            if whole in seen:
                shown = ", ".join(f'{key}="{value}"' for key, value in whole if key != METRIC_NAME)
                raise InvalidError(
                    f"{dict(whole)[METRIC_NAME]}{{{shown}}} stands twice", hint="labels of the group take others' place"
                )
            seen.add(whole)
