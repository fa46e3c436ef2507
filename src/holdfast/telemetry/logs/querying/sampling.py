"""Lines become samples of series: one each, its value 1, its bytes, or what is unwrapped from a label."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.logql.nodes import Grouping, RangeAggregation, Unit
from holdfast.telemetry.logs.pipeline.conditions import PROBLEMS, READERS, compile_condition
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, JSON_ERROR, Entry
from holdfast.telemetry.logs.pipeline.parsing import LOGFMT_ERROR
from holdfast.telemetry.logs.querying.needs import questions_of_errors
from holdfast.telemetry.logs.querying.reading import Span, read_entries
from holdfast.telemetry.logs.selection import Direction, RecordSource
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.promql.quoting import quote

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.querying.limits import Meter

UNWRAP_ERROR: Final = "SampleExtractionErr"
_PARSER_ERRORS: Final = frozenset({JSON_ERROR, LOGFMT_ERROR})  # counted where a query groups by `__error__`, too
_UNITS: Final = {
    "": Unit.NUMBER,
    "duration": Unit.DURATION,
    "duration_seconds": Unit.DURATION,
    "bytes": Unit.BYTES,
}


class PipelineError(InvalidError):
    """Lines with an error would be counted: the query must say what to do with them."""

    code = "bad_data"


class Sampler:
    """Makes samples of entries, by series."""

    def __init__(self, node: RangeAggregation, meter: Meter) -> None:
        self._node = node
        self._meter = meter
        self.is_sized = node.op.startswith("bytes_")
        self._asked_errors = questions_of_errors(node)
        grouping = node.grouping
        is_grouped = grouping is not None and not grouping.is_without and ERROR in grouping.labels
        self._grouped_errors = _PARSER_ERRORS if is_grouped else frozenset[str]()
        # A label that is unwrapped is no label of the series, but for a grouping that reaches the lines and names it.
        reaches = grouping is not None and not (grouping.is_outer and node.op.startswith(("max_", "min_")))
        self._names_unwrapped = grouping is not None and reaches and not grouping.is_without
        self._conditions = [compile_condition(one) for one in node.unwrap.conditions] if node.unwrap else []
        self._read = READERS[_UNITS[node.unwrap.conversion]] if node.unwrap else READERS[Unit.NUMBER]
        self.series: dict[Labels, tuple[array[int], array[float]]] = {}

    def add(self, entries: list[Entry]) -> None:
        """Take the samples of some entries.

        Raises:
            PipelineError: a line has an error that no condition took out.
            LimitError: too many series.
        """
        for entry in entries:
            sample = self.sample(entry)
            if sample is None:
                continue
            labels, value = sample
            found = self.series.get(labels)
            if found is None:
                found = self.series[labels] = (array("q"), array("d"))
                self._meter.check_series(len(self.series))
            found[0].append(entry.ts_ns)
            found[1].append(value)

    def sample(self, entry: Entry) -> tuple[Labels, float] | None:
        """Give the series and the value of an entry; None if it has none.

        Raises:
            PipelineError: it has an error that no condition took out.
        """
        value = self._value(entry)
        if value is None:
            return None
        if entry.error and not self._is_asked_for(entry.error):
            raise _refusal(entry)
        return self._labels(entry), value

    def _is_asked_for(self, error: str) -> bool:
        return error in self._grouped_errors or any(lets_pass(error) for lets_pass in self._asked_errors)

    def _value(self, entry: Entry) -> float | None:
        unwrap = self._node.unwrap
        if unwrap is None:
            return float(len(entry.line.encode())) if self.is_sized else 1.0
        text = entry.find(unwrap.label)
        if not text:
            return None
        value = self._read(text)
        if value is None:
            entry.fail(UNWRAP_ERROR, PROBLEMS[_UNITS[unwrap.conversion]](text))
        return (value or 0.0) if all(holds(entry) for holds in self._conditions) else None

    def _labels(self, entry: Entry) -> Labels:
        labels = entry.labels()
        if self._node.unwrap is not None and not self._names_unwrapped:
            labels.pop(self._node.unwrap.label, None)
        return tuple(sorted(_group(labels, self._node.grouping).items()))  # empty ones are labels here, not in PromQL


def _group(labels: dict[str, str], grouping: Grouping | None) -> dict[str, str]:
    """Give the labels that a grouping leaves; that of a range aggregation leaves an error, an outer one does not."""
    if grouping is None:
        return labels
    if grouping.is_without:
        return {name: value for name, value in labels.items() if name not in grouping.labels}
    names = grouping.labels if grouping.is_outer else (*grouping.labels, ERROR, DETAILS)
    return {name: labels[name] for name in names if name in labels}


def _refusal(entry: Entry) -> PipelineError:
    labels = ", ".join(f"{name}={quote(value)}" for name, value in sorted(entry.labels().items()))
    return PipelineError(
        f"pipeline error: '{entry.error}' for series: '{{{labels}}}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | {ERROR}!="{entry.error}").\n'
        f'To skip all potential errors you can match empty errors.(e.g {ERROR}="")\n'
        f'The label filter can also be specified after unwrap. (e.g | unwrap latency | {ERROR}="" )\n'
    )


async def sample(
    source: RecordSource, tenant: TenantId, node: RangeAggregation, span: tuple[int, int], meter: Meter
) -> dict[Labels, tuple[array[int], array[float]]]:
    """Read the lines of a range aggregation and give its samples by series."""
    sampler = Sampler(node, meter)
    wanted = Span(*span, Direction.FORWARD)
    async for entries in read_entries(source, tenant, node.selector, wanted, meter):
        sampler.add(entries)
    return sampler.series
