"""The shapes of the kinds that Backstage defines: which keys a `spec` may have, and what each one refers to.

A table and no code, so that validation, relations and the guide read the same truth.
Source: Backstage, "Descriptor Format of Catalog Entities" and the JSON schemas of its catalog model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from holdfast.catalog.relations import RelationType


class Shape(StrEnum):
    """What the value of a key looks like."""

    TEXT = "text"
    TEXTS = "a list of texts"
    CONTENT = "text, or one of $text, $json, $yaml with the place of a file"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class SpecKey:
    """One key of a `spec`; with `relation`, its texts are references to entities of `kind` unless they say otherwise.

    An empty `kind` leaves it open: a Component of that name is taken, else a Resource.
    """

    shape: Shape
    is_required: bool = False
    relation: RelationType | None = None
    kind: str = ""


def _one(relation: RelationType, kind: str, *, is_required: bool = False) -> SpecKey:
    return SpecKey(Shape.TEXT, is_required, relation, kind)


def _many(relation: RelationType, kind: str = "") -> SpecKey:
    return SpecKey(Shape.TEXTS, relation=relation, kind=kind)


_TEXT: Final = SpecKey(Shape.TEXT)
_NEEDED: Final = SpecKey(Shape.TEXT, is_required=True)
_OWNER: Final = _one(RelationType.OWNED_BY, "group", is_required=True)
_SYSTEM: Final = _one(RelationType.PART_OF, "system")
_DEPENDENCIES: Final = {
    "dependsOn": _many(RelationType.DEPENDS_ON),
    "dependencyOf": _many(RelationType.DEPENDENCY_OF),
}

KINDS: Final[Mapping[str, Mapping[str, SpecKey]]] = {
    "component": {
        "type": _NEEDED,
        "lifecycle": _NEEDED,
        "owner": _OWNER,
        "system": _SYSTEM,
        "subcomponentOf": _one(RelationType.PART_OF, "component"),
        "providesApis": _many(RelationType.PROVIDES_API, "api"),
        "implementsApis": _many(RelationType.PROVIDES_API, "api"),  # Backstage's older name of providesApis
        "consumesApis": _many(RelationType.CONSUMES_API, "api"),
        **_DEPENDENCIES,
    },
    "api": {
        "type": _NEEDED,
        "lifecycle": _NEEDED,
        "owner": _OWNER,
        "system": _SYSTEM,
        "definition": SpecKey(Shape.CONTENT),
        "remotes": SpecKey(Shape.ANYTHING),  # type mcp-server: addresses instead of a definition
    },
    "resource": {
        "type": _NEEDED,
        "lifecycle": _TEXT,
        "owner": _OWNER,
        "system": _SYSTEM,
        "partOf": _many(RelationType.PART_OF),
        "hasPart": _many(RelationType.HAS_PART),
        **_DEPENDENCIES,
    },
    "system": {"type": _TEXT, "owner": _OWNER, "domain": _one(RelationType.PART_OF, "domain")},
    "domain": {"type": _TEXT, "owner": _OWNER, "subdomainOf": _one(RelationType.PART_OF, "domain")},
    "group": {
        "type": _NEEDED,
        "profile": SpecKey(Shape.ANYTHING),
        "parent": _one(RelationType.CHILD_OF, "group"),
        "children": _many(RelationType.PARENT_OF, "group"),
        "members": _many(RelationType.HAS_MEMBER, "user"),
        "leader": _TEXT,
        "ancestors": SpecKey(Shape.ANYTHING),  # older files repeat here what parent and children say
        "descendants": SpecKey(Shape.ANYTHING),
    },
    "user": {
        "profile": SpecKey(Shape.ANYTHING),
        "memberOf": _many(RelationType.MEMBER_OF, "group"),
        "leaderOf": SpecKey(Shape.TEXTS),
    },
    "location": {
        "type": _TEXT,
        "target": _TEXT,
        "targets": SpecKey(Shape.TEXTS),
        "presence": _TEXT,
        "owner": _one(RelationType.OWNED_BY, "group"),
        "rules": SpecKey(Shape.ANYTHING),  # for Backstage's own ingestion
    },
}

SERVICE_KINDS: Final = ("component", "resource")  # what runs, and so can be healthy; earlier ones win a shared name

API_VERSIONS: Final = ("backstage.io/v1alpha1", "backstage.io/v1alpha2", "backstage.io/v1beta1")
ENVELOPE_KEYS: Final = ("apiVersion", "kind", "metadata", "spec")
OUTPUT_KEYS: Final = ("relations", "status")  # Backstage adds these when it hands an entity out
METADATA_KEYS: Final = ("name", "namespace", "title", "description", "labels", "annotations", "tags", "links")
OUTPUT_METADATA_KEYS: Final = ("uid", "etag", "generation")
LINK_KEYS: Final = ("url", "title", "icon", "type")
PLACEHOLDERS: Final = ("$text", "$json", "$yaml")
