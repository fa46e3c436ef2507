"""The words of the text formats: names, quoted values with their escapes, label lists, numbers.

Shared by both text formats where they agree; each says itself how strict it is about spaces and commas.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.telemetry.metrics.exposition.page import ExpositionError
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

NAME: Final = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
LABEL: Final = rb"[a-zA-Z_][a-zA-Z0-9_]*+"
QUOTED: Final = rb'"(?:[^"\\]|\\[^\n])*+"'
BRACES: Final = rb'\{(?:[^"\n{}]|' + QUOTED + rb")*+\}"

_STRICT_PAIR: Final = re.compile(rb"(?:(" + LABEL + rb")|(" + QUOTED + rb"))(?:=(" + QUOTED + rb"))?(,?)")
_LOOSE_PAIR: Final = re.compile(
    rb"[ \t]*(?:(" + LABEL + rb")|(" + QUOTED + rb"))[ \t]*(?:=[ \t]*(" + QUOTED + rb"))?[ \t]*(,?)[ \t]*"
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_VALUE_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}
_HELP_ESCAPES: Final = {"n": "\n", "\\": "\\"}
# A number as both formats know it (OpenMetrics 1.0, ABNF of `number`): decimal, or the words in any case.
_NUMBER: Final = re.compile(rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf(?:inity)?|nan", re.IGNORECASE)


def decode(raw: bytes) -> str:
    """Give text; raises `ExpositionError` when it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ExpositionError(f"not UTF-8 text (byte {error.start} of {raw[:60]!r})") from None


def unquoted(raw: bytes) -> str:
    """Give what stands between the quotes of `raw`, escapes replaced; an unknown escape stays as it is."""
    text = decode(raw[1:-1])
    return _ESCAPE.sub(_value_escape, text) if "\\" in text else text


def help_text(raw: bytes, *, has_quote_escape: bool) -> str:
    """Give the text of a HELP line, escapes replaced."""
    text = decode(raw)
    return _ESCAPE.sub(_value_escape if has_quote_escape else _help_escape, text) if "\\" in text else text


def number(raw: bytes) -> float:
    """Read a value; raises `ExpositionError` for anything that is not a number in these formats."""
    if _NUMBER.fullmatch(raw) is None:
        raise ExpositionError(f"{_shown(raw)} is not a number")
    return float(raw)


def labels_of_series(name: bytes, braces: bytes, *, is_strict: bool) -> tuple[Labels, tuple[str, ...]]:
    """Give the sorted label set of a series, written as `name{...}` or `{"name",...}`, and the names of empty labels.

    Raises:
        ExpositionError: the list of labels is malformed, a name stands twice, or there is no metric name.
    """
    pairs, quoted_name = label_pairs(braces, is_strict=is_strict)
    if quoted_name is not None:
        if name:
            raise ExpositionError(f"two names: {_shown(name)} and {quoted_name!r}")
        metric = quoted_name
    else:
        metric = name.decode()
    if not metric:
        raise ExpositionError("a sample without a metric name")
    if METRIC_NAME in pairs:
        raise ExpositionError(f"the label {METRIC_NAME} stands in braces")
    pairs[METRIC_NAME] = metric
    empty = () if all(pairs.values()) else tuple(sorted(key for key, value in pairs.items() if not value))
    return tuple(sorted((key, value) for key, value in pairs.items() if value)), empty


def label_pairs(braces: bytes, *, is_strict: bool) -> tuple[dict[str, str], str | None]:
    """Read `{a="b",...}`: the pairs, and the metric's name if it stands in the braces (UTF-8 names)."""
    pairs: dict[str, str] = {}
    metric: str | None = None
    position, end = 1, len(braces) - 1
    if not is_strict:
        while position < end and braces[position] in b" \t":
            position += 1
    pattern = _STRICT_PAIR if is_strict else _LOOSE_PAIR
    comma, is_apart = b"", True
    while position < end:
        match = pattern.match(braces, position, end)
        if match is None or not is_apart:
            raise ExpositionError(f"labels are malformed at {_shown(braces[position:])}")
        plain, quoted, value, comma = match.groups()
        position = match.end()
        if value is None:
            if quoted is None or metric is not None or (pairs and is_strict):
                raise ExpositionError(f"the label {_shown(plain or quoted)} has no value")
            metric, is_apart = unquoted(quoted), bool(comma)
            continue
        key = plain.decode() if quoted is None else unquoted(quoted)
        if not key or key in pairs:
            raise ExpositionError(f"the label {key!r} stands twice" if key else "a label without a name")
        pairs[key] = unquoted(value)
        is_apart = bool(comma) or not is_strict
    if is_strict and comma:
        raise ExpositionError("a comma without a label behind it")
    return pairs, metric


def _shown(raw: bytes) -> str:
    return repr(raw[:60].decode(errors="replace"))


def _value_escape(match: re.Match[str]) -> str:
    return _VALUE_ESCAPES.get(match[1], match[0])


def _help_escape(match: re.Match[str]) -> str:
    return _HELP_ESCAPES.get(match[1], match[0])
