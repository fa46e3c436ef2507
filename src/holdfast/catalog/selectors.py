"""Selectors: which services a check, a silence or a window is about, without listing them.

All that a selector names must hold; of several values for one key, one must. An empty selector selects nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict

from holdfast.catalog.entities import Entity
from holdfast.catalog.refs import DEFAULT_NAMESPACE, Ref, parse_ref
from holdfast.catalog.relations import RelationType
from holdfast.catalog.snapshot import Entities
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import ServiceId

_LABEL_PREFIX: Final = "labels."


def _as_tuple(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


@dataclass(frozen=True, slots=True)
class Selector:
    """What must be true of a service; in files each key takes one text or a list of them.

    `name` is the service's name; `owner`, `system` and `domain` are references with the usual defaults; `labels` must
    all be there with these values.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: Texts = ()
    kind: Texts = ()
    namespace: Texts = ()
    type: Texts = ()
    lifecycle: Texts = ()
    tier: Texts = ()
    tag: Texts = ()
    owner: Texts = ()
    system: Texts = ()
    domain: Texts = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_terms(cls, terms: Mapping[str, str]) -> Selector:
        """Build a selector from the flat form of check files: `{owner: platform, labels.region: eu}`.

        A key that holds a slash is a label's by itself; others must be known here.

        Raises:
            InvalidError: a key is none of these.
        """
        labels, texts = {}, {}
        known = [spec.name for spec in dataclasses.fields(cls) if spec.name != "labels"]
        for key, value in terms.items():
            if key.startswith(_LABEL_PREFIX) or "/" in key:
                labels[key.removeprefix(_LABEL_PREFIX)] = value
            elif key in known:
                texts[key] = (value,)
            else:
                close = suggest(key, known)
                own = f"write {_LABEL_PREFIX}{key} if it is a label"
                raise InvalidError(f"services cannot be selected by {key!r}", hint=f"{close}; {own}" if close else own)
        return cls(**texts, labels=labels)

    @property
    def is_empty(self) -> bool:
        """Tell whether it asks for nothing, and so selects nothing."""
        return not any(getattr(self, spec.name) for spec in dataclasses.fields(self))

    def select(self, entities: Entities) -> tuple[ServiceId, ...]:
        """Give the names of the services that fit, sorted."""
        if self.is_empty:
            return ()
        return tuple(name for name, entity in entities.services.items() if self._fits(entities, name, entity))

    def _fits(self, entities: Entities, name: ServiceId, entity: Entity) -> bool:
        system = entities.system_of(entity.ref)
        domain = _part_of(entities, system, "domain") if system else None
        owner = entities.owner_of(entity.ref)
        plain: tuple[tuple[tuple[str, ...], set[str]], ...] = (
            (self.name, {str(name)}),
            (self.kind, {entity.kind}),
            (self.namespace, {entity.ref.namespace}),
            (self.type, {entity.type}),
            (self.lifecycle, {entity.lifecycle}),
            (self.tier, {entity.tier}),
            (self.tag, set(entity.tags)),
        )
        related = ((self.owner, "group", owner), (self.system, "system", system), (self.domain, "domain", domain))
        return (
            all(not wanted or _meets(wanted, found) for wanted, found in plain)
            and all(not wanted or _refers(wanted, kind, found) for wanted, kind, found in related)
            and all(entity.labels.get(key) == value for key, value in self.labels.items())
        )


def _meets(wanted: tuple[str, ...], found: set[str]) -> bool:
    return not {text.lower() for text in wanted}.isdisjoint(text.lower() for text in found)


def _refers(wanted: tuple[str, ...], kind: str, found: Ref | None) -> bool:
    if found is None:
        return False
    return any(parse_ref(text, kind=kind, namespace=DEFAULT_NAMESPACE) == found for text in wanted)


def _part_of(entities: Entities, ref: Ref, kind: str) -> Ref | None:
    parts = entities.related(ref, RelationType.PART_OF)
    return next((part for part in parts if part.kind == kind), None)
