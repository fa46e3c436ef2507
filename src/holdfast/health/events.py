"""The kinds of events that health writes into the event log. Their data is small JSON; see each builder."""

from __future__ import annotations

from typing import Final

from holdfast.health.checks import Check, Window
from holdfast.health.verdict import Verdict
from holdfast.kernel.events import EventKind, NewEvent
from holdfast.kernel.ids import ServiceId

CHANGED: Final = EventKind("check.changed", "a check shows another verdict: {check, from, to, message, duration_s}")
FLAPPING: Final = EventKind("check.flapping", "a check began or stopped to flap: {check, flapping}")
PAUSED: Final = EventKind("check.paused", "somebody stopped a check: {check}")
RESUMED: Final = EventKind("check.resumed", "somebody let a check go on: {check}")
WINDOW_ADDED: Final = EventKind("maintenance.added", "somebody planned maintenance: {id, name, starts_at, ends_at}")
WINDOW_REMOVED: Final = EventKind("maintenance.removed", "somebody called maintenance off: {id, name}")
WINDOW_STARTED: Final = EventKind("maintenance.started", "a maintenance window opened: {id, name, reason}")
WINDOW_ENDED: Final = EventKind("maintenance.ended", "a maintenance window closed: {id, name}")

KINDS: Final = (
    CHANGED,
    FLAPPING,
    PAUSED,
    RESUMED,
    WINDOW_ADDED,
    WINDOW_REMOVED,
    WINDOW_STARTED,
    WINDOW_ENDED,
)


def changed(check: Check, before: Verdict, after: Verdict, message: str, details: dict[str, object]) -> NewEvent:
    """Tell that `check` went from one visible verdict to another; `details` may add duration, blocker, maintenance."""
    data = {"check": check.name, "from": before.value, "to": after.value, "message": message, **details}
    return _about(check, CHANGED, data)


def flapping(check: Check, *, is_flapping: bool) -> NewEvent:
    """Tell that `check` began or stopped to flap."""
    return _about(check, FLAPPING, {"check": check.name, "flapping": is_flapping})


def paused(check: Check, by: str) -> NewEvent:
    """Tell that `by` stopped `check`."""
    return _about(check, PAUSED, {"check": check.name}, by)


def resumed(check: Check, by: str) -> NewEvent:
    """Tell that `by` let `check` go on."""
    return _about(check, RESUMED, {"check": check.name}, by)


def window_added(window: Window, starts_at: str, ends_at: str, by: str) -> NewEvent:
    """Tell that `by` planned `window`."""
    data = {"id": window.id, "name": window.name, "starts_at": starts_at, "ends_at": ends_at, "reason": window.reason}
    return NewEvent(WINDOW_ADDED.name, f"maintenance/{window.id}", data, actor=by)


def window_removed(window: Window, by: str) -> NewEvent:
    """Tell that `by` called `window` off."""
    data = {"id": window.id, "name": window.name}
    return NewEvent(WINDOW_REMOVED.name, f"maintenance/{window.id}", data, actor=by)


def window_started(window: Window) -> NewEvent:
    """Tell that `window` opened."""
    data = {"id": window.id, "name": window.name, "reason": window.reason}
    return NewEvent(WINDOW_STARTED.name, f"maintenance/{window.id}", data)


def window_ended(window_id: str, name: str) -> NewEvent:
    """Tell that the window of that id closed, or is gone."""
    return NewEvent(WINDOW_ENDED.name, f"maintenance/{window_id}", {"id": window_id, "name": name})


def _about(check: Check, kind: EventKind, data: dict[str, object], actor: str = "system") -> NewEvent:
    service = ServiceId(check.service) if check.service else None
    return NewEvent(kind.name, f"check/{check.name}", data, service=service, actor=actor)
