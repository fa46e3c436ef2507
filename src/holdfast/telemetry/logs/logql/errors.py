"""What is wrong with a LogQL query, with the place in its text; messages have the form of Loki's."""

from __future__ import annotations

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.promql.nodes import Span


class LogqlError(InvalidError):
    """The text is no LogQL, or asks for what does not go together; `span` says where, in characters from 0."""

    code = "bad_data"

    def __init__(
        self, message: str, *, span: Span | None = None, text: str = "", hint: str = "", is_lineless: bool = False
    ) -> None:
        """Say what is wrong, and where if there is a place; `is_lineless` of a length in brackets, as Loki has it."""
        line = 0 if is_lineless or span is None else line_of(text, span.start)
        place = "" if span is None else f"at line {line}, col {column_of(text, span.start)}"
        super().__init__(f"parse error {place}: {message}" if place else f"parse error : {message}", hint=hint)
        self.span = span


def line_of(text: str, at: int) -> int:
    """Give the line of a character, from 1."""
    return text.count("\n", 0, at) + 1


def column_of(text: str, at: int) -> int:
    """Give the column of a character, from 1."""
    return at - (text.rfind("\n", 0, at) + 1) + 1
