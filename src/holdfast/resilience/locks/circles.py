"""Finds the circle of owners who wait for each other, before the last of them starts to wait.

An owner waits for the holder of what it wants; those before it in the queue wait for the same holder, so
holders are all that needs to be followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Circle = tuple[tuple[str, str], ...]


def find_circle(
    owner: str, name: str, *, holder_of: Callable[[str], str | None], wanted_by: Callable[[str], Iterable[str]]
) -> Circle | None:
    """Give the circle that `owner` would close by waiting for `name`, or None.

    Args:
        owner: Who is about to wait.
        name: For which lock.
        holder_of: The live holder of a lock.
        wanted_by: The locks that an owner waits for now.
    """
    waiting: list[Circle] = [((owner, name),)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        holder = holder_of(path[-1][1])
        if holder == owner:
            return path
        if holder is None or holder in seen:
            continue
        seen.add(holder)
        waiting += [(*path, (holder, wanted)) for wanted in wanted_by(holder)]
    return None
