"""The classic histograms of a page: which lines belong to one, and the native histogram that their values make.

For `convert_classic_histograms_to_nhcb`. Found once per page that is parsed strictly; where the values are known by
their places, as in a template, the same ladders read those. Source: Prometheus 3, textparse/nhcbparse.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.custom_buckets import native_from_classic
from holdfast.telemetry.metrics.exposition import PageSample
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of, name_of, without

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.exposition import Family, Page
    from holdfast.telemetry.metrics.histograms import Histogram

_NOWHERE: Final = -1
_Key = tuple[Labels, int | None]


@dataclass(slots=True)
class Ladder:
    """One classic histogram; places count the samples of the page by their lines.

    Attributes:
        labels: those of the native histogram.
        buckets: the upper bound and the place of each bucket.
        total: the place of its sum; -1 if it has none, as with `count`.
        members: the places of all that it consists of.
    """

    labels: Labels
    ts_ms: int | None
    first: PageSample
    buckets: list[tuple[float, int]] = field(default_factory=list)
    count: int = _NOWHERE
    total: int = _NOWHERE
    members: list[int] = field(default_factory=list)

    def read(self, values: Sequence[float]) -> Histogram | None:
        """Give what the values of the page make; None if they make no histogram."""
        try:
            return native_from_classic(
                [(bound, values[place]) for bound, place in self.buckets],
                count=values[self.count] if self.count >= 0 else None,
                total=values[self.total] if self.total >= 0 else 0.0,
            )
        except InvalidError:
            return None


def in_order(page: Page) -> list[PageSample]:
    """Give the samples of a page by their lines."""
    return sorted(page.samples(), key=lambda sample: sample.line)


def ladders_of(page: Page, samples: Sequence[PageSample]) -> list[Ladder]:
    """Find the histograms of a page that are classic only; `samples` are all of it, in order."""
    places = {id(sample): place for place, sample in enumerate(samples)}
    return [ladder for family in page.families if family.type == "histogram" for ladder in _of_family(family, places)]


def native_of(ladder: Ladder, histogram: Histogram, samples: Sequence[PageSample]) -> PageSample:
    """Give the sample that a ladder becomes, with the exemplars of its buckets; `samples` are all of its page."""
    exemplars = (samples[place].exemplar for _, place in ladder.buckets)
    return PageSample(
        b"\0" + repr((ladder.labels, ladder.first.empty)).encode(),
        ladder.labels,
        0.0,
        ladder.ts_ms,
        start_ms=ladder.first.start_ms,
        histogram=histogram,
        exemplars=tuple(exemplar for exemplar in exemplars if exemplar is not None),
        empty=ladder.first.empty,
    )


def converted(page: Page, samples: Sequence[PageSample]) -> tuple[list[tuple[Ladder, PageSample]], tuple[Ladder, ...]]:
    """Give the classic histograms of a page that become native ones, with the samples that they become.

    Beside them those whose buckets contradict each other: they stay as they are.
    """
    found: list[tuple[Ladder, PageSample]] = []
    broken: list[Ladder] = []
    values = [sample.value for sample in samples]
    for ladder in ladders_of(page, samples):
        histogram = ladder.read(values)
        if histogram is None:
            broken.append(ladder)
        else:
            found.append((ladder, native_of(ladder, histogram, samples)))
    return found, tuple(broken)


def _of_family(family: Family, places: dict[int, int]) -> list[Ladder]:
    found: dict[_Key, Ladder] = {}
    natives = {sample.labels for sample in family.samples if sample.histogram is not None}
    for sample in family.samples:
        suffix = name_of(sample.labels)[len(family.name) :]
        if suffix not in {"_bucket", "_count", "_sum"}:
            continue
        labels = labels_of([(METRIC_NAME, family.name), *without(sample.labels, METRIC_NAME, "le")])
        if labels in natives:
            continue
        key = (labels, sample.ts_ms)
        ladder = found.setdefault(key, Ladder(labels, sample.ts_ms, sample))
        _join(ladder, sample, suffix, places[id(sample)])
    return [ladder for ladder in found.values() if ladder.buckets or ladder.count >= 0]


def _join(ladder: Ladder, sample: PageSample, suffix: str, place: int) -> None:
    ladder.members.append(place)
    if suffix == "_count":
        ladder.count = place
    elif suffix == "_sum":
        ladder.total = place
    else:
        bound = _bound(dict(sample.labels).get("le", ""))
        if not math.isnan(bound):
            ladder.buckets.append((bound, place))


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
