"""The immutable snapshot of all entities that everybody reads: lookup, relations from both ends, dependencies.

A snapshot is built whole and never changes; a reload makes a new one (`store`). Files are the business of `reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from holdfast.catalog.entities import Entity, short_name
from holdfast.catalog.kinds import SERVICE_KINDS
from holdfast.catalog.refs import Ref
from holdfast.catalog.relations import Relation, RelationType, index_relations, reach
from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.kernel.ids import ServiceId


class Entities:
    """Every entity of one load, with lookup, relations from both ends, and the graph of dependencies."""

    def __init__(self, entities: Iterable[Entity] = (), warnings: tuple[InvalidError, ...] = ()) -> None:
        self._by_ref = MappingProxyType({entity.ref: entity for entity in entities})
        self._relations = index_relations(
            Relation(entity.ref, statement.type, self.resolve(statement.target))
            for entity in self._by_ref.values()
            for statement in entity.statements
        )
        self._names, self._services = self._name_services()
        self._folded = {name.lower(): name for name in self._services}
        self.warnings = warnings

    def __iter__(self) -> Iterator[Entity]:
        """Yield the entities in the order of their files."""
        return iter(self._by_ref.values())

    def __len__(self) -> int:
        """Count the entities."""
        return len(self._by_ref)

    def find(self, ref: Ref) -> Entity | None:
        """Give the entity behind `ref`, if there is one."""
        return self._by_ref.get(self.resolve(ref))

    def resolve(self, ref: Ref) -> Ref:
        """Fill an open kind in: a Component of that name, else a Resource, else a Component that is not there."""
        if ref.kind:
            return ref
        candidates = [Ref(kind, ref.namespace, ref.name) for kind in SERVICE_KINDS]
        return next((candidate for candidate in candidates if candidate in self._by_ref), candidates[0])

    def relations_of(self, ref: Ref) -> tuple[Relation, ...]:
        """Give the relations of an entity, stated by itself or by the other end, sorted by type and target."""
        return self._relations.get(ref, ())

    def related(self, ref: Ref, *types: RelationType) -> tuple[Ref, ...]:
        """Give the other ends of the relations of these types, sorted; they need not exist."""
        return tuple(edge.target for edge in self.relations_of(ref) if edge.type in types)

    @property
    def services(self) -> Mapping[ServiceId, Entity]:
        """Every service under its name: `payments`, `billing/payments` in a namespace of its own."""
        return self._services

    def service(self, name: str) -> Entity:
        """Give the service called `name`, in any case.

        Raises:
            NotFoundError: no service is called that.
        """
        found = self._services.get(self._folded.get(name.lower(), ServiceId(name)))
        if found is None:
            raise NotFoundError(
                f"there is no service {name!r} in the catalog", hint="see the files in services/ of the ops folder"
            )
        return found

    def service_name(self, ref: Ref) -> ServiceId | None:
        """Give the name under which the service behind `ref` goes, or None when it is not a service."""
        return self._names.get(ref)

    @property
    def teams(self) -> tuple[Entity, ...]:
        """The groups, in the order of their files."""
        return tuple(entity for entity in self if entity.ref.kind == "group")

    def owner_of(self, ref: Ref) -> Ref | None:
        """Give the group or user that answers for an entity."""
        return next(iter(self.related(ref, RelationType.OWNED_BY)), None)

    def system_of(self, ref: Ref) -> Ref | None:
        """Give the system that an entity is part of."""
        return next((part for part in self.related(ref, RelationType.PART_OF) if part.kind == "system"), None)

    def dependencies(self, service: ServiceId) -> tuple[ServiceId, ...]:
        """Give the services that `service` needs: those it depends on, and those that provide an API it consumes."""
        ref = self._services[service].ref
        direct = self.related(ref, RelationType.DEPENDS_ON)
        behind = (
            provider
            for api in self.related(ref, RelationType.CONSUMES_API)
            for provider in self.related(api, RelationType.API_PROVIDED_BY)
        )
        return self._as_services(ref, (*direct, *behind))

    def dependents(self, service: ServiceId) -> tuple[ServiceId, ...]:
        """Give the services that need `service`: the same edges seen from the other end."""
        ref = self._services[service].ref
        direct = self.related(ref, RelationType.DEPENDENCY_OF)
        behind = (
            consumer
            for api in self.related(ref, RelationType.PROVIDES_API)
            for consumer in self.related(api, RelationType.API_CONSUMED_BY)
        )
        return self._as_services(ref, (*direct, *behind))

    def all_dependencies(self, service: ServiceId) -> tuple[ServiceId, ...]:
        """Give everything that `service` needs, however far down, nearest first; cycles end where they began."""
        return tuple(reach(service, self.dependencies))

    def all_dependents(self, service: ServiceId) -> tuple[ServiceId, ...]:
        """Give everything that needs `service`, however far up, nearest first: what an outage of it touches."""
        return tuple(reach(service, self.dependents))

    def _as_services(self, own: Ref, refs: Iterable[Ref]) -> tuple[ServiceId, ...]:
        names = {self._names[ref] for ref in refs if ref in self._names and ref != own}
        return tuple(sorted(names))

    def _name_services(self) -> tuple[Mapping[Ref, ServiceId], Mapping[ServiceId, Entity]]:
        names: dict[Ref, ServiceId] = {}
        services: dict[ServiceId, Entity] = {}
        taken: set[str] = set()
        for kind in SERVICE_KINDS:
            for entity in (entity for entity in self if entity.ref.kind == kind):
                name = short_name(entity)
                if name.lower() in taken:
                    name = f"{kind}:{name}"
                taken.add(name.lower())
                names[entity.ref] = ServiceId(name)
                services[ServiceId(name)] = entity
        ordered = {name: services[name] for name in sorted(services)}
        return MappingProxyType(names), MappingProxyType(ordered)
