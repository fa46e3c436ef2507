"""What a schedule is: a workflow with its input, when it is due, what happens when its runs are late or overlap."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Literal, TypeAlias

import orjson
from pydantic_core import PydanticCustomError

from holdfast.kernel import decoding
from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId, TenantId
from holdfast.kernel.runs.queues import check_priority
from holdfast.kernel.runs.schedules.planning import CatchUp, Timing
from holdfast.kernel.runs.schedules.triggers import Bounded, Interval, Once
from holdfast.kernel.schedule import Cron, parse_cron, parse_zone, to_instant
from holdfast.kernel.units import parse_duration

Overlap: TypeAlias = Literal["allow", "skip", "queue", "cancel-old"]
Moment: TypeAlias = str | datetime

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")
_CATCH_UPS: Final = ("skip", "last", "all")
_OVERLAPS: Final = ("allow", "skip", "queue", "cancel-old")
_SHORTEST: Final = timedelta(seconds=1)
MOST_CATCH_UPS: Final = 1000


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule; say exactly one of `cron`, `every` and `at`.

    Attributes:
        name: lower-case letters, digits, `.`, `_`, `-` and `/`.
        workflow: the name of the workflow that it starts.
        input: plain JSON data; checked against the workflow's type when the schedule is put in force.
        cron: five fields as in crontab(5), or a macro such as `@daily`, read in `zone`.
        every: an interval such as `10m`, counted from `starts_at`, or else from 1970 in UTC.
        at: one moment, read in `zone` unless it names its own.
        zone: an IANA name.
        jitter: each start is delayed by up to this, drawn from the name and the instant, the same in every process.
        catch_up: for instants that passed while nothing ran: `skip` them, start one run for the `last`, or for `all`.
        catch_up_limit: with `all`, at most so many, the newest; the same bound holds for `overlap="queue"`.
        overlap: when the run before has not ended: `allow` both, `skip` the new one, `queue` it until the old one has
            ended, or `cancel-old` with its compensations.
        starts_at: no instant before this.
        ends_at: no instant after this.
        queue: None means the workflow's own.
    """

    name: str
    workflow: str
    input: Any = None
    cron: str | None = None
    every: str | None = None
    at: Moment | None = None
    zone: str = "UTC"
    jitter: str = "0s"
    catch_up: CatchUp = "last"
    catch_up_limit: int = 100
    overlap: Overlap = "skip"
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    queue: str | None = None
    priority: int = 0
    concurrency_key: str | None = None
    service: ServiceId | None = None
    tenant: TenantId = DEFAULT_TENANT
    timing: Timing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InvalidError: with the field as its place.
        """
        if not _NAME.fullmatch(self.name):
            hint = "up to 100 lower-case letters, digits, '.', '_', '-' and '/', such as nightly-backup"
            raise _fault("name", f"{self.name!r} is not a schedule's name", hint)
        self._check_words()
        trigger = Bounded(self._read_trigger(), self._moment("starts_at"), self._moment("ends_at"))
        if trigger.starts_at and trigger.ends_at and trigger.ends_at < trigger.starts_at:
            raise _fault("ends_at", "it lies before starts_at", "swap the two, or leave one out")
        jitter_s = self._duration("jitter", self.jitter).total_seconds()
        timing = Timing(self.name, trigger, jitter_s, self.catch_up, self.catch_up_limit)
        object.__setattr__(self, "timing", timing)

    @property
    def rule(self) -> str:
        """Give the cron expression, the interval or the moment as it was written."""
        return str(self.cron or self.every or self.at)

    @property
    def kind(self) -> str:
        """Give `cron`, `interval` or `once`."""
        return "cron" if self.cron else "interval" if self.every else "once"

    @property
    def fingerprint(self) -> str:
        """Tell definitions with other instants apart: such a change begins anew, without catching up."""
        parts = [self.cron, self.every, str(self.at), self.zone, str(self.starts_at), str(self.ends_at)]
        return hashlib.blake2b(orjson.dumps(parts), digest_size=8).hexdigest()

    def _check_words(self) -> None:
        for name, words in (("catch_up", _CATCH_UPS), ("overlap", _OVERLAPS)):
            given = getattr(self, name)
            if given not in words:
                raise _fault(name, f"{given!r} is none of {', '.join(words)}", decoding.suggest(str(given), words))
        if not 1 <= self.catch_up_limit <= MOST_CATCH_UPS:
            raise _fault("catch_up_limit", f"{self.catch_up_limit} is out of range", f"from 1 to {MOST_CATCH_UPS}")
        try:
            check_priority(self.priority)
        except InvalidError as error:
            raise _fault("priority", error.message, error.hint) from None

    def _read_trigger(self) -> Cron | Interval | Once:
        given = [name for name in ("cron", "every", "at") if getattr(self, name) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none of cron, every and at"
            raise _fault(given[-1] if given else "", f"it says {said}", "say exactly one of cron, every and at")
        if self.at is not None:
            return Once(_to_moment("at", self.at, self._zone()))
        if self.every is not None:
            every = self._duration("every", self.every)
            if every < _SHORTEST:
                raise _fault("every", f"{self.every} is too short", "at least 1s")
            starts_at = self._moment("starts_at")
            return Interval(every, starts_at) if starts_at else Interval(every)
        assert self.cron is not None
        zone = self._zone()
        try:
            return parse_cron(self.cron, zone)
        except InvalidError as error:
            raise _fault("cron", error.message, error.hint) from None

    def _zone(self) -> tzinfo:
        try:
            return UTC if self.zone == "UTC" else parse_zone(self.zone)
        except InvalidError as error:
            raise _fault("zone", error.message, error.hint) from None

    def _moment(self, name: str) -> datetime | None:
        given = getattr(self, name)
        return None if given is None else _to_moment(name, given, self._zone())

    @staticmethod
    def _duration(name: str, text: str) -> timedelta:
        try:
            return timedelta(seconds=parse_duration(text))
        except PydanticCustomError as error:
            raise _fault(name, error.message(), "") from None


def _to_moment(name: str, given: Moment, zone: tzinfo) -> datetime:
    try:
        wall = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise _fault(name, f"{given!r} is not a moment", "write one such as 2026-03-01T12:00") from None
    return to_instant(wall, zone)


def _fault(name: str, message: str, hint: str) -> InvalidError:
    return InvalidError(message, hint=hint, place=Place(field=name))
