"""Which check stands below which: parents, their parents, and who is to blame when one fails.

A pure view of the names; it neither runs checks nor knows verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Lineage:
    """The parents of every check, as a graph without circles."""

    def __init__(self, parents: Mapping[str, tuple[str, ...]]) -> None:
        self._parents = dict(parents)
        self._children: dict[str, list[str]] = {}
        for child, above in parents.items():
            for parent in above:
                self._children.setdefault(parent, []).append(child)

    def parents(self, name: str) -> tuple[str, ...]:
        """Give the checks right above `name`."""
        return self._parents.get(name, ())

    def descendants(self, name: str) -> tuple[str, ...]:
        """Give every check below `name`, each after all of its ancestors that are below `name` too."""
        order: list[str] = []
        done: set[str] = set()
        stack = [(name, False)]
        while stack:
            current, is_left = stack.pop()
            if is_left:
                order.append(current)
            elif current not in done:
                done.add(current)
                stack.append((current, True))
                stack += [(child, False) for child in self._children.get(current, ())]
        return tuple(reversed(order[:-1]))


def find_circles(parents: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Give every circle that a depth-first walk closes, each as the names along it, first name repeated at the end."""
    circles: list[tuple[str, ...]] = []
    finished: set[str] = set()
    for start in parents:
        _walk(start, parents, finished, circles)
    return circles


def _walk(
    start: str, parents: Mapping[str, tuple[str, ...]], finished: set[str], circles: list[tuple[str, ...]]
) -> None:
    trail: list[str] = []
    stack: list[tuple[str, Iterable[str]]] = []
    if start not in finished:
        trail.append(start)
        stack.append((start, iter(parents.get(start, ()))))
    while stack:
        name, rest = stack[-1]
        following = next(iter(rest), None)
        if following is None:
            stack.pop()
            trail.pop()
            finished.add(name)
        elif following in trail:
            circles.append((*trail[trail.index(following) :], following))
        elif following not in finished:
            trail.append(following)
            stack.append((following, iter(parents.get(following, ()))))
