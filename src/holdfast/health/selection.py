"""Which checks `holdfast check` runs: those named, those of services, all; and the parents that they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.catalog import Entities
from holdfast.health.checks import Check
from holdfast.health.services import attach
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Choice:
    """`asked` in the order of the files, `needed` parents of theirs, and passive checks that were not named."""

    asked: tuple[Check, ...]
    needed: tuple[Check, ...]
    left_out: tuple[Check, ...]


def choose(checks: Sequence[Check], names: Sequence[str], services: Sequence[str], entities: Entities) -> Choice:
    """Choose checks by name and by service; all of them when neither is given.

    Raises:
        NotFoundError: there is no such check, or nothing watches such a service.
    """
    by_name = {check.name: check for check in checks}
    for name in names:
        if name not in by_name:
            raise NotFoundError(f"there is no check {name!r}", hint=suggest(name, by_name))
    attached = attach(checks, entities).services
    of_services = [check for check in checks if not attached[check.name].isdisjoint(services)]
    if services and not of_services:
        known = {str(service) for found in attached.values() for service in found}
        raise NotFoundError(f"no check watches {', '.join(services)}", hint=suggest(services[0], known))
    chosen = {*names, *(check.name for check in of_services)} if names or services else set(by_name)
    asked = [check for check in checks if check.name in chosen]
    left_out = [check for check in asked if check.probe is None and check.name not in names]
    asked = [check for check in asked if check not in left_out]
    return Choice(tuple(asked), tuple(_ancestors(asked, by_name)), tuple(left_out))


def _ancestors(asked: Iterable[Check], by_name: dict[str, Check]) -> list[Check]:
    known = {check.name for check in asked}
    todo = [parent for check in asked for parent in check.parents]
    found = []
    while todo:
        name = todo.pop()
        if name not in known:
            known.add(name)
            found.append(by_name[name])
            todo += by_name[name].parents
    return found
