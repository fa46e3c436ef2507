"""Through which door something comes in, known to whoever counts on its way; set by the doors, for their own task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_DOOR: Final[ContextVar[str]] = ContextVar("holdfast_door", default="")


@contextmanager
def through(door: str) -> Iterator[None]:
    """Say that what comes in within the block comes through this door."""
    token = _DOOR.set(door)
    try:
        yield
    finally:
        _DOOR.reset(token)


def current_door() -> str:
    """Give the door; empty where none is known."""
    return _DOOR.get()
