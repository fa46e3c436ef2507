"""Brings together what the catalog, the checks and the chronicle know, in the shapes of the API."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from holdfast.catalog import Entities, Entity, Ref, RelationType, short_ref
from holdfast.health.services.board import Board
from holdfast.health.services.judging import Reason, ServiceHealth
from holdfast.health.services.shapes import (
    CountsOut,
    EdgeOut,
    GraphOut,
    LinkOut,
    MomentOut,
    NodeOut,
    ReasonOut,
    RelationOut,
    ServiceDetail,
    ServiceSummary,
)
from holdfast.health.services.sources import Checks
from holdfast.health.services.timeline import Timeline, Turn, WatchedTime
from holdfast.health.verdict import Verdict
from holdfast.health.views import UptimeShare, UptimeWindows
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import NotFoundError
from holdfast.kernel.ids import ServiceId

_DAY_S: Final = 86_400.0
_POINTS: Final = 40
_FRESH_S: Final = 10.0
_STRIP_STEPS_S: Final = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2160.0)  # ten minutes to a day


@dataclass(frozen=True, slots=True)
class ServiceFilter:
    """Which services a list shows; an empty field lets all through. `q` is a part of the name or title."""

    q: str = ""
    owner: str = ""
    system: str = ""
    tier: str = ""
    health: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Sight:
    """All that one answer is made of, taken at one moment."""

    entities: Entities
    healths: Mapping[ServiceId, ServiceHealth]
    watched: WatchedTime
    now_s: float


@dataclass(frozen=True, slots=True)
class _Past:
    """What the chronicle says of one service, and when that was worked out."""

    at_s: float
    last: Turn | None
    uptime: UptimeWindows
    recent: list[MomentOut]


class Views:
    """Answers of the API about services."""

    def __init__(self, board: Board, entities: Callable[[], Entities], checks: Checks) -> None:
        self._board = board
        self._entities = entities
        self._checks = checks
        self._pasts: dict[ServiceId, _Past] = {}

    def summaries(self, now: datetime, wanted: ServiceFilter) -> list[ServiceSummary]:
        """Give the services that `wanted` lets through, by name."""
        sight = self._look(now)
        self._pasts = {service: past for service, past in self._pasts.items() if service in sight.healths}
        found = []
        for service, health in sight.healths.items():
            facts = self._facts(service, health, sight)
            if _is_wanted(facts, wanted):
                found.append(ServiceSummary(**facts, checks=_counts(health.counts)))
        return found

    async def detail(self, name: str, now: datetime) -> ServiceDetail:
        """Give all that is known of one service.

        Raises:
            NotFoundError: no service is called that.
        """
        sight = self._look(now)
        service = _find_name(name, sight.healths)
        health = sight.healths[service]
        entity = sight.entities.services.get(service)
        relations = sight.entities.relations_of(entity.ref) if entity else ()
        return ServiceDetail(
            **self._facts(service, health, sight),
            namespace=entity.ref.namespace if entity else "",
            description=entity.description if entity else "",
            labels=dict(entity.labels) if entity else {},
            annotations=dict(entity.annotations) if entity else {},
            relations=[
                RelationOut(edge.type, str(edge.target), sight.entities.service_name(edge.target)) for edge in relations
            ],
            apis=[short_ref(edge.target) for edge in relations if edge.type is RelationType.PROVIDES_API],
            checks=await self._checks.summaries(health.checks),
            check_counts=_counts(health.counts),
            impact=list(sight.entities.all_dependents(service)) if entity else [],
            defined_at=f"{entity.place.file}:{entity.place.line}" if entity else "",
        )

    def graph(self, now: datetime, focus: str = "") -> GraphOut:
        """Give services and what they need: all, or one with everything that it reaches both ways.

        Raises:
            NotFoundError: no service is called `focus`.
        """
        sight = self._look(now)
        shown = set(sight.healths)
        if focus:
            service = _find_name(focus, sight.healths)
            reached: tuple[ServiceId, ...] = ()
            if service in sight.entities.services:
                reached = (*sight.entities.all_dependencies(service), *sight.entities.all_dependents(service))
            shown = {service, *reached}
        nodes = [
            _node(service, sight.entities.services.get(service), sight.entities, health)
            for service, health in sight.healths.items()
            if service in shown
        ]
        edges = [
            EdgeOut(source, target, _edge_type(sight.entities, source, target))
            for source, targets in self._board.needs().items()
            for target in targets
            if source in shown and target in shown
        ]
        return GraphOut(nodes, edges)

    def healths(self) -> dict[ServiceId, ServiceHealth]:
        """Give the health of every service."""
        return self._board.judge()

    def _look(self, now: datetime) -> _Sight:
        return _Sight(self._entities(), self._board.judge(), self._board.chronicle.watched, now.timestamp())

    def _past_of(self, service: ServiceId, sight: _Sight) -> _Past:
        """Give uptime and strip, some seconds old at most, and never older than the last turn."""
        timeline = self._board.chronicle.timeline(service)
        known = self._pasts.get(service)
        if known is None or known.last != timeline.last or not 0 <= sight.now_s - known.at_s < _FRESH_S:
            known = _Past(sight.now_s, timeline.last, _uptimes(timeline, sight), _strip(timeline, sight))
            self._pasts[service] = known
        return known

    def _facts(self, service: ServiceId, health: ServiceHealth, sight: _Sight) -> dict[str, Any]:
        """Give the fields of `ServiceFacts`."""
        entity = sight.entities.services.get(service)
        past = self._past_of(service, sight)
        last = past.last
        return {
            **_describe(service, entity, sight.entities),
            "health": health.verdict,
            "health_since": _at(last.at_s) if last and last.verdict is health.verdict else None,
            "maintenance": health.is_spared,
            "reasons": [_reason(reason) for reason in health.reasons],
            "uptime": past.uptime,
            "recent": past.recent,
            "depends_on": list(self._board.needs().get(service, ())),
            "dependents": list(self._board.needed_by().get(service, ())),
            "is_catalogued": entity is not None,
        }


def _describe(service: ServiceId, entity: Entity | None, entities: Entities) -> dict[str, Any]:
    if entity is None:
        empty = dict.fromkeys(("type", "owner", "system", "tier", "lifecycle"), "")
        return {"name": service, "title": service, "kind": "Component", "links": [], "tags": [], **empty}
    return {
        "name": service,
        "title": entity.display_name,
        "kind": entity.kind,
        "type": entity.type,
        "owner": name_of(entities.owner_of(entity.ref), "group"),
        "system": name_of(entities.system_of(entity.ref), "system"),
        "tier": entity.tier,
        "lifecycle": entity.lifecycle,
        "links": [LinkOut(link.title or link.url, link.url) for link in entity.links],
        "tags": list(entity.tags),
    }


def name_of(ref: Ref | None, kind: str) -> str:
    """Give a reference as short as it can be said where `kind` is expected; empty for none."""
    if ref is None:
        return ""
    return short_ref(ref) if ref.kind == kind else f"{ref.kind}:{short_ref(ref)}"


def _is_wanted(facts: Mapping[str, Any], wanted: ServiceFilter) -> bool:
    if wanted.health is not None and facts["health"] is not wanted.health:
        return False
    if wanted.q and not any(wanted.q.lower() in text.lower() for text in (facts["name"], facts["title"])):
        return False
    exact = (("owner", wanted.owner), ("system", wanted.system), ("tier", wanted.tier))
    return all(not text or facts[field].lower() == text.lower() for field, text in exact)


def _find_name(name: str, healths: Mapping[ServiceId, ServiceHealth]) -> ServiceId:
    found = next((service for service in healths if service.lower() == name.lower()), None)
    if found is None:
        raise NotFoundError(f"there is no service {name!r}", hint=suggest(name, healths))
    return found


def _uptimes(timeline: Timeline, sight: _Sight) -> UptimeWindows:
    windows = (timeline.uptime(sight.now_s - days * _DAY_S, sight.now_s, sight.watched) for days in (1, 7, 30, 90))
    return UptimeWindows(*(UptimeShare(window.ratio, round(window.coverage, 6)) for window in windows))


def _strip(timeline: Timeline, sight: _Sight) -> list[MomentOut]:
    """Show the last day, or less for a young service, on a grid that stays where it is while time goes on.

    Nothing is shown of the time before the service was known: that is absent, not unknown.
    """
    known_from_s = timeline.turns[0].at_s if timeline.turns else sight.now_s
    age_s = sight.now_s - known_from_s
    step_s = next((step for step in _STRIP_STEPS_S if _POINTS * step >= age_s), _STRIP_STEPS_S[-1])
    end_s = math.ceil(sight.now_s / step_s) * step_s
    strip = timeline.strip(end_s - _POINTS * step_s, end_s, _POINTS, sight.watched)
    return [MomentOut(_at(at_s), verdict) for at_s, verdict in strip if at_s + step_s > known_from_s]


def _node(service: ServiceId, entity: Entity | None, entities: Entities, health: ServiceHealth) -> NodeOut:
    told = _describe(service, entity, entities)
    words = {key: told[key] for key in ("name", "title", "kind", "type", "system", "tier")}
    return NodeOut(**words, health=health.verdict)


def _edge_type(entities: Entities, source: ServiceId, target: ServiceId) -> str:
    """Say how `source` needs `target`: it states so, or it consumes an API of it."""
    direct = entities.related(entities.services[source].ref, RelationType.DEPENDS_ON)
    is_direct = entities.services[target].ref in direct
    return RelationType.DEPENDS_ON if is_direct else RelationType.CONSUMES_API


def _reason(reason: Reason) -> ReasonOut:
    return ReasonOut(reason.check or None, reason.service or None, reason.verdict, reason.message)


def _counts(counts: Mapping[Verdict, int]) -> CountsOut:
    return CountsOut(**{verdict.value: count for verdict, count in counts.items()})


def count_healths(healths: Mapping[ServiceId, ServiceHealth], services: Sequence[str]) -> CountsOut:
    """Count services by their health."""
    counts = dict.fromkeys(Verdict, 0)
    for service in services:
        counts[healths[ServiceId(service)].verdict] += 1
    return _counts(counts)


def _at(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
