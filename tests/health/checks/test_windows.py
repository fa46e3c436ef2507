"""Maintenance windows: once, recurring, across daylight saving; and which checks they cover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.health.checks import Check, Once, Period, Recurring, Selector
from holdfast.kernel.schedule import parse_cron


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_window_holds_its_start_but_not_its_end():
    window = Once(Period(utc(2026, 1, 1, 10), utc(2026, 1, 1, 12)))
    assert window.at(utc(2026, 1, 1, 9, 59)) is None
    assert window.at(utc(2026, 1, 1, 10)) is not None
    assert window.at(utc(2026, 1, 1, 12)) is None
    assert window.next_start(utc(2026, 1, 1)) == utc(2026, 1, 1, 10)
    assert window.next_start(utc(2026, 1, 1, 10)) is None


def test_a_weekly_window_keeps_its_wall_time_through_the_seasons():
    window = Recurring(parse_cron("0 3 * * sun", ZoneInfo("Europe/Berlin")), timedelta(hours=2))
    assert window.at(utc(2026, 1, 4, 2, 30)) == Period(utc(2026, 1, 4, 2), utc(2026, 1, 4, 4))
    assert window.at(utc(2026, 7, 5, 1, 30)) == Period(utc(2026, 7, 5, 1), utc(2026, 7, 5, 3))
    assert window.at(utc(2026, 7, 5, 3)) is None


def test_a_window_over_the_spring_jump_lasts_its_full_length():
    window = Recurring(parse_cron("30 1 * * sun", ZoneInfo("Europe/Berlin")), timedelta(hours=2))
    period = window.at(utc(2026, 3, 29, 1, 30))
    assert period == Period(utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 2, 30))


def test_a_selector_covers_by_name_service_or_labels():
    check = Check("a", "http", None, service="shop", labels={"env": "demo", "tier": "1"})
    assert Selector(checks=("a",)).covers(check)
    assert Selector(services=("shop",)).covers(check)
    assert Selector(services=("bank",)).covers(check, frozenset({"bank"}))
    assert Selector(labels={"env": "demo"}).covers(check)
    assert not Selector(labels={"env": "demo", "tier": "2"}).covers(check)
    assert not Selector(checks=("b",), services=("bank",)).covers(check)
    assert not Selector().covers(check)
