"""The tokens of one query as the grammar walks through them, and the way its errors are told.

An error names the construct around it that is still open (`in aggregation`, `in label matching`), as Prometheus' does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.promql.lexer import scan
from holdfast.telemetry.metrics.promql.nodes import Span
from holdfast.telemetry.metrics.promql.positions import syntax_error
from holdfast.telemetry.metrics.promql.tokens import Kind, Token, describe

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.promql.checks import Problem
    from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError

MAX_DEPTH: Final = 120  # of parentheses, calls and signs in each other: each one costs a few frames of Python's stack


@dataclass(frozen=True, slots=True)
class ParserOptions:
    """Which parts of the language are on that Prometheus hides behind feature flags; here all are, unless refused."""

    experimental_functions: bool = True
    duration_expressions: bool = True
    extended_selectors: bool = True
    fill_modifiers: bool = True


class TokenStream:
    """A query, the token that comes next, and what is known to be wrong.

    Attributes:
        text: the query.
        options: which experiments are on.
        token: the next token.
        context: the innermost open construct and what it waits for, for errors that no rule words by itself.
        is_info_filter: whether the argument that chooses info metrics is being read, which may choose by nothing.
    """

    __slots__ = ("_deferred", "_depth", "_index", "_tokens", "context", "is_info_filter", "options", "text", "token")

    def __init__(self, text: str, options: ParserOptions) -> None:
        self.text = text
        self.options = options
        tokens = scan(text)
        self._tokens = [*tokens, tokens[-1], tokens[-1]]  # so that nobody has to look whether there is a next one
        self._index = 0
        self.token: Token = self._tokens[0]
        self.context = ("", "")
        self.is_info_filter = False
        self._deferred: Problem | None = None
        self._depth = 0

    def take(self) -> Token:
        """Give the next token and go on."""
        taken = self.token
        self._index += 1
        self.token = self._tokens[self._index]
        return taken

    def following(self) -> str:
        """Tell what comes after the next token."""
        return self._tokens[self._index + 1].key

    def last_end(self) -> int:
        """Tell where the token ends that was taken last."""
        return self._tokens[self._index - 1].end if self._index else 0

    def is_finished(self) -> bool:
        """Tell whether nothing comes any more."""
        return self.token.kind is Kind.END_OF_INPUT

    def expect(self, key: str, within: str = "", expected: str = "") -> Token:
        """Take the next token, which has to be this one."""
        if self.token.key != key:
            raise self.unexpected(within, expected)
        return self.take()

    def enter(self) -> None:
        """Go one level deeper; `leave` comes back."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.refusal(
                Span(self.token.start, self.token.end), f"more than {MAX_DEPTH} expressions in each other"
            )

    def leave(self) -> None:
        """Come back one level."""
        self._depth -= 1

    def unexpected(self, within: str = "", expected: str = "") -> QuerySyntaxError:
        """Refuse the next token, within a construct or, if none is named, in the innermost open one."""
        token = self.token
        if token.kind is Kind.ERROR:
            return self.refusal(Span(token.start, len(self.text)), token.text)
        if not within:
            within, expected = self.context
        problem = f"unexpected {describe(token)}"
        problem += f" in {within}" if within else ""
        problem += f", expected {expected}" if expected else ""
        return self.refusal(Span(token.start, token.end), problem)

    def refusal(self, span: Span, problem: str) -> QuerySyntaxError:
        """Give the error that refuses the query."""
        return syntax_error(self.text, span, problem)

    def remember(self, problem: Problem | None) -> None:
        """Remember what is wrong with the types, unless something else was found before."""
        if problem is not None and self._deferred is None:
            self._deferred = problem

    def finish(self) -> None:
        """Refuse the query for what was remembered."""
        if self._deferred is not None:
            raise self.refusal(*self._deferred)
