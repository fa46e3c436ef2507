"""One element of a binary operation in which a histogram takes part: slow, exact, with its annotations.

Source: promql/engine.go, vectorElemBinop.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.promql import histograms
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Span

Element = float | Histogram
WORDS = {"+": "addition", "-": "subtraction"}


@dataclass(frozen=True, slots=True)
class ElementOperator:
    """An operator between a histogram and a number or another histogram."""

    op: str
    span: Span
    notes: Notes

    def apply(self, left: Element, right: Element) -> tuple[Element | None, bool]:
        """Give the result, None if there is none, and whether a comparison holds."""
        if isinstance(left, Histogram) and isinstance(right, Histogram):
            return self._both(left, right)
        if isinstance(left, Histogram):
            assert not isinstance(right, Histogram)
            return self._with_number(left, right)
        if isinstance(right, Histogram) and self.op == "*":
            return histograms.compact(histograms.scale(right, left)), True
        self._tell_incompatible(left, right)
        return None, False

    def _with_number(self, left: Histogram, right: float) -> tuple[Element | None, bool]:
        if self.op == "*":
            return histograms.compact(histograms.scale(left, right)), True
        if self.op == "/":
            return histograms.compact(histograms.divide(left, right)), True
        if self.op in {"</", ">/"}:
            return histograms.trim(left, right, is_upper=self.op == "</"), True
        self._tell_incompatible(left, right)
        return None, False

    def _both(self, left: Histogram, right: Histogram) -> tuple[Element | None, bool]:
        if self.op in {"==", "!="}:
            return left, histograms.equals(left, right) == (self.op == "==")
        if self.op not in WORDS:
            self._tell_incompatible(left, right)
            return None, False
        try:
            combined = (histograms.add if self.op == "+" else histograms.sub)(left, right)
        except histograms.IncompatibleSchemasError:
            self.notes.incompatible_buckets(self.op, self.span)
            return None, False
        if combined.is_collision:
            self.notes.reset_collision(WORDS[self.op], self.span)
        if combined.is_reconciled:
            self.notes.reconciled(WORDS[self.op], self.span)
        result = histograms.compact(combined.histogram)
        return (histograms.with_hint(result, ResetHint.GAUGE) if self.op == "-" else result), True

    def _tell_incompatible(self, left: Element, right: Element) -> None:
        self.notes.incompatible_types(kind_of(left), self.op, kind_of(right), self.span)


def kind_of(element: Element) -> str:
    """Name the kind of a sample, as annotations do."""
    return "histogram" if isinstance(element, Histogram) else "float"
