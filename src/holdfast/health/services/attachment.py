"""Which services each check speaks for: the one that it names, or those that its selector picks from the catalog.

A service that no descriptor defines exists all the same as soon as a check names it, so that a first check file shows
something; a warning tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from holdfast.catalog import Entities, Selector
from holdfast.health.checks import Check
from holdfast.health.services.judging import IMPACT_LABEL, Impact
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConfigError, InvalidError, NotFoundError, Place
from holdfast.kernel.ids import ServiceId

_IMPACTS: Final = tuple(impact.value for impact in Impact)


@dataclass(frozen=True, slots=True)
class Attachments:
    """The services of each check by its name, and what about them is worth a look."""

    services: Mapping[str, frozenset[ServiceId]] = field(default_factory=dict)
    warnings: tuple[InvalidError, ...] = ()


def attach(checks: Iterable[Check], entities: Entities) -> Attachments:
    """Find the services of every check.

    Raises:
        ConfigError: selectors ask for what services do not have.
    """
    services: dict[str, frozenset[ServiceId]] = {}
    faults: list[InvalidError] = []
    warnings: list[InvalidError] = []
    for check in checks:
        try:
            services[check.name] = _find_services(check, entities)
        except InvalidError as error:
            faults.append(InvalidError(error.message, hint=error.hint, place=_place(check, "selector")))
            continue
        warnings += _find_loose_ends(check, entities, services[check.name])
    if faults:
        raise ConfigError(tuple(faults))
    return Attachments(services, tuple(warnings))


def _find_services(check: Check, entities: Entities) -> frozenset[ServiceId]:
    selected = Selector.from_terms(check.selector).select(entities) if check.selector else ()
    named = (_own_spelling(entities, check.service),) if check.service else ()
    return frozenset((*selected, *named))


def _own_spelling(entities: Entities, name: str) -> ServiceId:
    try:
        known = entities.service(name)
    except NotFoundError:
        return ServiceId(name)
    return entities.service_name(known.ref) or ServiceId(name)


def _find_loose_ends(check: Check, entities: Entities, services: frozenset[ServiceId]) -> list[InvalidError]:
    found = []
    if check.service and len(entities) and services.isdisjoint(entities.services):
        hint = suggest(check.service, entities.services) or "describe it in services/"
        message = f"the service {check.service!r} is not in the catalog"
        found.append(InvalidError(message, hint=hint, place=_place(check, "service")))
    if check.selector and not services:
        message = "the selector picks no service, so nobody's health depends on this check"
        found.append(InvalidError(message, hint="compare it with services/", place=_place(check, "selector")))
    impact = check.labels.get(IMPACT_LABEL)
    if impact is not None and impact not in _IMPACTS:
        message = f"the impact {impact!r} is not known, so the check counts in full"
        hint = suggest(impact, _IMPACTS)
        found.append(InvalidError(message, hint=hint, place=_place(check, f"labels.{IMPACT_LABEL}")))
    return found


def _place(check: Check, key: str) -> Place:
    return Place(check.place.file, check.place.line, f"{check.place.field}.{key}".lstrip("."))
