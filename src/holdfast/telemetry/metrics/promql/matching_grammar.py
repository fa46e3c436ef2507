"""What stands between an operator and its right side: `bool on (a) group_left (b) fill (0)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from holdfast.telemetry.metrics.promql.duration_grammar import parse_literal
from holdfast.telemetry.metrics.promql.label_grammar import parse_grouping
from holdfast.telemetry.metrics.promql.nodes import Matching, Span
from holdfast.telemetry.metrics.promql.tokens import FILLS

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.stream import TokenStream

_PLAIN: Final = Matching()
_CARDS: Final[dict[str, Literal["many-to-one", "one-to-many"]]] = {
    "group_left": "many-to-one",
    "group_right": "one-to-many",
}
_OTHER: Final = {"fill_left": "fill_right", "fill_right": "fill_left"}


def parse_bool(stream: TokenStream) -> bool:
    """Read `bool`, if it is there."""
    if stream.token.key != "bool":
        return False
    stream.take()
    return True


def parse_matching(stream: TokenStream) -> Matching:
    """Read how the two sides find each other."""
    key = stream.token.key
    is_named = key in {"on", "ignoring"}
    if not is_named and key not in FILLS:
        return _PLAIN
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    card: Literal["one-to-one", "many-to-one", "one-to-many"] = "one-to-one"
    if is_named:
        stream.take()
        labels = parse_grouping(stream)
        if stream.token.key in _CARDS:
            card = _CARDS[stream.take().key]
            include = parse_grouping(stream) if stream.token.key == "(" else ()
    fill_left, fill_right = _fills(stream)
    return Matching(card, key == "on", labels, include, fill_left, fill_right)


def _fills(stream: TokenStream) -> tuple[float | None, float | None]:
    word = stream.token
    if word.key not in FILLS:
        return None, None
    if not stream.options.fill_modifiers:
        raise stream.refusal(Span(word.start, word.end), "binop fill modifiers are experimental and not enabled")
    stream.take()
    value = _fill_value(stream)
    if word.key == "fill":
        return value, value
    other = None
    if stream.token.key == _OTHER[word.key]:
        stream.take()
        other = _fill_value(stream)
    return (value, other) if word.key == "fill_left" else (other, value)


def _fill_value(stream: TokenStream) -> float:
    stream.expect("(")
    sign = -1 if stream.token.key == "-" else 1
    if stream.token.key in {"+", "-"}:
        stream.take()
    if stream.token.key not in {"number", "duration"}:
        raise stream.unexpected("fill modifier", "number")
    value = sign * parse_literal(stream).value
    stream.expect(")")
    return value
