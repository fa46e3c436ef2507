"""Writes down what was heard: a version that nobody told before is a deploy, and so is one that had ended.

The first version of a service that is ever heard is none: it ran before somebody listened. What a resource says counts
more than a `..._build_info`, and of several of those one is chosen and kept, for libraries tell their versions, too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, true, update
from sqlalchemy.dialects import postgresql, sqlite

from holdfast.telemetry.versions.cadence import heard_again
from holdfast.telemetry.versions.events import SEEN
from holdfast.telemetry.versions.hints import RESOURCE
from holdfast.telemetry.versions.past import keep_past
from holdfast.telemetry.versions.standing import API, DAY, is_older, is_row, rows_of, running
from holdfast.telemetry.versions.tables import SERVICE_VERSIONS
from holdfast.telemetry.versions.telling import deploy_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.kernel.events import NewEvent
    from holdfast.telemetry.versions.hearing import Heard
    from holdfast.telemetry.versions.standing import Rows

MOST_VERSIONS: Final = 1000  # of a service in an environment; a new one takes the place of the one that ended first
MOST_TOLD: Final = 20  # in an hour, of a service in an environment; a version for each request must not flood the log
_HOUR: Final = timedelta(hours=1)
_NEWER: Final = timedelta(seconds=10)  # less is not worth a write


def note(tx: Connection, heard: Iterable[Heard], now: datetime, floor: timedelta) -> list[NewEvent]:
    """Write what was heard, and give the events that it makes; a pause shorter than `floor` is never remarkable."""
    events: list[NewEvent] = []
    for (tenant, service), group in groupby(sorted(heard), key=lambda each: each.telling[:2]):
        rows = rows_of(tx, tenant, service)
        told = _by_one_origin(rows, list(group))
        if told and told[0].telling.origin == RESOURCE:
            _end_hearsay(tx, rows, now)
        if _adopt(tx, rows, told):
            rows = rows_of(tx, tenant, service)
        for environment, some in groupby(told, key=lambda each: each.telling.environment):
            there = [row for row in rows if row.environment == environment]
            events += _Place(tx, there, now, floor).note(list(some))
    return events


def _by_one_origin(rows: Rows, heard: Sequence[Heard]) -> list[Heard]:
    """Give what counts: of a resource, or else of the metric that told before, or else of the likeliest."""
    origins = {row.origin for row in rows if row.origin != API}
    said = {each.telling.origin for each in heard}
    if RESOURCE in origins | said:
        origins = {RESOURCE}
    elif not origins:
        word = heard[0].telling.service.replace("-", "_")
        origins = {min(said, key=lambda name: (word not in name, name))}
    return [each for each in heard if each.telling.origin in origins]


def _end_hearsay(tx: Connection, rows: Rows, now: datetime) -> None:
    """End what metrics told before the first resource came: they may write the same version otherwise."""
    for row in rows:
        if row.origin not in {RESOURCE, API} and row.ended_at is None:
            tx.execute(update(SERVICE_VERSIONS).where(is_row(row)).values(ended_at=now))


def _adopt(tx: Connection, rows: Rows, heard: Sequence[Heard]) -> bool:
    """Give records without an environment to the one in which their version is heard first."""
    known = {(row.environment, row.version) for row in rows}
    waiting = {row.version: row for row in rows if not row.environment and row.origin == API}
    is_any = False
    for each in heard:
        environment, version = each.telling[2:4]
        row = waiting.pop(version, None) if (environment, version) not in known else None
        if row is not None:
            mine = is_row(row) & (SERVICE_VERSIONS.c.origin == API)
            tx.execute(update(SERVICE_VERSIONS).where(mine).values(environment=environment))
            is_any = True
    return is_any


class _Place:
    """A service in an environment."""

    def __init__(self, tx: Connection, rows: Rows, now: datetime, floor: timedelta) -> None:
        self._tx = tx
        self._rows = rows
        self._now = now
        self._floor = floor
        self._begun = 0
        self._lately = sum(row.told_at is not None and row.told_at > now - _HOUR for row in rows)

    def note(self, heard: Sequence[Heard]) -> list[NewEvent]:
        """Write versions of one origin; of an unknown service all that come together are its first ones."""
        by_version = {row.version: row for row in self._rows}
        origin = heard[0].telling.origin
        is_first = not any(row.origin == origin for row in self._rows)
        made: list[NewEvent | None] = []
        for each in heard:
            row = by_version.get(each.telling.version)
            if row is None:
                made.append(self._begin(each, is_baseline=is_first))
            elif row.ended_at is None:
                made.append(self._touch(row, each, is_known=not is_first))
            elif self._moment(each) > row.ended_at:
                made.append(self._come_back(row, each))
        return [event for event in made if event is not None]

    def _begin(self, heard: Heard, *, is_baseline: bool) -> NewEvent | None:
        if not self._has_room():
            return None
        told, at = heard.telling, self._moment(heard)
        before = None if is_baseline else running(self._rows)
        is_told = before is not None and self._lately < MOST_TOLD
        values = {
            **told._asdict(),
            **self._anew(heard, before),
            "is_baseline": is_baseline,
            "known_since": at,
            "settled_at": at if is_baseline else None,
            "told_at": self._now if is_told else None,
            "trace_id": heard.trace_id,
            "instance": heard.instance,
        }
        if not insert_new(self._tx, values):
            return None
        self._begun += 1
        return self._seen(told, heard, before.version) if before is not None and is_told else None

    def _touch(self, row: Row[Any], heard: Heard, *, is_known: bool) -> NewEvent | None:
        """Note that it goes on; one that was recorded too late to be told is told when it is heard first."""
        at = self._moment(heard)
        if row.is_heard and row.last_seen is not None and row.last_seen <= self._now and at < row.last_seen + _NEWER:
            return None
        is_told = is_known and row.first_seen is None and row.told_at is None
        values: dict[str, Any] = {"is_heard": True, **heard_again(row, at, self._now, self._floor)}
        if row.first_seen is None:
            values |= {"first_seen": at, "trace_id": heard.trace_id, "instance": heard.instance}
        values |= {"origin": heard.telling.origin, **({"told_at": self._now} if is_told else {})}
        same = is_row(row) & (SERVICE_VERSIONS.c.told_at.is_(None) if is_told else true())
        done = self._tx.execute(update(SERVICE_VERSIONS).where(same).values(**values))
        return self._seen(row, heard, row.from_version) if is_told and done.rowcount else None

    def _come_back(self, row: Row[Any], heard: Heard) -> NewEvent | None:
        """Begin a version anew that had ended: a deploy of its own; told, unless it never lasted and was told today."""
        before = running(self._rows)
        is_news = row.told_at is None or row.told_at < self._now - DAY or row.settled_at is not None
        is_told = before is not None and is_news and self._lately < MOST_TOLD
        values = {
            **heard_again(row, self._moment(heard), self._now, self._floor),
            **self._anew(heard, before),
            "origin": heard.telling.origin,
            "is_baseline": before is None,
            "is_rollback": before is not None and is_older(row, before),
            "settled_at": None,
            "ended_at": None,
            "ending": None,
            "to_version": None,
            "trace_id": heard.trace_id,
            "instance": heard.instance,
            "url": "",
            "by": "",
            **({"told_at": self._now} if is_told else {}),
        }
        same = is_row(row) & (SERVICE_VERSIONS.c.ended_at == row.ended_at)
        if not self._tx.execute(update(SERVICE_VERSIONS).where(same).values(**values)).rowcount:
            return None
        keep_past(self._tx, row)
        return self._seen(row, heard, before.version) if before is not None and is_told else None

    def _anew(self, heard: Heard, before: Row[Any] | None) -> dict[str, Any]:
        at = self._moment(heard)
        times = dict.fromkeys(("began_at", "first_seen", "last_seen", "heard_since"), at)
        return {**times, "is_heard": True, "from_version": before.version if before else None}

    def _has_room(self) -> bool:
        gone = make_room(self._tx, self._rows, self._begun)
        self._rows = [row for row in self._rows if row is not gone]
        return len(self._rows) + self._begun < MOST_VERSIONS

    def _seen(self, key: Any, heard: Heard, before: str | None) -> NewEvent:
        self._lately += 1
        where = {"signal": heard.signal, "trace_id": heard.trace_id, "instance": heard.instance}
        return deploy_event(SEEN, key, before, **where)

    def _moment(self, heard: Heard) -> datetime:
        return min(datetime.fromtimestamp(heard.at_s, UTC), self._now)


def make_room(tx: Connection, rows: Rows, begun: int = 0) -> Row[Any] | None:
    """Forget the version that ended first, or waits the longest, if there are too many: the next one must be seen."""
    idle = [row for row in rows if row.ended_at is not None or not row.is_heard]
    if len(rows) + begun < MOST_VERSIONS or not idle:
        return None
    first = min(idle, key=lambda row: row.ended_at or row.began_at)
    tx.execute(delete(SERVICE_VERSIONS).where(is_row(first)))
    return first


def insert_new(tx: Connection, values: dict[str, Any]) -> bool:
    """Insert a row unless its version is there already; tell whether it is ours."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    texts = {"trace_id": "", "instance": "", "commit": "", "url": "", "by": ""}
    statement = dialect.insert(SERVICE_VERSIONS).values(**texts | values).on_conflict_do_nothing()
    # What it gives back says it: drivers count the rows of an insert, or do not.
    return tx.execute(statement.returning(SERVICE_VERSIONS.c.version)).first() is not None
