"""What happened around a moment by the event log: checks of the service, changes of it, and such of everything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.correlate.findings import Evidence, EvidenceKind, Finding, Lane, Part
from holdfast.telemetry.correlate.movement import Direction

if TYPE_CHECKING:
    from holdfast.kernel.events import Event, EventLog
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.correlate.moment import Moment

MOST: Final = 200  # events of one reading
_CHECKS: Final = ("check.", "service.changed")
_CAUSES: Final = ("deploy.", "release.", "rollout.", "catalog.", "ops.", "maintenance.", "server.", "run.", "queue.")
_FOR_ALL: Final = ("deploy.", "release.", "rollout.", "catalog.changed", "ops.", "maintenance.", "server.")
_OF_NEIGHBOURS: Final = ("check.changed", "service.changed", "deploy.", "release.", "rollout.")
_TOLD_ELSEWHERE: Final = ("logs.pattern_",)  # the lane of patterns counts them itself
_WEIGHTS: Final = (
    ("check.changed", 0.95),
    ("service.changed", 0.9),
    ("deploy.settled", 0.5),
    ("deploy.", 0.95),
    ("release.", 0.95),
    ("rollout.", 0.95),
    ("server.", 0.6),
    ("catalog.changed", 0.6),
    ("ops.", 0.55),
    ("run.failed", 0.6),
    ("check.flapping", 0.5),
)
_USUAL: Final = 0.4
_NEIGHBOUR: Final = 0.65
_EARLIER: Final = 0.7  # what lies before the window explains less
_GOOD: Final = frozenset({"up"})
_SAID: Final = {
    "server.started": "The server of Holdfast started",
    "server.stopped": "The server of Holdfast was stopped",
    "ops.loaded": "The ops folder was read and is in force",
    "ops.refused": "The ops folder has faults, and was refused",
}
_DEPLOYS: Final = {
    "deploy.seen": "runs {version}{place} now{before}",
    "deploy.recorded": "was deployed{place} as {version}{before}",
    "deploy.settled": "runs nothing but {version}{place} now",
    "deploy.rolled_back": "went back to {version}{place}{before}",
}
_LONGEST: Final = 160
_FIELDS: Final = re.compile(r":? \{|; | \(")  # where the line of a kind goes on to the fields and to remarks


async def look_at_events(
    parts: tuple[Part, Part],
    log: EventLog,
    tenant: TenantId,
    service: str,
    neighbours: Sequence[str],
    moment: Moment,
) -> None:
    """Read what happened into the parts of events and of checks. Causes count from the time before the window on."""
    part, checks = parts
    times = (moment.before, moment.end + timedelta(microseconds=1))
    own = await log.read(tenant, service=service, times=times, limit=MOST) if service else []
    told = await log.read(tenant, subject=f"service/{service}", times=times, limit=MOST) if service else []
    for_all = await log.read(tenant, kinds=_FOR_ALL, times=times, limit=MOST)
    near = await log.read(tenant, kinds=_OF_NEIGHBOURS, times=times, limit=MOST) if neighbours else []
    for read in (own, told, for_all, near):
        if len(read) >= MOST:
            part.cut(f"only the newest {MOST} events of a kind were read")
    names = set(neighbours)
    chosen = {
        event.seq: event
        for event in (
            *own,
            *(event for event in told if event.service in {None, service}),
            *(event for event in for_all if event.service in {None, service}),
            *(event for event in near if event.service in names),
        )
        if not event.kind.startswith(_TOLD_ELSEWHERE)
    }
    part.looked_at = len(chosen)
    for event in chosen.values():
        is_early = event.at < moment.start
        if is_early and not event.kind.startswith(_CAUSES):
            continue
        is_check = event.kind.startswith(_CHECKS) and event.service not in names
        found = _finding(event, log.summary_of(event.kind), service, moment, is_near=event.service in names)
        (checks if is_check else part).findings.append(found)
    checks.looked_at = sum(event.kind.startswith(_CHECKS) for event in chosen.values())


def _finding(event: Event, summary: str, service: str, moment: Moment, *, is_near: bool) -> Finding:
    lane = Lane.CHECKS if event.kind.startswith(_CHECKS) and not is_near else Lane.EVENTS
    if is_near:
        lane = Lane.NEIGHBOURS
    rank = next((weight for kind, weight in _WEIGHTS if event.kind.startswith(kind)), _USUAL)
    if lane is Lane.NEIGHBOURS:
        rank *= _NEIGHBOUR
    if event.kind.endswith(".changed") and event.data.get("to") in _GOOD:
        rank *= 0.6
    reason = describe_event(event, summary)
    if event.at < moment.start:
        rank *= _EARLIER
        reason = f"{reason} This was {_length(moment.start - event.at)} before the window."
    return Finding(
        lane,
        event.service or service,
        f"{event.kind} {event.subject}",
        event.at,
        event.at,
        Direction.HAPPENED,
        1.0,
        round(rank, 4),
        reason,
        Evidence(EvidenceKind.EVENT, str(event.seq), event.at, event.at),
    )


def describe_event(event: Event, summary: str = "") -> str:
    """Give an event as one sentence: its own, or by the line of its kind."""
    kind, subject, data, actor = event.kind, event.subject, event.data, event.actor
    if kind == "check.changed":
        why = f": {data['message']}" if data.get("message") else ""
        return _sentence(f"Check {data.get('check')} went from {data.get('from')} to {data.get('to')}{why}")
    if kind in _SAID:
        return _sentence(_SAID[kind])
    if kind == "service.changed":
        return _sentence(f"Service {data.get('service')} went from {data.get('from')} to {data.get('to')}")
    if kind in _DEPLOYS and data.get("version"):
        return _sentence(_describe_deploy(kind, subject, data, actor))
    if kind == "catalog.changed":
        counts = [
            f"{data[f'{sort}_count']} {sort}" for sort in ("added", "removed", "changed") if data.get(f"{sort}_count")
        ]
        return _sentence(f"The catalog changed: {', '.join(counts)}")
    return _sentence(_describe_kind(kind, subject, data, actor, summary))


def _describe_kind(kind: str, subject: str, data: Mapping[str, Any], actor: str, summary: str) -> str:
    """Give the line of a kind, or its words, with who did it, the fields, and the subject unless a field names it."""
    said = _FIELDS.split(summary)[0].rstrip(".") or kind.replace(".", " ").replace("_", " ")
    if actor != "system":
        is_open = said.lower().startswith("somebody ")
        said = f"Somebody ({actor}){said[len('somebody') :]}" if is_open else f"{said} by {actor}"
    fields = {name.replace("_", " "): _field(value) for name, value in data.items()}
    sort, _, name = subject.partition("/")
    if name and name not in data.values():
        fields[sort] = name
    more = ", ".join(f"{field} {value}" for field, value in fields.items() if value)
    return f"{said[0].upper()}{said[1:]}{f': {more}' if more else ''}"


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) and value else ""


def _describe_deploy(kind: str, subject: str, data: Mapping[str, Any], actor: str) -> str:
    before = f", after {data['from']}" if data.get("from") else ""
    place = f" in {data['environment']}" if data.get("environment") else ""
    by = f" by {data['by']}" if data.get("by") else "" if actor == "system" else f" by {actor}"
    commit = f" (commit {data['commit']})" if data.get("commit") else ""
    said = _DEPLOYS[kind].format(version=data["version"], place=place, before=before)
    return f"{data.get('service') or subject.partition('/')[2] or subject} {said}{by}{commit}"


def _sentence(text: str) -> str:
    flat = " ".join(text.split())
    flat = flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
    return flat if flat.endswith((".", "…")) else f"{flat}."


def _length(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes else f"{round(length.total_seconds())} s"
