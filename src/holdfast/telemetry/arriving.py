"""Through which door something comes in, known to whoever counts on its way; set by the doors, for their own task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_DOOR: Final[ContextVar[str]] = ContextVar("holdfast_door", default="")
_REPEATED: Final[ContextVar[bool]] = ContextVar("holdfast_repeated", default=False)


@contextmanager
def through(door: str) -> Iterator[None]:
    """Say that what comes in within the block comes through this door."""
    token = _DOOR.set(door)
    try:
        yield
    finally:
        _DOOR.reset(token)


@contextmanager
def repeated(*, is_repeat: bool) -> Iterator[None]:
    """Say whether the sender of what comes in within the block knows that it may have been stored before."""
    token = _REPEATED.set(is_repeat)
    try:
        yield
    finally:
        _REPEATED.reset(token)


def is_repeated() -> bool:
    """Tell whether what comes in may have been stored before, however long ago."""
    return _REPEATED.get()


def current_door() -> str:
    """Give the door; empty where none is known."""
    return _DOOR.get()
