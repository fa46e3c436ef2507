"""Turns one maintenance entry of a file into a window, or says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo

from holdfast.health.checks.shapes import WindowShape
from holdfast.health.checks.windows import Once, Period, Recurring, Selector, Window
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.schedule import parse_cron, parse_zone, to_instant

T = TypeVar("T")
PlaceOf = Callable[..., Place]


def build_window(shape: WindowShape, place: PlaceOf) -> Window:
    """Give the window that `shape` describes.

    Args:
        shape: the entry.
        place: gives the place of one of its fields.

    Raises:
        ConfigError: nothing is covered, or the times make no sense.
    """
    selector = Selector(shape.checks, shape.services, shape.labels)
    if selector.is_empty():
        raise _fault("it covers nothing", "name services, checks or labels", place("name"))
    zone = _parse(lambda: parse_zone(shape.timezone), place("timezone"))
    when = _recurring(shape, zone, place) if shape.cron else _once(shape, zone, place)
    return Window(shape.name, shape.name, selector, when, shape.reason)


def _recurring(shape: WindowShape, zone: ZoneInfo, place: PlaceOf) -> Recurring:
    if shape.starts or shape.ends:
        raise _fault(
            "cron and starts/ends exclude each other", "keep cron and duration, or starts and ends", place("cron")
        )
    if not shape.duration:
        raise _fault("a window with cron needs a duration", "write one such as duration: 2h", place("duration"))
    cron = _parse(lambda: parse_cron(shape.cron or "", zone), place("cron"))
    return Recurring(cron, timedelta(seconds=shape.duration))


def _once(shape: WindowShape, zone: ZoneInfo, place: PlaceOf) -> Once:
    if not shape.starts or bool(shape.ends) == bool(shape.duration):
        raise _fault("it does not say when", "write starts with ends or duration, or cron with duration", place("name"))
    start = _parse_time(shape.starts, zone, place("starts"))
    end = (
        _parse_time(shape.ends, zone, place("ends")) if shape.ends else start + timedelta(seconds=shape.duration or 0.0)
    )
    if end <= start:
        raise _fault("it ends before it starts", "give ends a later time than starts", place("ends"))
    return Once(Period(start, end))


def _parse_time(text: str, zone: tzinfo, place: Place) -> datetime:
    try:
        return to_instant(datetime.fromisoformat(text), zone)
    except ValueError:
        raise _fault(f"{text!r} is not a time", "write one such as 2026-03-01T22:00", place) from None


def _parse(parse: Callable[[], T], place: Place) -> T:
    try:
        return parse()
    except InvalidError as error:
        raise _fault(error.message, error.hint, place) from None


def _fault(message: str, hint: str, place: Place) -> ConfigError:
    return ConfigError((InvalidError(message, hint=hint, place=place),))
