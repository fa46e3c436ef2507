"""What the catalog holds: one entity as its document says it. The set of all of them is `snapshot`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.catalog.refs import DEFAULT_NAMESPACE, Ref
from holdfast.catalog.relations import RelationType
from holdfast.kernel.errors import Place

TIER_KEY: Final = "holdfast.dev/tier"


@dataclass(frozen=True, slots=True)
class Link:
    """A hyperlink of an entity."""

    url: str
    title: str = ""
    icon: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A relation as a file states it: `target.kind` is empty where the file leaves the kind open."""

    type: RelationType
    target: Ref
    place: Place


@dataclass(frozen=True, slots=True)
class Entity:
    """One catalogued thing, as its document says; `kind` and `name` keep their case, `ref` does not."""

    ref: Ref
    kind: str
    name: str
    title: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    spec: Mapping[str, Any] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    place: Place = field(default_factory=Place)

    @property
    def type(self) -> str:
        """Its `spec.type`, such as `service` or `database`; empty when it has none."""
        return _text(self.spec, "type")

    @property
    def lifecycle(self) -> str:
        """Its `spec.lifecycle`, such as `production`; empty when it has none."""
        return _text(self.spec, "lifecycle")

    @property
    def tier(self) -> str:
        """How much hangs on it: the annotation `holdfast.dev/tier`, or else the label of that name."""
        return self.annotations.get(TIER_KEY) or self.labels.get(TIER_KEY, "")

    @property
    def display_name(self) -> str:
        """What people call it: its title, the name in its profile, or its name."""
        profile = self.spec.get("profile")
        return self.title or (_text(profile, "displayName") if isinstance(profile, dict) else "") or self.name

    @property
    def digest(self) -> str:
        """A fingerprint of all that its document says, wherever the document stands."""
        said = [
            self.kind, self.name, self.title, self.description, dict(self.labels), dict(self.annotations),
            self.tags, [[link.url, link.title, link.icon, link.type] for link in self.links], dict(self.spec),
        ]  # fmt: skip
        text = json.dumps(said, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def short_name(entity: Entity) -> str:
    """Give the name, with the namespace in front unless it is the default one."""
    namespace = entity.ref.namespace
    return entity.name if namespace == DEFAULT_NAMESPACE else f"{namespace}/{entity.name}"


def short_ref(ref: Ref) -> str:
    """Give a reference without its kind, and without the default namespace."""
    return ref.name if ref.namespace == DEFAULT_NAMESPACE else f"{ref.namespace}/{ref.name}"


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""
