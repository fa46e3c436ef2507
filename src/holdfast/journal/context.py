"""Fields that belong to what the program is doing now, such as a request, and so to every line it logs meanwhile.

They live in one context variable: tasks inherit them, and what a task binds stays its own. Threads started
through `asyncio.to_thread` inherit them too; other threads and processes do not.
"""

from __future__ import annotations

import uuid
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

CORRELATION_ID: Final = "correlation_id"
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_FIELDS: ContextVar[Mapping[str, Any]] = ContextVar("holdfast_journal_fields", default=NOTHING)


class bind:  # noqa: N801 -- reads as a verb where it is used
    """Add fields to every line logged inside: `with bind(order_id=7): ...`. Inner values win over outer ones."""

    __slots__ = ("_before", "_fields")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._before: Mapping[str, Any] = NOTHING

    def __enter__(self) -> Self:
        self._before = _FIELDS.get()
        _FIELDS.set(MappingProxyType({**self._before, **self._fields}))
        return self

    def __exit__(self, *_: object) -> None:
        # Not by token: a generator may be closed in another context than the one that it was entered in.
        _FIELDS.set(self._before)


def bound_fields() -> Mapping[str, Any]:
    """Give the fields bound now, read-only; hand them to `bind` in a thread or process of your own."""
    return _FIELDS.get()


def correlation_id() -> str:
    """Give the id that joins everything done for one request, across services; empty outside of one."""
    return str(_FIELDS.get().get(CORRELATION_ID, ""))


def new_correlation_id() -> str:
    """Make an id for a request that came without one: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def add_bound_fields(_logger: Any, _level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the bound fields into an event, as a structlog processor; the event's own fields win."""
    for name, value in _FIELDS.get().items():
        event.setdefault(name, value)
    return event
