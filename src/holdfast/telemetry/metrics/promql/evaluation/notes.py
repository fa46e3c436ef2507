"""Warnings and infos of a query, each sentence once, with the last place that it is about.

The sentences are Prometheus' (`util/annotations`), because tools and its own tests compare them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from holdfast.telemetry.metrics.promql.histograms import write_number
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.positions import place
from holdfast.telemetry.metrics.promql.quoting import quote

FORCED: Final = (
    "input to histogram_quantile needed to be fixed for monotonicity "
    "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
)


@dataclass(frozen=True, slots=True)
class Raised:
    """Counts of classic histograms that fell and were raised: between which bounds, by how much, how often and when."""

    low: float
    high: float
    most: float
    samples: int
    first_ms: int
    last_ms: int

    def merged(self, other: Raised) -> Raised:
        """Give what there is to say of both."""
        return Raised(
            min(self.low, other.low),
            max(self.high, other.high),
            max(self.most, other.most),
            self.samples + other.samples,
            min(self.first_ms, other.first_ms),
            max(self.last_ms, other.last_ms),
        )

    def __str__(self) -> str:
        return (
            f"from buckets {write_number(self.low)} to {write_number(self.high)}, with a max diff of {self.most:.2g}, "
            f"over {self.samples} samples from {_rfc3339(self.first_ms)} to {_rfc3339(self.last_ms)}"
        )


class Notes:
    """Collects what there is to say about a query while it is evaluated; safe to use from several threads."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._warnings: dict[str, Span] = {}
        self._infos: dict[str, Span] = {}
        self._raised: dict[str, tuple[Raised, Span]] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings so far."""
        return tuple(f"PromQL warning: {each} ({self._place(span)})" for each, span in self._warnings.items())

    @property
    def infos(self) -> tuple[str, ...]:
        """The infos so far."""
        raised = {f"{sentence}, {what}": span for sentence, (what, span) in self._raised.items()}
        return tuple(f"PromQL info: {each} ({self._place(span)})" for each, span in (self._infos | raised).items())

    def warn(self, sentence: str, span: Span) -> None:
        """Add a warning about the node at `span`."""
        self._warnings[sentence] = span

    def info(self, sentence: str, span: Span) -> None:
        """Add an info about the node at `span`."""
        self._infos[sentence] = span

    def _place(self, span: Span) -> str:
        return place(self._text, span.start) if self._text else f"1:{span.start + 1}"

    def mixed_floats_and_histograms(self, name: str, span: Span) -> None:
        """Warn: a range has both kinds where only one can be."""
        self.warn(f"encountered a mix of histograms and floats for metric name {quote(name)}", span)

    def mixed_schemas(self, name: str, span: Span) -> None:
        """Warn: exponential and custom buckets do not mix."""
        what = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        self.warn(f"{what} {quote(name)}", span)

    def not_a_counter(self, name: str, span: Span) -> None:
        """Warn: a gauge histogram where a counter is needed."""
        self.warn(f"this native histogram metric is not a counter: {quote(name)}", span)

    def not_a_gauge(self, name: str, span: Span) -> None:
        """Warn: a counter histogram where a gauge is needed."""
        self.warn(f"this native histogram metric is not a gauge: {quote(name)}", span)

    def ignored_in_range(self, name: str, span: Span) -> None:
        """Tell: a function of floats passed over histograms."""
        what = "ignored histograms in a range containing both floats and histograms for metric name"
        self.info(f"{what} {quote(name)}", span)

    def ignored_in_aggregation(self, aggregation: str, span: Span) -> None:
        """Tell: an aggregation of floats passed over histograms."""
        self.info(f"ignored histogram in {aggregation} aggregation", span)

    def invalid_quantile(self, value: float, span: Span) -> None:
        """Warn: a quantile outside 0 to 1."""
        self.warn(f"quantile value should be between 0 and 1, got {write_number(value)}", span)

    def invalid_ratio(self, value: float, cap: float, span: Span) -> None:
        """Warn: a ratio outside -1 to 1."""
        got = f"got {write_number(value)}, capping to {write_number(cap)}"
        self.warn(f"ratio value should be between -1 and 1, {got}", span)

    def incompatible_types(self, left: str, op: str, right: str, span: Span) -> None:
        """Tell: this operator does nothing between these kinds of samples."""
        what = "incompatible sample types encountered for binary operator"
        self.info(f"{what} {quote(op)}: {left} {op} {right}", span)

    def incompatible_buckets(self, op: str, span: Span) -> None:
        """Warn: two histograms do not fit together."""
        self.warn(f"incompatible bucket layout encountered for binary operator {op}", span)

    def reconciled(self, operation: str, span: Span) -> None:
        """Tell: custom bounds differed, the common ones were kept; `operation` is addition, subtraction or the like."""
        self.info(f"mismatched custom buckets were reconciled during {operation}", span)

    def reset_collision(self, operation: str, span: Span) -> None:
        """Warn: counter resets contradict each other."""
        self.warn(f"conflicting counter resets during histogram {operation}", span)

    def start_overlap(self, name: str, span: Span) -> None:
        """Warn: a sample says that it began before the sample before it."""
        what = "sample has start time that overlaps with previous sample timestamp for metric"
        self.warn(f"{what} {quote(name)}", span)

    def forced_monotonicity(self, name: str, raised: Raised, span: Span) -> None:
        """Tell: counts were raised; what is told of one name is one note, about the first place."""
        sentence = FORCED + of_name(name)
        known = self._raised.get(sentence)
        self._raised[sentence] = (raised, span) if known is None else (known[0].merged(raised), known[1])

    def possibly_no_counter(self, name: str, span: Span) -> None:
        """Tell: the name is not one of a counter."""
        what = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        self.info(f"{what} {quote(name)}", span)

    def possibly_no_counter_type(self, name: str, kind: str, span: Span) -> None:
        """Tell: the type label is not that of a counter."""
        what = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"'
        self.info(f"{what}, got {quote(kind)}: {quote(name)}", span)


def of_name(name: str) -> str:
    """Name the metric at the end of a sentence, if there is a name."""
    return f" for metric name {quote(name)}" if name else ""


def _rfc3339(ts_ms: int) -> str:
    return datetime.fromtimestamp(int(ts_ms / 1000), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
