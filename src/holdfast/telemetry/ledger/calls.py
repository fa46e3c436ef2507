"""The request that a note belongs to, so that what a sink has told with its records is not told once more by the door.

Set around a request by whoever answers it; tasks and threads that the request starts share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Call:
    """One request to a door; `has_told` once something of it was noted as left out."""

    has_told: bool = False


_CALL: Final[ContextVar[Call | None]] = ContextVar("holdfast_ledger_call", default=None)


@contextmanager
def answering() -> Iterator[Call]:
    """Say that what is noted within the block belongs to one request."""
    call = Call()
    token = _CALL.set(call)
    try:
        yield call
    finally:
        _CALL.reset(token)


def is_answering() -> bool:
    """Tell whether somebody waits for an answer, who is told what was not taken; else it is tried again, or ours."""
    return _CALL.get() is not None


def tell_call() -> None:
    """Say that something of the request was noted as left out."""
    call = _CALL.get()
    if call is not None:
        call.has_told = True
