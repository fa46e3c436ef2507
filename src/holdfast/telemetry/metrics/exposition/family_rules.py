"""What OpenMetrics demands of the samples of one family: suffixes, values, groups, order, whole histograms.

Also finds for each sample since when it counts (`_created`). Knows no text.
"""

from __future__ import annotations

import math
import re
from typing import Final

from holdfast.telemetry.metrics.exposition.bounds import canonical
from holdfast.telemetry.metrics.exposition.page import PageSample, fault, in_ms
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

SUFFIXES: Final[dict[str, tuple[str, ...]]] = {
    "unknown": ("",),
    "gauge": ("",),
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "summary": ("", "_count", "_sum", "_created"),
    "stateset": ("",),
    "info": ("_info",),
}
COUNTING: Final = frozenset({"_total", "_bucket", "_count", "_gcount", "_sum"})  # never negative, never NaN
_WITH_EXEMPLAR: Final = {("counter", "_total"), ("histogram", "_bucket"), ("gaugehistogram", "_bucket")}
_BOUND: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")

Group = tuple[tuple[str, str], ...]


class Ladder:
    """The buckets, sum and count of one histogram at one time, as they come along."""

    __slots__ = ("bound", "bucket", "count", "has_negative", "has_sum", "line", "sum")

    def __init__(self) -> None:
        self.bound: float | None = None
        self.bucket = 0.0
        self.count: float | None = None
        self.sum = 0.0
        self.has_sum = self.has_negative = False
        self.line = 0

    def climb(self, sample: PageSample, bound: float) -> None:
        """Take a bucket."""
        if self.bound is not None and bound <= self.bound:
            raise fault(sample.line, "the buckets are not in the order of their bounds")
        if self.bound is not None and sample.value < self.bucket:
            raise fault(sample.line, "a bucket counts less than the one before it")
        self.bound, self.bucket = bound, sample.value
        self.has_negative |= bound < 0

    def finish(self, kind: str) -> None:
        """Check that the histogram is whole."""
        if self.bound is None and self.count is None and not self.has_sum:
            return
        if self.bound != math.inf:
            raise fault(self.line, "a histogram without a bucket of +Inf")
        if self.has_sum and kind == "histogram" and self.has_negative:
            raise fault(self.line, "a histogram with negative buckets has a sum")
        if self.has_sum and self.sum < 0 and not self.has_negative:
            raise fault(self.line, "a negative sum without negative buckets")
        if self.has_sum != (self.count is not None):
            raise fault(self.line, "of count and sum there is only one")
        if self.count is not None and self.count != self.bucket:
            raise fault(self.line, "the count is not that of the bucket of +Inf")


class FamilyRules:
    """Takes the samples of one family in the order of the page."""

    def __init__(self, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind
        self._samples: list[PageSample] = []
        self._group: Group | None = None
        self._left: set[Group] = set()
        self._time: float | None = None
        self._here: set[Labels] = set()
        self._ladder = Ladder()
        self._created: dict[Group, PageSample] = {}
        self._groups: list[Group] = []

    def take(self, sample: PageSample, time: float | None) -> None:
        """Take the next sample; `time` is its timestamp in seconds, with all its digits.

        Raises:
            ExpositionError: it breaks a rule.
        """
        suffix, group, edge = self._split(sample)
        self._check_value(sample, suffix)
        self._enter(sample, group, time)
        if self._kind in {"histogram", "gaugehistogram"}:
            self._build(sample, suffix, edge)
        if sample.labels in self._here:
            return  # the same point again, its time cut to what we can tell apart
        self._here.add(sample.labels)
        if suffix == "_created":
            self._created[group] = sample
        self._samples.append(sample)
        self._groups.append(group)

    def finish(self) -> tuple[PageSample, ...]:
        """Give the samples, those that count with their start."""
        self._ladder.finish(self._kind)
        samples = self._samples
        if self._created:
            samples = [self._started(*pair) for pair in zip(samples, self._groups, strict=True)]
        return tuple(canonical(sample, self._kind) for sample in samples)

    def _started(self, sample: PageSample, group: Group) -> PageSample:
        created = self._created.get(group)
        if created is None or created is sample or "quantile" in dict(sample.labels):
            return sample
        return sample._replace(created=created.line, start_ms=in_ms(created.value))

    def _split(self, sample: PageSample) -> tuple[str, Group, float]:
        """Give the suffix, the labels that name the group, and the bound of a bucket."""
        labels = dict(sample.labels)
        suffix = labels.pop(METRIC_NAME)[len(self._name) :]
        edge = 0.0
        if suffix == "_bucket" and self._kind in {"histogram", "gaugehistogram"}:
            edge = _bound(sample, labels.pop("le", ""))
        elif self._kind == "summary" and not suffix:
            _check_quantile(sample, labels.pop("quantile", ""))
        elif self._kind == "stateset" and labels.pop(self._name, None) is None:
            raise fault(sample.line, f"a stateset without the label {self._name!r}")
        elif self._kind == "info":
            labels.clear()
        return suffix, tuple(labels.items()), edge

    def _check_value(self, sample: PageSample, suffix: str) -> None:
        value = sample.value
        if self._kind == "info" and value != 1:
            raise fault(sample.line, "the value of an info is not 1")
        if self._kind == "stateset" and value not in {0, 1}:
            raise fault(sample.line, "the value of a stateset is neither 0 nor 1")
        if suffix in COUNTING and not value >= 0:
            raise fault(sample.line, f"{self._name}{suffix} is {value}: it can be neither negative nor NaN")
        if (suffix == "_gsum" and math.isnan(value)) or (self._kind == "summary" and not suffix and value < 0):
            raise fault(sample.line, f"{self._name}{suffix} cannot be {value}")
        if suffix == "_created" and not math.isfinite(value):
            raise fault(sample.line, f"{self._name}_created is {value}: that is no time")
        if sample.exemplar is not None and (self._kind, suffix) not in _WITH_EXEMPLAR:
            raise fault(sample.line, "exemplars belong to the totals of counters and to buckets")

    def _enter(self, sample: PageSample, group: Group, time: float | None) -> None:
        if group != self._group:
            self._ladder.finish(self._kind)
            if group in self._left:
                raise fault(sample.line, "the samples of one label set do not stand together")
            self._left.add(group)
            self._group = group
        elif self._kind == "info":
            return
        elif (time is None) != (self._time is None):
            raise fault(sample.line, "some samples of one label set have a timestamp, others have none")
        elif time is None or self._time is None or time == self._time:
            return
        elif time < self._time:
            raise fault(sample.line, "the timestamps of one label set go back")
        else:
            self._ladder.finish(self._kind)
        self._time = time
        self._here = set()
        self._ladder = Ladder()

    def _build(self, sample: PageSample, suffix: str, edge: float) -> None:
        ladder = self._ladder
        ladder.line = sample.line
        if suffix == "_bucket":
            if sample.labels not in self._here:
                ladder.climb(sample, edge)
        elif suffix in {"_count", "_gcount"}:
            ladder.count = sample.value
        elif suffix in {"_sum", "_gsum"}:
            ladder.sum, ladder.has_sum = sample.value, True


def _bound(sample: PageSample, text: str) -> float:
    if text == "+Inf":
        return math.inf
    if _BOUND.fullmatch(text) is None:
        raise fault(sample.line, f"le={text!r} is not the bound of a bucket")
    return float(text)


def _check_quantile(sample: PageSample, text: str) -> None:
    if _BOUND.fullmatch(text) is None or not 0 <= float(text) <= 1:
        raise fault(sample.line, f"quantile={text!r} is not between 0 and 1")
