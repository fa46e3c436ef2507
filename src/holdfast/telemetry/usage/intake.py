"""What came in and what was left out, from the ledger: by hour, by service and team, by reason with what to do.

Bytes are those of records as they came, before packing; what is kept of them on the disk is `report`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.telemetry.ledger import REASONS, Cut, Signal, meaning_of, read_hours, read_services

if TYPE_CHECKING:
    from holdfast.catalog import Entities
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.ledger import HourSum, Ledger, ServiceSum

HOUR: Final = timedelta(hours=1)
NOT_TOLD: Final = "(not told)"  # asks for what was refused before its service was known
LONGEST: Final = timedelta(days=400)
_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Amount:
    """Records, their bytes as they came, and how many requests or batches held any."""

    records: int = 0
    bytes: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class IntakeHour:
    """What of a signal was stored and what was left out in the hour that begins then."""

    hour: datetime
    signal: str
    stored: Amount
    dropped: Amount


@dataclass(frozen=True, slots=True)
class IntakeOfService:
    """What a service sent of a signal; `team` is who owns it by the catalog, empty where that does not know it."""

    service: str
    team: str
    signal: str
    stored: Amount
    dropped: Amount


@dataclass(frozen=True, slots=True)
class IntakeOfTeam:
    """What the services of a team sent of a signal."""

    team: str
    signal: str
    stored: Amount
    dropped: Amount


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was left out of a service for one reason.

    Attributes:
        service: empty where the door could not know it.
        reason: a stable name.
        meaning: what it means, in a sentence.
        fix: what to do.
        settings: those that decide about it.
        comes_again: the sender was told to send it again later, so that it is lost only if it does not.
    """

    signal: str
    service: str
    team: str
    reason: str
    meaning: str
    fix: str
    settings: Sequence[str]
    comes_again: bool
    amount: Amount


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in over whole hours, from `start` to before `end`; at most 500 services and as many drops.

    `behind_s` is how old the oldest count is that this process has and the store did not take; 0 when it has all.
    """

    start: datetime
    end: datetime
    hours: Sequence[IntakeHour]
    services: Sequence[IntakeOfService]
    services_total: int
    teams: Sequence[IntakeOfTeam]
    drops: Sequence[Dropped]
    behind_s: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants to see."""

    length: timedelta
    signal: str = ""
    service: str = ""
    team: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IntakeReports:
    """Makes reports of what came in."""

    store: Store
    ledger: Ledger
    entities: Callable[[], Entities]
    now: Callable[[], datetime]
    kinds: Sequence[str] = field(default=tuple(Signal))

    async def read(self, tenant: TenantId, asked: Asked) -> Intake:
        """Report; what other processes noted in the last 15 seconds may be missing.

        Raises:
            InvalidError: there is no such signal or reason.
            UnavailableError: the store does not answer.
        """
        if asked.signal and asked.signal not in self.kinds:
            raise InvalidError(f"there is no signal {asked.signal!r}", hint=f"one of {', '.join(self.kinds)}")
        if asked.reason and asked.reason not in REASONS:
            raise InvalidError(f"there is no reason {asked.reason!r}", hint=f"one of {', '.join(REASONS)}")
        with suppress(HoldfastError):  # a full store is read all the same; what it did not take is told as behind
            await self.ledger.write()
        teams = _teams(self.entities())
        end = self.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
        start = end - max(HOUR, asked.length)
        cut = Cut(start, end, asked.signal, _services(asked, teams), asked.reason)
        hours = _by_hour(await read_hours(self.store, tenant, cut))
        sums = await read_services(self.store, tenant, cut)
        services = _by_service(sums, teams)
        if asked.reason:
            services = [each for each in services if each.dropped != Amount()]
        drops = [_dropped(each, teams) for each in sums if each.reason]
        listed = services[:_LISTED]
        behind_s = self.ledger.behind_s()
        return Intake(start, end, hours, listed, len(services), _by_team(services), drops[:_LISTED], behind_s)


def _teams(entities: Entities) -> Mapping[str, str]:
    """Give the team of every service of the catalog, by its name in small letters."""
    found = {}
    for name, entity in entities.services.items():
        owner = entities.owner_of(entity.ref)
        if owner is not None:
            found[str(name).lower()] = owner.name
    return found


def _services(asked: Asked, teams: Mapping[str, str]) -> Sequence[str] | None:
    chosen = "" if asked.service == NOT_TOLD else asked.service.lower()
    if not asked.team:
        return [chosen] if asked.service else None
    owned = [name for name, team in teams.items() if team.lower() == asked.team.lower()]
    return [name for name in owned if name == chosen] if asked.service else owned


def _sum(one: Amount, other: Amount | HourSum | ServiceSum) -> Amount:
    return Amount(one.records + other.records, one.bytes + other.bytes, one.requests + other.requests)


def _by_hour(sums: Sequence[HourSum]) -> list[IntakeHour]:
    found: dict[tuple[datetime, str], IntakeHour] = {}
    for each in sums:
        key = (each.hour, each.signal)
        before = found.get(key) or IntakeHour(each.hour, each.signal, Amount(), Amount())
        found[key] = (
            replace(before, dropped=_sum(before.dropped, each))
            if each.is_dropped
            else replace(before, stored=_sum(before.stored, each))
        )
    return list(found.values())


def _by_service(sums: Sequence[ServiceSum], teams: Mapping[str, str]) -> list[IntakeOfService]:
    found: dict[tuple[str, str], IntakeOfService] = {}
    for each in sums:
        key = (each.service, each.signal)
        team = teams.get(each.service.lower(), "")
        before = found.get(key) or IntakeOfService(each.service, team, each.signal, Amount(), Amount())
        found[key] = (
            replace(before, dropped=_sum(before.dropped, each))
            if each.reason
            else replace(before, stored=_sum(before.stored, each))
        )
    return sorted(found.values(), key=lambda each: (each.stored.bytes, each.dropped.records), reverse=True)


def _by_team(services: Sequence[IntakeOfService]) -> list[IntakeOfTeam]:
    found: dict[tuple[str, str], IntakeOfTeam] = {}
    for each in services:
        key = (each.team, each.signal)
        before = found.get(key) or IntakeOfTeam(each.team, each.signal, Amount(), Amount())
        found[key] = replace(
            before, stored=_sum(before.stored, each.stored), dropped=_sum(before.dropped, each.dropped)
        )
    return sorted(found.values(), key=lambda each: (each.stored.bytes, each.dropped.records), reverse=True)


def _dropped(each: ServiceSum, teams: Mapping[str, str]) -> Dropped:
    told = meaning_of(each.signal, each.reason)
    return Dropped(
        each.signal,
        each.service,
        teams.get(each.service.lower(), ""),
        each.reason,
        told.meaning,
        told.fix,
        told.settings,
        told.comes_again,
        _sum(Amount(), each),
    )
