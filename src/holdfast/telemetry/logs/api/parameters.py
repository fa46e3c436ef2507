"""What a request to Loki's API asks; times are ns or seconds of Unix time or RFC 3339, durations `5m` or seconds.

Source: Grafana Loki's HTTP API, "Timestamp formats" and the parameters of each call.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_range_ns
from holdfast.telemetry.logs.selection import Direction
from holdfast.telemetry.metrics.api import Parameters
from holdfast.telemetry.metrics.promql.quoting import quote

NS: Final = 10**9
HOUR_NS: Final = 3600 * NS
_MOST_NS: Final = 2**63 - 1
_SECONDS_DIGITS: Final = 10  # as Loki: a whole number of more digits is nanoseconds
_STEPS: Final = 250
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TIMES: Final = "nanoseconds or seconds of Unix time, or RFC 3339"
_DIRECTIONS: Final = {"": Direction.BACKWARD, "backward": Direction.BACKWARD, "forward": Direction.FORWARD}


@dataclass(frozen=True, slots=True)
class Range:
    """The time that is asked for: from `start_ns` until before `end_ns`."""

    start_ns: int
    end_ns: int


def read_range(given: Parameters, *, back_ns: int = HOUR_NS) -> Range:
    """Give the time of `start`, `end`, `since`; by default the last `back_ns`.

    Raises:
        InvalidError: one is no time, or the end is before the start.
    """
    now_ns = time.time_ns()
    end_ns = read_time(given, "end", now_ns)
    since = given.text("since")
    back_ns = _since(since) if since else back_ns
    start_ns = read_time(given, "start", min(end_ns, now_ns) - back_ns)  # what is to come is not looked back from
    if end_ns < start_ns:
        raise InvalidError("end timestamp must not be before or equal to start time")
    return Range(start_ns, end_ns)


def read_time(given: Parameters, name: str, default: int) -> int:
    """Give one time in ns; raises InvalidError if it is none."""
    text = given.text(name)
    found = parse_time_ns(text) if text else default
    if found is None:
        place = "" if name == "time" else f"could not parse '{name}' parameter: "
        raise InvalidError(f"{place}strconv.ParseInt: parsing {quote(text)}: invalid syntax", hint=_TIMES)
    return found


def parse_time_ns(text: str) -> int | None:
    """Give the time that `text` says, or None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _parse_date_ns(text)
    if not number.is_finite() or abs(number) > _MOST_NS:
        return None
    is_ns = "." not in text and "e" not in text.lower() and len(text.lstrip("-")) > _SECONDS_DIGITS
    found = int(number) if is_ns else int(number * NS)
    return found if abs(found) <= _MOST_NS else None


def _parse_date_ns(text: str) -> int | None:
    whole, _, rest = text.partition(".")
    digits = re.match(r"\d{1,9}", rest)
    fraction = digits[0] if digits else ""
    try:
        at = datetime.fromisoformat(whole + rest[len(fraction) :] if fraction else text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NS + int(fraction.ljust(9, "0") or 0)


def read_step_ns(given: Parameters, span: Range) -> int:
    """Give the step of a metric query; by default such that a range has some 250.

    Raises:
        InvalidError: it is no duration, or not positive.
    """
    text = given.text("step")
    if not text:
        return max((span.end_ns - span.start_ns) // (_STEPS * NS) * NS, NS)
    step_ns = _duration(text)
    if step_ns <= 0:
        raise InvalidError("zero or negative query resolution step widths are not accepted. Try a positive integer")
    return step_ns


def aligned(span: Range, step_ns: int) -> Range:
    """Give a time whose ends are multiples of the step, the start before and the end behind what is asked.

    So Loki does before it splits a metric query, and the same moments are asked for again when a page is refreshed.
    """
    return Range(span.start_ns - span.start_ns % step_ns, span.end_ns + -span.end_ns % step_ns)


def read_interval_ns(given: Parameters) -> int:
    """Give how far apart lines are to be; 0 for all of them.

    Raises:
        InvalidError: it is no duration, or negative.
    """
    text = given.text("interval")
    interval_ns = _duration(text) if text else 0
    if interval_ns < 0:
        raise InvalidError("interval must be >= 0")
    return interval_ns


def read_direction(given: Parameters) -> Direction:
    """Give the direction; raises InvalidError if it is none."""
    text = given.text("direction").lower()
    if text not in _DIRECTIONS:
        raise InvalidError(f"invalid direction '{given.text('direction')}'", hint="forward or backward")
    return _DIRECTIONS[text]


def read_limit(given: Parameters, default: int = 100, *, name: str = "limit") -> int:
    """Give how many lines are wanted; raises InvalidError if it is no positive number."""
    text = given.text(name)
    if text and not _WHOLE.fullmatch(text):
        raise InvalidError(f"strconv.Atoi: parsing {quote(text)}: invalid syntax")
    limit = int(text) if text else default
    if limit <= 0:
        raise InvalidError("limit must be a positive value")
    return limit


def _since(text: str) -> int:
    length = _length(text)
    if length is not None:
        return length
    try:
        return parse_range_ns(text)
    except ValueError as error:
        raise InvalidError(f"could not parse 'since' parameter: {error}", hint="such as 5m, 1h30m or 7d") from error


def _duration(text: str) -> int:
    length = _length(text)
    if length is None:
        raise InvalidError(f"cannot parse {quote(text)} to a valid duration")
    return length


def _length(text: str) -> int | None:
    length = parse_duration_ns(text, knows_days=True) if text[:1].isdigit() and not text.isdecimal() else None
    if length is not None:
        return length
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        return None
    return int(seconds * NS) if seconds.is_finite() and abs(seconds) * NS <= _MOST_NS else None
