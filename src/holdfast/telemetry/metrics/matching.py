"""Matchers as a question about one label's value: `question_of(matcher)` gives the cheapest function that answers it.

Expressions are RE2, match the whole value, and `.` is any character, newlines included, as in Prometheus 3. What is in
truth a list of words (`a|b|c`), a prefix or `.*` never reaches RE2.
"""

from __future__ import annotations

import re as spelling
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import re2

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.labels import Labels
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

Question = Callable[[str], bool]

_WORDS: Final = spelling.compile(r"[^\\.+*?()\[\]{}|^$]*(?:\|[^\\.+*?()\[\]{}|^$]*)*")
_PREFIX: Final = spelling.compile(r"([^\\.+*?()\[\]{}|^$]*)\.([*+])")
_SURROGATES: Final = spelling.compile("[\ud800-\udfff]")  # stand for bytes that are no UTF-8
_GO_WORDS: Final = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "unexpected )": "unexpected )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid character class range": "invalid character class range",
    "trailing \\": "trailing backslash at end of expression",
}
_MEMORY_BYTES: Final = 8 << 20  # of one expression, so that a hostile one is refused instead of eating the memory
_REMEMBERED: Final = 4096


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    options.dot_nl = True
    return options


_OPTIONS: Final = _options()


@lru_cache(maxsize=_REMEMBERED)
def question_of(matcher: Matcher) -> Question:
    """Give the question whether a value, empty for a label that is not there, satisfies the matcher.

    Raises:
        InvalidError: the expression is no RE2.
    """
    wanted = matcher.value
    match matcher.op:
        case MatchOp.EQUAL:
            return wanted.__eq__
        case MatchOp.NOT_EQUAL:
            return wanted.__ne__
        case MatchOp.MATCHES:
            return whole_match(wanted)
        case MatchOp.NOT_MATCHES:
            positive = whole_match(wanted)
            return lambda value: not positive(value)


@lru_cache(maxsize=_REMEMBERED)
def whole_match(expression: str) -> Question:
    """Give the question whether a value matches the expression as a whole.

    Raises:
        InvalidError: the expression is no RE2.
    """
    if _SURROGATES.search(expression):
        compile_whole(expression)  # refuses it
    if _WORDS.fullmatch(expression):
        words = frozenset(expression.split("|"))
        return words.__contains__ if len(words) > 1 else next(iter(words)).__eq__
    if prefix := _PREFIX.fullmatch(expression):
        return _prefix_test(prefix[1], needs_more=prefix[2] == "+")
    full = compile_whole(expression).fullmatch
    return lambda value: full(value.encode("utf-8", "surrogateescape")) is not None


def compile_whole(expression: str) -> re2._Regexp[bytes]:
    """Compile an expression of a matcher, of `label_replace` or of relabelling; use `fullmatch`, on bytes of UTF-8.

    Raises:
        InvalidError: the expression is no RE2; the message is that of Go's parser.
    """
    try:
        return re2.compile(expression.encode("utf-8", "surrogateescape"), _OPTIONS)
    except re2.error as error:
        message = f"error parsing regexp: {as_go_says(error, expression)}"
        raise InvalidError(message, hint="expressions are RE2: no lookaround, no backreferences") from error


def matches_empty(matcher: Matcher) -> bool:
    """Tell whether a series without the label satisfies the matcher."""
    return question_of(matcher)("")


def chosen(series: Iterable[Labels], matchers: Sequence[Matcher]) -> list[int]:
    """Give the places of the label sets that satisfy all matchers."""
    tests = [(matcher.label, question_of(matcher)) for matcher in matchers]
    found = []
    for place, labels in enumerate(series):
        values = dict(labels)
        if all(test(values.get(label, "")) for label, test in tests):
            found.append(place)
    return found


def _prefix_test(prefix: str, *, needs_more: bool) -> Question:
    if needs_more:
        return lambda value: len(value) > len(prefix) and value.startswith(prefix)
    return lambda value: value.startswith(prefix)


def as_go_says(error: re2.error, expression: str) -> str:
    """Give what is wrong with an expression in the words of Go's parser."""
    reason = error.args[0] if error.args else ""
    told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    code, _, where = told.partition(": ")
    shown = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", where or expression)
    return f"{_GO_WORDS.get(code, code)}: `{shown}`"
