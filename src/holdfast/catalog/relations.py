"""How entities hang together: the relation types, each with its inverse, and the graph that they span.

Walks are safe in the face of cycles; `find_cycle` is for those who must refuse them.
Source: Backstage, "Well-known Relations".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from holdfast.catalog.refs import Ref

Node = TypeVar("Node")


class RelationType(StrEnum):
    """What one entity is to another."""

    OWNED_BY = "ownedBy"
    OWNER_OF = "ownerOf"
    PART_OF = "partOf"
    HAS_PART = "hasPart"
    DEPENDS_ON = "dependsOn"
    DEPENDENCY_OF = "dependencyOf"
    PROVIDES_API = "providesApi"
    API_PROVIDED_BY = "apiProvidedBy"
    CONSUMES_API = "consumesApi"
    API_CONSUMED_BY = "apiConsumedBy"
    MEMBER_OF = "memberOf"
    HAS_MEMBER = "hasMember"
    PARENT_OF = "parentOf"
    CHILD_OF = "childOf"

    @property
    def inverse(self) -> RelationType:
        """The same relation seen from the other end."""
        return _INVERSES[self]


_PAIRS: Final = (
    (RelationType.OWNED_BY, RelationType.OWNER_OF),
    (RelationType.PART_OF, RelationType.HAS_PART),
    (RelationType.DEPENDS_ON, RelationType.DEPENDENCY_OF),
    (RelationType.PROVIDES_API, RelationType.API_PROVIDED_BY),
    (RelationType.CONSUMES_API, RelationType.API_CONSUMED_BY),
    (RelationType.MEMBER_OF, RelationType.HAS_MEMBER),
    (RelationType.PARENT_OF, RelationType.CHILD_OF),
)
_INVERSES: Final = {**dict(_PAIRS), **{there: here for here, there in _PAIRS}}


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """One edge, as seen from `source`."""

    source: Ref
    type: RelationType
    target: Ref

    @property
    def inverse(self) -> Relation:
        """The same edge as seen from `target`."""
        return Relation(self.target, self.type.inverse, self.source)


def index_relations(stated: Iterable[Relation]) -> dict[Ref, tuple[Relation, ...]]:
    """Close `stated` under inversion and group it by source, sorted, each edge once however often it was stated."""
    grouped: dict[Ref, set[Relation]] = {}
    for relation in stated:
        for edge in (relation, relation.inverse):
            grouped.setdefault(edge.source, set()).add(edge)
    return {source: tuple(sorted(edges)) for source, edges in grouped.items()}


def reach(start: Node, neighbours: Callable[[Node], Iterable[Node]]) -> Iterator[Node]:
    """Yield what can be reached from `start`, nearest first, each once and never `start` itself."""
    seen = {start}
    frontier = [start]
    while frontier:
        found: list[Node] = []
        for node in frontier:
            for neighbour in neighbours(node):
                if neighbour not in seen:
                    seen.add(neighbour)
                    found.append(neighbour)
                    yield neighbour
        frontier = found


def find_cycle(edges: Mapping[Node, Iterable[Node]]) -> tuple[Node, ...]:
    """Give the nodes of one cycle in order, each once, or nothing; linear in nodes and edges, and not recursive."""
    done: set[Node] = set()
    for root in edges:
        trail: list[Node] = []
        on_trail: set[Node] = set()
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, is_leaving = stack.pop()
            if is_leaving:
                on_trail.discard(trail.pop())
                done.add(node)
            elif node in on_trail:
                return tuple(trail[trail.index(node) :])
            elif node not in done:
                trail.append(node)
                on_trail.add(node)
                stack.append((node, True))
                stack.extend((neighbour, False) for neighbour in edges.get(node, ()))
    return ()
