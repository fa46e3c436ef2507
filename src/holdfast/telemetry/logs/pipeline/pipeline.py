"""Stages of a query, compiled once, applied to each line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.logql.errors import LogqlError
from holdfast.telemetry.logs.logql.printing import print_stage
from holdfast.telemetry.logs.pipeline import parsing
from holdfast.telemetry.logs.pipeline.conditions import compile_condition
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, Entry, Step
from holdfast.telemetry.logs.pipeline.line_filters import compile_line_filter
from holdfast.telemetry.metrics.matching import question_of

_COLOURS: Final = re.compile(
    "[\x1b\x9b][\\[\\]()#;?]*"
    "(?:(?:[a-zA-Z0-9]*(?:;[a-zA-Z0-9]*)*)?\x07|(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~])"
)
_MOST_DISTINCT: Final = 1_000_000


class Pipeline:
    """What becomes of lines. `distinct` remembers what it has seen, so make one for each query."""

    def __init__(self, stages: Sequence[nodes.Stage]) -> None:
        """Compile the stages.

        Raises:
            LogqlError: an expression, path, pattern or template of a stage is none.
        """
        self._steps = [compile_stage(stage) for stage in stages]

    def apply(self, entry: Entry) -> bool:
        """Change an entry; tell whether its line stays."""
        return all(step(entry) for step in self._steps)


def compile_stage(stage: nodes.Stage) -> Step:
    """Give a stage as a function of an entry.

    Raises:
        LogqlError: an expression, path, pattern or template of it is none.
    """
    try:
        return _MAKERS[type(stage)](stage)
    except ValueError as error:
        if isinstance(stage, nodes.PatternParser):
            raise LogqlError(f"invalid pattern parser: {error}") from error
        raise LogqlError(f"stage '{print_stage(stage)}' : {error}") from error


def _line_filter(stage: nodes.LineFilter) -> Step:
    test = compile_line_filter(stage)
    return lambda entry: test(entry.line)


def _label_filter(stage: nodes.LabelFilter) -> Step:
    return compile_condition(stage.condition)


def _decolorize(_: nodes.Decolorize) -> Step:
    def clean(entry: Entry) -> bool:
        entry.line = _COLOURS.sub("", entry.line)
        return True

    return clean


def _drop(stage: nodes.DropLabels) -> Step:
    choices = [(one.label, _question(one)) for one in stage.choices]

    def drop(entry: Entry) -> bool:
        for label, question in choices:
            if question is None or ((value := entry.find(label)) is not None and question(value)):
                entry.drop(label)
        return True

    return drop


def _question(choice: nodes.LabelChoice) -> Callable[[str], bool] | None:
    return None if choice.matcher is None else question_of(choice.matcher)


def _keep(stage: nodes.KeepLabels) -> Step:
    choices: dict[str, list[Callable[[str], bool] | None]] = {}
    for one in stage.choices:
        choices.setdefault(one.label, []).append(_question(one))

    def keep(entry: Entry) -> bool:
        for label, value in entry.labels().items():
            questions = choices.get(label, ())
            is_kept = any(question is None or question(value) for question in questions)
            if not is_kept and label not in {ERROR, DETAILS}:
                entry.drop(label)
        return True

    return keep


def _distinct(stage: nodes.Distinct) -> Step:
    seen: set[tuple[str | None, ...]] = set()

    def is_new(entry: Entry) -> bool:
        values = tuple(entry.find(label) for label in stage.labels)
        if values in seen:
            return False
        if len(seen) < _MOST_DISTINCT:
            seen.add(values)
        return True

    return is_new


def _line_format(stage: nodes.LineFormat) -> Step:
    from holdfast.telemetry.logs.pipeline.formatting import line_format_step  # noqa: PLC0415 -- templates load slowly

    return line_format_step(stage)


def _label_format(stage: nodes.LabelFormat) -> Step:
    from holdfast.telemetry.logs.pipeline.formatting import label_format_step  # noqa: PLC0415 -- as above

    return label_format_step(stage)


_MAKERS: Final[dict[type[nodes.Node], Callable[[Any], Step]]] = {
    nodes.LineFilter: _line_filter,
    nodes.LabelFilter: _label_filter,
    nodes.JsonParser: parsing.json_step,
    nodes.LogfmtParser: parsing.logfmt_step,
    nodes.RegexpParser: parsing.regexp_step,
    nodes.PatternParser: parsing.pattern_step,
    nodes.UnpackParser: parsing.unpack_step,
    nodes.LineFormat: _line_format,
    nodes.LabelFormat: _label_format,
    nodes.Decolorize: _decolorize,
    nodes.DropLabels: _drop,
    nodes.KeepLabels: _keep,
    nodes.Distinct: _distinct,
}
