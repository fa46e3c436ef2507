"""`/catalog/entities`: what the descriptors say, of every kind. Services with their health are `holdfast.health`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from holdfast.catalog.entities import Entity, short_ref
from holdfast.catalog.refs import Ref, parse_ref
from holdfast.catalog.snapshot import Entities
from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT

Reader = Annotated[Identity, Depends(requires("catalog.read"))]


@dataclass(frozen=True, slots=True)
class EntityOut:
    """An entity in a list; `service` is its name among services, null for what is none."""

    ref: str
    kind: str
    namespace: str
    name: str
    title: str
    type: str
    description: str
    owner: str
    system: str
    tier: str
    tags: list[str]
    service: str | None


@dataclass(frozen=True, slots=True)
class EntityList:
    """Entities in the order of their files; all of them are on one page."""

    items: list[EntityOut]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class EntityRelationOut:
    """A relation as seen from the entity; `is_defined` is false where the target is in no file."""

    type: str
    target: str
    is_defined: bool


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """All that is known of an entity, with the line of its descriptor."""

    entity: EntityOut
    labels: dict[str, str]
    annotations: dict[str, str]
    links: list[dict[str, str]]
    spec: dict[str, Any]
    relations: list[EntityRelationOut]
    defined_at: str


@dataclass(frozen=True, slots=True)
class WarningList:
    """What is allowed but worth a look, each with its place."""

    items: list[str]
    next: str | None = None


def routes(snapshot: Callable[[], Entities]) -> APIRouter:
    """Build the router over the snapshot in force."""
    router = APIRouter(tags=["catalog"])

    def see(identity: Identity) -> Entities:
        return snapshot() if identity.tenant == DEFAULT_TENANT else Entities()  # the catalog belongs to one tenant

    @router.get("/catalog/entities", operation_id="listEntities")
    async def list_entities(
        identity: Reader,
        kind: Annotated[str, Query(max_length=63, description="Such as System or API, in any case.")] = "",
        q: Annotated[str, Query(max_length=200, description="A part of the name or title.")] = "",
    ) -> EntityList:
        """List what the descriptors define."""
        entities = see(identity)
        found = [_summarise(entity, entities) for entity in entities if _is_wanted(entity, kind, q)]
        return EntityList(found)

    @router.get("/catalog/entities/{kind}/{namespace}/{name}", operation_id="getEntity")
    async def get_entity(
        identity: Reader,
        kind: Annotated[str, Path(max_length=63)],
        namespace: Annotated[str, Path(max_length=63)],
        name: Annotated[str, Path(max_length=63)],
    ) -> EntityDetail:
        """Give all that is known of one entity."""
        return _detail(parse_ref(f"{kind}:{namespace}/{name}"), see(identity))

    @router.get("/catalog/warnings", operation_id="listCatalogWarnings")
    async def list_warnings(identity: Reader) -> WarningList:
        """List dangling references and other things that are allowed but worth a look."""
        return WarningList([str(warning) for warning in see(identity).warnings])

    return router


def _is_wanted(entity: Entity, kind: str, q: str) -> bool:
    if kind and entity.ref.kind != kind.lower():
        return False
    return not q or any(q.lower() in text.lower() for text in (entity.name, entity.display_name))


def _summarise(entity: Entity, entities: Entities) -> EntityOut:
    owner, system = entities.owner_of(entity.ref), entities.system_of(entity.ref)
    return EntityOut(
        ref=str(entity.ref),
        kind=entity.kind,
        namespace=entity.ref.namespace,
        name=entity.name,
        title=entity.display_name,
        type=entity.type,
        description=entity.description,
        owner=str(owner) if owner else "",
        system=short_ref(system) if system else "",
        tier=entity.tier,
        tags=list(entity.tags),
        service=entities.service_name(entity.ref),
    )


def _detail(ref: Ref, entities: Entities) -> EntityDetail:
    entity = entities.find(ref)
    if entity is None:
        raise NotFoundError(f"there is no {ref} in the catalog", hint="see /catalog/entities for what there is")
    return EntityDetail(
        entity=_summarise(entity, entities),
        labels=dict(entity.labels),
        annotations=dict(entity.annotations),
        links=[{"url": link.url, "title": link.title, "icon": link.icon, "type": link.type} for link in entity.links],
        spec=dict(entity.spec),
        relations=[
            EntityRelationOut(edge.type, str(edge.target), entities.find(edge.target) is not None)
            for edge in entities.relations_of(ref)
        ],
        defined_at=f"{entity.place.file}:{entity.place.line}",
    )
