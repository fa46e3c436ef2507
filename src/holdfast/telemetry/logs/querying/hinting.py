"""What filters of parsed labels tell of lines not yet parsed: `| json | status="500"` wants a line that holds `500`.

Only where nothing else could have made the label. Values may be written with escapes, so lines with a backslash are
never left out where a parser reads escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.telemetry.logs.logql import nodes
from holdfast.telemetry.logs.pipeline.entries import SUFFIX
from holdfast.telemetry.logs.reading import is_column
from holdfast.telemetry.logs.selection import Hint
from holdfast.telemetry.metrics.samples import MatchOp

_WITH_ESCAPES: Final = (nodes.JsonParser, nodes.LogfmtParser)
_PARSERS: Final = (*_WITH_ESCAPES, nodes.RegexpParser, nodes.PatternParser)
_HARMLESS: Final = (nodes.LineFilter, nodes.LabelFilter, nodes.DropLabels, nodes.KeepLabels)
_WORDS: Final = re.compile(r"[^\\.+*?()\[\]{}|^$]+(?:\|[^\\.+*?()\[\]{}|^$]+)*")
_ESCAPE: Final = "\\"
_REPLACED: Final = "\ufffd"  # parsers make a space of it


def hints_of(stages: Sequence[nodes.Stage]) -> tuple[Hint, ...]:
    """Give what the filters of a pipeline tell of lines."""
    hints: list[Hint] = []
    is_parsed, has_escapes = False, False
    for stage in stages:
        if isinstance(stage, _PARSERS):
            is_parsed, has_escapes = True, has_escapes or isinstance(stage, _WITH_ESCAPES)
        elif not isinstance(stage, _HARMLESS):
            break
        elif isinstance(stage, nodes.LabelFilter) and is_parsed:
            hints += [_escaped(hint) if has_escapes else hint for hint in _hints(stage.condition)]
    return tuple(hints)


def _hints(condition: nodes.Condition) -> Iterator[Hint]:
    """Give hints that all hold."""
    match condition:
        case nodes.TextCondition():
            if texts := _texts(condition):
                yield Hint((condition.matcher.label,), texts)
        case nodes.Both():
            yield from _hints(condition.left)
            yield from _hints(condition.right)
        case nodes.Either():
            left, right = next(_hints(condition.left), None), next(_hints(condition.right), None)
            if left is not None and right is not None:
                yield Hint(left.labels + right.labels, left.texts + right.texts)


def _texts(condition: nodes.TextCondition) -> tuple[str, ...]:
    """Give texts of which the line holds one; none if that cannot be said."""
    matcher = condition.matcher
    if matcher.label.startswith("__") or matcher.label.endswith(SUFFIX) or is_column(matcher.label):
        return ()
    if matcher.op is MatchOp.EQUAL and matcher.value:
        return (matcher.value,)
    if matcher.op is MatchOp.MATCHES and _WORDS.fullmatch(matcher.value):
        return tuple(matcher.value.split("|"))
    return ()


def _escaped(hint: Hint) -> Hint:
    has_space = any(" " in text for text in hint.texts)
    return Hint(hint.labels, (*hint.texts, _ESCAPE, *((_REPLACED,) if has_space else ())))
