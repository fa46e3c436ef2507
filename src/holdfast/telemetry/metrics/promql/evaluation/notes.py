"""Warnings and infos of a query, each once, with the place that they are about.

The sentences are Prometheus' (`util/annotations`), because tools and its own tests compare them.
"""

from __future__ import annotations

import json

from holdfast.telemetry.metrics.promql.nodes import Span


def quote(text: str) -> str:
    """Write a string in double quotes, as Go's %q does for ordinary text."""
    return json.dumps(text, ensure_ascii=False)


def write_g(value: float) -> str:
    """Write a number as Go's %g does."""
    if value != value:  # noqa: PLR0124 -- NaN is the only number that differs from itself
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


class Notes:
    """Collects what there is to say about a query while it is evaluated; safe to use from several threads."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._warnings: dict[str, None] = {}
        self._infos: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings so far."""
        return tuple(self._warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        """The infos so far."""
        return tuple(self._infos)

    def warn(self, sentence: str, span: Span) -> None:
        """Add a warning about the node at `span`."""
        self._warnings.setdefault(f"PromQL warning: {sentence} ({self._place(span)})")

    def info(self, sentence: str, span: Span) -> None:
        """Add an info about the node at `span`."""
        self._infos.setdefault(f"PromQL info: {sentence} ({self._place(span)})")

    def _place(self, span: Span) -> str:
        before = self._text[: span.start]
        line_start = before.rfind("\n") + 1
        return f"{before.count(chr(10)) + 1}:{span.start - line_start + 1}"

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
        self.warn(f"quantile value should be between 0 and 1, got {write_g(value)}", span)

    def invalid_ratio(self, value: float, cap: float, span: Span) -> None:
        """Warn: a ratio outside -1 to 1."""
        got = f"got {write_g(value)}, capping to {write_g(cap)}"
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

    def possibly_no_counter(self, name: str, span: Span) -> None:
        """Tell: the name is not one of a counter."""
        what = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        self.info(f"{what} {quote(name)}", span)

    def possibly_no_counter_type(self, name: str, kind: str, span: Span) -> None:
        """Tell: the type label is not that of a counter."""
        what = 'metric might not be a counter, __type__ label is not set to "counter" or "histogram"'
        self.info(f"{what}, got {quote(kind)}: {quote(name)}", span)
