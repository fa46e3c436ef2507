"""Fields that belong to what the program is doing now, such as a request, and so to every line it logs meanwhile.

They live in one context variable: tasks inherit them, and what a task binds stays its own. `threads` takes them to
pools and processes, `carriers` over HTTP, gRPC and message buses.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from holdfast.journal.encoding import encode_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

CORRELATION_ID: Final = "correlation_id"
REQUEST_ID: Final = "request_id"
TRACE_ID: Final = "trace_id"
SPAN_ID: Final = "span_id"
TRACESTATE: Final = "tracestate"  # travels with the trace, and stands in no line
OF_THE_HEAD: Final = frozenset({"service", "logger", TRACE_ID, SPAN_ID})  # what a line may have from elsewhere


class Context:
    """The fields bound now, and what they look like in a line, made once."""

    __slots__ = ("_text", "fields", "is_plain", "trace_id")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self._text: str | None = None
        self.is_plain = OF_THE_HEAD.isdisjoint(fields)
        self.trace_id: str = fields.get(TRACE_ID, "")

    @property
    def text(self) -> str:
        """The fields as members of a JSON object, each with a comma before it."""
        if self._text is None:
            shown = {name: value for name, value in self.fields.items() if name != TRACESTATE}
            self._text = encode_fields(shown, is_careful=True)
        return self._text


NOTHING: Final = Context(MappingProxyType({}))

CURRENT: Final[ContextVar[Context]] = ContextVar("holdfast_journal_context", default=NOTHING)


class bind:  # noqa: N801 -- reads as a verb where it is used
    """Add fields to every line logged inside: `with bind(order_id=7): ...`. Inner values win over outer ones."""

    __slots__ = ("_before", "_fields")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._before: Context = NOTHING

    def __enter__(self) -> Self:
        self._before = CURRENT.get()
        fields = {**self._before.fields, **self._fields}
        if TRACE_ID in self._fields and TRACESTATE not in self._fields:
            fields.pop(TRACESTATE, None)  # it belongs to the trace that it came with
        CURRENT.set(Context(MappingProxyType(fields)))
        return self

    def __exit__(self, *_: object) -> None:
        # Not by token: a generator may be closed in another context than the one that it was entered in.
        CURRENT.set(self._before)


def bound_fields() -> Mapping[str, Any]:
    """Give the fields bound now, read-only; hand them to `bind` in a thread or process of your own."""
    return CURRENT.get().fields


def correlation_id() -> str:
    """Give the id that joins everything done for one request, across services; empty outside of one."""
    return str(CURRENT.get().fields.get(CORRELATION_ID, ""))


def new_correlation_id() -> str:
    """Make an id for a request that came without one: 32 hexadecimal digits."""
    return os.urandom(16).hex()
