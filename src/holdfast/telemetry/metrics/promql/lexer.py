"""Cuts a query into tokens; what cannot be cut becomes one last `ERROR` token with Prometheus' message.

The text has three moods: outside, inside braces (no word is a keyword there), and inside brackets, where durations are
reckoned. Which mood refuses which character, and where the error is placed, is taken from Prometheus.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.telemetry.metrics.promql.literals import scan_number_or_duration, string_problem
from holdfast.telemetry.metrics.promql.quoting import quote, quote_character
from holdfast.telemetry.metrics.promql.tokens import FILLS, WORDS, Kind, Token

_ESCAPE: Final = (
    r"\\(?:[abfnrtv\\{0}]|[0-3][0-7]{{2}}|x[0-9a-fA-F]{{2}}|u(?![dD][89a-fA-F])[0-9a-fA-F]{{4}}"
    r"|U(?!0000[dD][89a-fA-F])00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{{4}})"
)
_STRING: Final = (
    rf'"(?:[^"\\\n\uD800-\uDFFF]|{_ESCAPE.format(chr(34))})*"'
    rf"|'(?:[^'\\\n\uD800-\uDFFF]|{_ESCAPE.format(chr(39))})*'"
    r"|`[^`\uD800-\uDFFF]*`"
)
_OUTSIDE: Final = re.compile(
    r"(?:[ \t\n\r]+|\#[^\r\n]*)*(?:"
    r"(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdw]))*(?![a-zA-Z0-9_]))"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![a-zA-Z0-9_.]))"
    r"|(?P<operator>==|!=|<[=/]?|>[=/]?|[-+*/%^@])"
    r"|(?P<punctuation>=(?!~)|,)"
    r"|(?P<paren>[()])|(?P<brace>\{)|(?P<bracket>[\[\]])"
    rf"|(?P<string>{_STRING})"
    r"|(?P<odd_number>\.?[0-9])|(?P<odd_string>[\"'`])|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_BRACES: Final = re.compile(
    r"(?:[ \t\n\r]+|\#[^\r\n]*)*(?:"
    r"(?P<word>[a-zA-Z_][a-zA-Z0-9_]*)|(?P<operator>=~|!~|!=)|(?P<punctuation>[,=])"
    rf"|(?P<string>{_STRING})|(?P<brace>\}})"
    r"|(?P<odd_string>[\"'`])|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_DURATION_START: Final = re.compile(
    r"[ \t\n\r]*(?:(?P<number>\.?[0-9])|(?P<operator>[-+*/%^])|(?P<punctuation>,)|(?P<paren>[()])|(?P<colon>:)"
    r"|(?P<close>\])|(?P<word>[a-zA-Z_]+)|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_KINDS: Final = {kind.value: kind for kind in Kind}  # a look-up is faster than a call of the enumeration
_LETTERS: Final = re.compile("[a-zA-Z_]+")
_PAREN_FOLLOWS: Final = re.compile(r"[ \t\n\r]*\(")
_DURATION_WORDS: Final = {
    "step": Kind.PREPROCESSOR,
    "range": Kind.PREPROCESSOR,
    "min": Kind.AGGREGATOR,
    "max": Kind.AGGREGATOR,
    "min_of": Kind.IDENTIFIER,
    "max_of": Kind.IDENTIFIER,
}


def scan(text: str) -> list[Token]:
    """Give the tokens of a query; the last one is `END_OF_INPUT` or `ERROR`, whose text is then the message."""
    lexer = _Lexer(text)
    while not lexer.is_done:
        lexer.step()
    return lexer.tokens


class _Lexer:
    """A place in the text, what is open there, and the tokens so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.is_done = False
        self._at = 0
        self._parens = 0
        self._in_braces = False
        self._in_brackets = False
        self._in_duration = False  # in brackets, before the first number
        self._had_number = False
        self._had_colon = False

    def step(self) -> None:
        """Cut one token."""
        if self._in_braces:
            self._step_inside_braces()
        elif self._in_duration:
            self._step_inside_duration()
        else:
            self._step_outside()

    def _emit(self, kind: Kind, word: str, start: int) -> None:
        self.tokens.append(Token(kind, word, word, start))
        self._at = start + len(word)

    def _emit_value(self, kind: Kind, word: str, start: int) -> None:
        self.tokens.append(Token(kind, kind, word, start))
        self._at = start + len(word)

    def _fail(self, problem: str, start: int) -> None:
        self.tokens.append(Token(Kind.ERROR, Kind.ERROR.value, problem, start))
        self.is_done = True

    def _step_outside(self) -> None:
        group, word, start = self._next(_OUTSIDE)
        match group:
            case "word":
                self._word(word, start)
            case "number" | "duration" | "string":
                self._emit_value(_KINDS[group], word, start)
            case "operator" | "punctuation":
                self._emit(_KINDS[group], word, start)
            case "paren":
                self._paren(word, start)
            case "brace":
                self._emit(Kind.PUNCTUATION, word, start)
                self._in_braces = True
            case "bracket":
                self._bracket(word, start)
            case _:
                self._odd(group, word, start)

    def _odd(self, group: str, word: str, start: int) -> None:
        match group:
            case "odd_number":
                self._number(start)
            case "odd_string":
                self._fail(string_problem(self.text, start), start)
            case "end":
                self._end(start)
            case _:
                self._fail(self._unexpected(word, start), start)

    def _next(self, pattern: re.Pattern[str]) -> tuple[str, str, int]:
        match = pattern.match(self.text, self._at)
        assert match is not None  # every pattern ends with "any character or the end"
        group = match.lastgroup or ""
        return group, match[group], match.start(group)

    def _word(self, word: str, start: int) -> None:
        if self._in_brackets:
            self._word_inside_brackets(word, start)
            return
        lower = word.lower()
        kind = WORDS.get(lower)
        if kind is Kind.NUMBER:
            self._emit_value(kind, word, start)
        elif kind is not None and not (lower in FILLS and not _PAREN_FOLLOWS.match(self.text, start + len(word))):
            self.tokens.append(Token(kind, lower, word, start))
            self._at = start + len(word)
        else:
            self._emit_value(Kind.METRIC_IDENTIFIER if ":" in word else Kind.IDENTIFIER, word, start)

    def _word_inside_brackets(self, word: str, start: int) -> None:
        if word[0] != ":":
            if not self._duration_word(start):
                self._fail(f"unexpected character: {quote_character(word[0])}, expected ':'", start)
        elif self._had_colon:
            self._fail("unexpected colon ':'", start)
        else:
            self._emit(Kind.PUNCTUATION, ":", start)
            self._had_colon = True

    def _duration_word(self, start: int) -> bool:
        match = _LETTERS.match(self.text, start)
        word = match[0] if match else ""
        kind = _DURATION_WORDS.get(word.lower())
        if kind is not None:
            self.tokens.append(Token(kind, word.lower(), word, start))
            self._at = start + len(word)
        return kind is not None

    def _paren(self, word: str, start: int) -> None:
        self._parens += 1 if word == "(" else -1
        if self._parens < 0:
            self._fail("unexpected right parenthesis ')'", start + 1)
        else:
            self._emit(Kind.PUNCTUATION, word, start)

    def _bracket(self, word: str, start: int) -> None:
        if self._in_brackets == (word == "["):
            self._fail(f"unexpected {'left' if word == '[' else 'right'} bracket '{word}'", start)
            return
        self._emit(Kind.PUNCTUATION, word, start)
        self._in_brackets = self._in_duration = word == "["
        self._had_colon = False

    def _number(self, start: int) -> None:
        is_number, end, is_good = scan_number_or_duration(self.text, start)
        word = self.text[start:end]
        if is_good:
            self._emit_value(Kind.NUMBER if is_number else Kind.DURATION, word, start)
        else:
            self._fail(f"bad number or duration syntax: {quote(word)}", start)

    def _end(self, start: int) -> None:
        if self._parens:
            self._fail("unclosed left parenthesis", start)
        elif self._in_brackets:
            self._fail("unclosed left bracket", start)
        else:
            self.tokens.append(Token(Kind.END_OF_INPUT, Kind.END_OF_INPUT.value, "", start))
            self.is_done = True

    def _unexpected(self, character: str, start: int) -> str:
        following = self.text[start + 1 : start + 2]
        if character == "!":
            return f"unexpected character after '!': {quote_character(following or chr(0xFFFD))}"
        if character == "=":
            return f"unexpected character after '=': {quote_character(following)}"
        return f"unexpected character: {quote_character(character)}"

    def _step_inside_braces(self) -> None:
        group, word, start = self._next(_BRACES)
        match group:
            case "word":
                self._emit_value(Kind.IDENTIFIER, word, start)
            case "string":
                self._emit_value(Kind.STRING, word, start)
            case "operator" | "punctuation":
                self._emit(_KINDS[group], word, start)
            case "brace":
                self._emit(Kind.PUNCTUATION, word, start)
                self._in_braces = False
            case "odd_string":
                self._fail(string_problem(self.text, start), start)
            case "end":
                self._fail("unexpected end of input inside braces", start)
            case _:
                self._fail(self._unexpected_inside_braces(word, start), start)

    def _unexpected_inside_braces(self, character: str, start: int) -> str:
        if character == "{":
            return "unexpected left brace '{'"
        if character == "!":
            following = self.text[start + 1 : start + 2] or chr(0xFFFD)
            return f"unexpected character after '!' inside braces: {quote_character(following)}"
        return f"unexpected character inside braces: {quote_character(character)}"

    def _step_inside_duration(self) -> None:
        group, word, start = self._next(_DURATION_START)
        match group:
            case "number":
                self._at = start
                self._in_duration = False
                self._had_number = True
                self._step_outside()
            case "operator" | "punctuation":
                self._emit(_KINDS[group], word, start)
            case "paren":
                self._paren(word, start)
            case "close":
                self._emit(Kind.PUNCTUATION, word, start)
                self._in_brackets = self._in_duration = self._had_colon = False
            case "colon":
                self._colon_before_number(start)
            case "end":
                self._fail("unexpected end of input in duration expression", start)
            case _:
                if group != "word" or not self._duration_word(start):
                    self._fail(f"unexpected character in duration expression: {quote_character(word[0])}", start)

    def _colon_before_number(self, start: int) -> None:
        has_duration = self._had_number or self.tokens[-1].text == ")"
        if not has_duration:
            self._fail("unexpected colon before duration in duration expression", start + 1)
        elif self._had_colon:
            self._fail("unexpected repeated colon in duration expression", start + 1)
        else:
            self._emit(Kind.PUNCTUATION, ":", start)
            self._had_colon = True
