"""A selection as SQL over `log_records`: streams, time, line filters, fields. Values are bound, numbers stand in it.

Bodies are searched by `LIKE`, which the engine answers from the full-text index where the words are rare enough, and by
`match` with RE2. Expressions are checked here first, so that the error is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.logs.lines import compile_line
from holdfast.telemetry.logs.reading.layers import Layers
from holdfast.telemetry.logs.records import DETECTED_LEVEL
from holdfast.telemetry.logs.selection import Hint, LineFilter, LineOp
from holdfast.telemetry.logs.tables import NOT_OBSERVED, SLOT_NS
from holdfast.telemetry.metrics.matching import compile_whole
from holdfast.telemetry.metrics.samples import MatchOp

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.samples import Matcher

_LIKE_SPECIAL: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
_COLUMNS: Final = {
    DETECTED_LEVEL: "level",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "severity_text": "severity_text",
    "severity_number": "if(severity = 0, '', toString(severity))",
    "observed_timestamp": f"if(lag_ns = {NOT_OBSERVED}, '', toString(ts_ns + lag_ns))",
}


@dataclass(slots=True)
class Condition:
    """What stands behind `WHERE`, and the values to bind.

    Attributes:
        terms: joined by `AND`; they name columns of `log_records` and ask for `{tenant:String}`.
        parameters: values by name.
        layers: columns that `having` names.
        having: a term over these columns, empty if there is none.
        is_empty: no record can satisfy it, so that nothing need be asked.
    """

    terms: list[str] = field(default_factory=lambda: ["tenant = {tenant:String}"])
    parameters: dict[str, Any] = field(default_factory=dict)
    is_empty: bool = False
    layers: Layers = field(default_factory=Layers)
    having: str = ""

    @property
    def sql(self) -> str:
        """The terms as one."""
        return " AND ".join(self.terms)

    @property
    def rows(self) -> str:
        """What stands behind `FROM`."""
        rows = f"log_records WHERE {self.sql}"
        if not self.having:
            return rows
        return f"(SELECT * FROM {self.layers.around(rows)}) WHERE {self.having}"  # noqa: S608 -- values are bound

    def bind(self, value: str) -> str:
        """Give the place that stands for a text."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:String}}"

    def between(self, start_ns: int, end_ns: int) -> Condition:
        """Give the same for [start_ns, end_ns)."""
        first, last = start_ns // SLOT_NS, (end_ns - 1) // SLOT_NS
        time = [f"slot BETWEEN {first} AND {last}", f"ts_ns >= {start_ns} AND ts_ns < {end_ns}"]
        return Condition(
            [self.terms[0], *time, *self.terms[1:]], self.parameters, self.is_empty, self.layers, self.having
        )

    def of_streams(self, ids: Sequence[int], *, is_all: bool) -> None:
        """Ask for records of these streams."""
        if not ids:
            self.is_empty = True
        elif not is_all:
            self.terms.append(f"stream_id IN ({','.join(map(str, ids))})")

    def add_line(self, line: LineFilter) -> None:
        """Ask for bodies that pass a line filter.

        Raises:
            InvalidError: an expression is no RE2.
        """
        is_positive = line.op in {LineOp.CONTAINS, LineOp.MATCHES}
        is_text = line.op in {LineOp.CONTAINS, LineOp.NOT_CONTAINS}
        if "" in line.values:  # found in every line
            self.is_empty = self.is_empty or not is_positive
            return
        tests = [self._text(value) if is_text else self._expression(value) for value in line.values]
        found = f"({' OR '.join(tests)})"
        self.terms.append(found if is_positive else f"NOT {found}")

    def _text(self, value: str) -> str:
        return f"body LIKE {self.bind(f'%{value.translate(_LIKE_SPECIAL)}%')}"

    def _expression(self, value: str) -> str:
        compile_line(value)
        return f"match(body, {self.bind(f'(?-s:{value})')})"

    def add_hint(self, hint: Hint, streams: Sequence[int]) -> None:
        """Leave out records that a hint excludes; `streams` are those that have one of its labels themselves."""
        tests = [self._text(text) for text in hint.texts]
        if streams:
            tests.append(f"stream_id IN ({','.join(map(str, streams))})")
        for label in hint.labels:
            place = self.bind(label)
            tests.append(f"mapContains(attributes, {place}) OR (shared != '' AND JSONHas(shared, {place}))")
        self.terms.append(f"({' OR '.join(tests)})")

    def add_field(self, matcher: Matcher) -> None:
        """Ask for records whose structured metadata satisfies a matcher.

        Raises:
            InvalidError: the expression is no RE2.
        """
        value = field_expression(matcher.label, self)
        if matcher.op in {MatchOp.MATCHES, MatchOp.NOT_MATCHES}:
            compile_whole(matcher.value)
            found = f"match({value}, {self.bind(f'^(?s:{matcher.value})$')})"
        else:
            found = f"{value} = {self.bind(matcher.value)}"
        is_positive = matcher.op in {MatchOp.EQUAL, MatchOp.MATCHES}
        self.terms.append(found if is_positive else f"NOT {found}")


def field_expression(name: str, condition: Condition) -> str:
    """Give the SQL of a field of structured metadata as text, empty where a record has none."""
    known = _COLUMNS.get(name)
    if known is not None:
        return known
    place = condition.bind(name)
    return f"if(mapContains(attributes, {place}), attributes[{place}], JSONExtractString(shared, {place}))"


def is_column(name: str) -> bool:
    """Tell whether a field of structured metadata has a column of its own, where empty means that there is none."""
    return name in _COLUMNS
