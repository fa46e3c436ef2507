"""What only the whole catalog can tell: duplicates and cycles (refused), loose ends and shared names (warned of)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from holdfast.catalog.entities import Entity, Statement
from holdfast.catalog.refs import Ref
from holdfast.catalog.relations import RelationType, find_cycle
from holdfast.catalog.snapshot import Entities
from holdfast.kernel.errors import InvalidError, Place

# Relations that must not lead back to where they began, with how people say it.
_ACYCLIC: Final = (
    (RelationType.DEPENDS_ON, "depends on"),
    (RelationType.PART_OF, "is part of"),
    (RelationType.CHILD_OF, "is a child of"),
)


def find_duplicates(entities: Iterable[Entity]) -> Iterator[InvalidError]:
    """Yield a fault for every entity whose reference is taken, naming both places."""
    first: dict[Ref, Place] = {}
    for entity in entities:
        if entity.ref in first:
            yield InvalidError(
                f"{entity.ref} is defined twice: here and at {first[entity.ref].file}:{first[entity.ref].line}",
                hint="rename or remove one; names are compared without regard to case",
                place=entity.place,
            )
        first.setdefault(entity.ref, entity.place)


def find_cycles(entities: Entities) -> tuple[InvalidError, ...]:
    """Give a fault for each relation type that runs in a circle, with the place of every step of one circle."""
    found = (_find_cycle(entities, relation, verb) for relation, verb in _ACYCLIC)
    return tuple(fault for fault in found if fault is not None)


def _find_cycle(entities: Entities, relation: RelationType, verb: str) -> InvalidError | None:
    edges = {entity.ref: entities.related(entity.ref, relation) for entity in entities}
    cycle = find_cycle(edges)
    if not cycle:
        return None
    steps = [
        (here, there, _place_of(entities, here, relation, there))
        for here, there in zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    ]
    told = "; ".join(f"{here} {verb} {there} ({place.file}:{place.line})" for here, there, place in steps)
    return InvalidError(f"a circle: {told}", hint=f"remove one of these {relation} relations", place=steps[0][2])


def _place_of(entities: Entities, here: Ref, relation: RelationType, there: Ref) -> Place:
    """Find which statement, on either end, makes the edge."""
    for source, wanted, target in ((here, relation, there), (there, relation.inverse, here)):
        entity = entities.find(source)
        for statement in entity.statements if entity else ():
            if statement.type is wanted and entities.resolve(statement.target) == target:
                return statement.place
    return Place()


def find_dangling(entities: Entities) -> Iterator[InvalidError]:
    """Yield one warning for each entity that is referred to and not there, at the first place that refers to it."""
    referring: dict[Ref, list[Statement]] = {}
    for entity in entities:
        for statement in entity.statements:
            target = entities.resolve(statement.target)
            if entities.find(target) is None:
                referring.setdefault(target, []).append(statement)
    by_name = _by_name(entities)
    for target, statements in referring.items():
        others = [str(ref) for ref in by_name(target.name) if ref != target]
        count = (
            f"{len(statements)} references; define it or mend them" if len(statements) > 1 else "define it or mend it"
        )
        hint = f"did you mean {others[0]}?" if others else count
        yield InvalidError(f"{target} is named here and not in the catalog", hint=hint, place=statements[0].place)


def _by_name(entities: Entities) -> Callable[[str], list[Ref]]:
    index: dict[str, list[Ref]] = {}
    for entity in entities:
        index.setdefault(entity.ref.name, []).append(entity.ref)
    return lambda name: index.get(name, [])


def find_shared_names(entities: Entities) -> Iterator[InvalidError]:
    """Yield a warning for each service that cannot go by its plain name because another service has it."""
    for name, entity in entities.services.items():
        if name.startswith(f"{entity.ref.kind}:"):
            yield InvalidError(
                f"a component has the name {entity.name!r} too, so this {entity.ref.kind} goes by {name!r}",
                hint="rename one of them",
                place=entity.place,
            )
