"""Remembers what a `with policy:` block holds, so that one policy may be entered by many tasks and threads at once.

Each context (a task, a thread) has its own chain of entries. A block must be left where it was entered.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

Entry = tuple[object, Any, "Entry | None"]

_ENTERED: Final[ContextVar[Entry | None]] = ContextVar("holdfast_resilience_entries", default=None)


def push(policy: object, held: object) -> None:
    """Remember that this context entered `policy` and holds `held`."""
    _ENTERED.set((policy, held, _ENTERED.get()))


def pop(policy: object) -> Any:
    """Give what this context's latest entry of `policy` holds, and forget it.

    Raises:
        RuntimeError: The block is left in another task or thread than it was entered in.
    """
    top = _ENTERED.get()
    if top is not None and top[0] is policy:
        _ENTERED.set(top[2])
        return top[1]
    above: list[Entry] = []  # a generator's block may be left after one that was entered later
    while top is not None and top[0] is not policy:
        above.append(top)
        top = top[2]
    if top is None:
        raise RuntimeError(f"{policy!r} is left in another task or thread than it was entered in")
    rest = top[2]
    for owner, held, _ in reversed(above):
        rest = (owner, held, rest)
    _ENTERED.set(rest)
    return top[1]
