"""Conditions on labels as functions of an entry.

A number that cannot be read is noted as an error, if there is none yet, and the line stays. Only texts are asked of
`__error__`: an address keeps a line with an error, and a number is never found there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Final

from holdfast.telemetry.logs.logql.nodes import (
    Both,
    Condition,
    Either,
    IpCondition,
    NumberCondition,
    TextCondition,
    Unit,
)
from holdfast.telemetry.logs.logql.quantities import (
    parse_duration_ns,
    parse_number,
    parse_size_bytes,
    problem_of_duration,
    problem_of_number,
    problem_of_size,
)
from holdfast.telemetry.logs.pipeline.addresses import has_address, parse_addresses
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, Entry
from holdfast.telemetry.metrics.matching import question_of

Holds = Callable[[Entry], bool]
FILTER_ERROR: Final = "LabelFilterErr"
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def compile_condition(condition: Condition) -> Holds:
    """Give the question whether an entry satisfies a condition.

    Raises:
        ValueError: a set of addresses is none.
    """
    match condition:
        case TextCondition():
            return _text(condition)
        case NumberCondition():
            return _number(condition)
        case IpCondition():
            return _address(condition)
        case Both():
            first, second = compile_condition(condition.left), compile_condition(condition.right)
            return lambda entry: first(entry) and second(entry)
        case Either():
            one, other = compile_condition(condition.left), compile_condition(condition.right)
            return lambda entry: one(entry) or other(entry)


def _text(condition: TextCondition) -> Holds:
    label, question = condition.matcher.label, question_of(condition.matcher)
    return lambda entry: question(entry.get(label))


def _number(condition: NumberCondition) -> Holds:
    label, wanted, compare = condition.label, condition.value, _COMPARE[condition.op]
    read = READERS[condition.unit]

    def holds(entry: Entry) -> bool:
        text = entry.find(label)
        if text is None or label in {ERROR, DETAILS}:
            return False
        value = read(text)
        if value is None:
            if not entry.error:
                entry.fail(FILTER_ERROR, PROBLEMS[condition.unit](text))
            return True
        return compare(value, wanted)

    return holds


def read_seconds(text: str) -> float | None:
    """Read a duration as Go's; None if it is none."""
    length = parse_duration_ns(text)
    return None if length is None else length / 1e9


def read_bytes(text: str) -> float | None:
    """Read a size; None if it is none."""
    return parse_size_bytes(text)


READERS: Final[dict[Unit, Callable[[str], float | None]]] = {
    Unit.NUMBER: parse_number,
    Unit.DURATION: read_seconds,
    Unit.BYTES: read_bytes,
}
PROBLEMS: Final[dict[Unit, Callable[[str], str]]] = {
    Unit.NUMBER: problem_of_number,
    Unit.DURATION: problem_of_duration,
    Unit.BYTES: problem_of_size,
}


def _address(condition: IpCondition) -> Holds:
    in_set = parse_addresses(condition.pattern)

    def holds(entry: Entry) -> bool:
        if entry.error:
            return True
        text = entry.find(condition.label)
        if text is None:
            return False
        return has_address(text, in_set) != condition.is_negative

    return holds
