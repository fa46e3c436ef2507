"""Teams as the API shows them: the groups of the catalog, and owners that no descriptor defines."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.catalog import Entities, Entity, Ref, RelationType
from holdfast.health.services.judging import ServiceHealth
from holdfast.health.services.shapes import MemberOut, TeamOut
from holdfast.health.services.views import count_healths, name_of
from holdfast.kernel.ids import ServiceId


def list_teams(entities: Entities, healths: Mapping[ServiceId, ServiceHealth]) -> list[TeamOut]:
    """Give every team, by name."""
    owned = _owned(entities)
    defined = {entity.ref: entity for entity in entities.teams}
    refs = {*defined, *(ref for ref in owned if ref.kind == "group")}
    return [_team(ref, defined.get(ref), entities, owned.get(ref, []), healths) for ref in sorted(refs)]


def _owned(entities: Entities) -> dict[Ref, list[str]]:
    owned: dict[Ref, list[str]] = {}
    for service, entity in entities.services.items():
        owner = entities.owner_of(entity.ref)
        if owner is not None:
            owned.setdefault(owner, []).append(service)
    return owned


def _team(
    ref: Ref,
    entity: Entity | None,
    entities: Entities,
    services: list[str],
    healths: Mapping[ServiceId, ServiceHealth],
) -> TeamOut:
    profile = entity.spec.get("profile") if entity else None
    email = profile.get("email") if isinstance(profile, dict) else None
    parents = entities.related(ref, RelationType.CHILD_OF)
    return TeamOut(
        name=name_of(ref, "group"),
        title=entity.display_name if entity else ref.name,
        type=entity.type if entity else "",
        description=entity.description if entity else "",
        email=email if isinstance(email, str) else "",
        parent=name_of(parents[0], "group") if parents else "",
        children=[name_of(child, "group") for child in entities.related(ref, RelationType.PARENT_OF)],
        members=[_member(member, entities) for member in entities.related(ref, RelationType.HAS_MEMBER)],
        services=services,
        health=count_healths(healths, services),
        is_catalogued=entity is not None,
    )


def _member(ref: Ref, entities: Entities) -> MemberOut:
    person = entities.find(ref)
    return MemberOut(name_of(ref, "user"), person.display_name if person else ref.name)
