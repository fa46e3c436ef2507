"""Cron expressions: the fields of crontab(5), time zones, and the two odd nights of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.schedule import parse_cron, parse_zone, to_instant

BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", utc(2026, 1, 1, 0, 15)),
        ("0 3 * * *", utc(2026, 1, 1, 3)),
        ("30 9 * * mon-fri", utc(2026, 1, 1, 9, 30)),
        ("0 0 1 * *", utc(2026, 2, 1)),
        ("0 0 13 * fri", utc(2026, 1, 2)),
        ("0 12 29 2 *", utc(2028, 2, 29, 12)),
        ("5/20 1,2 * * *", utc(2026, 1, 1, 1, 5)),
        ("0 0 * * 7", utc(2026, 1, 4)),
        ("@weekly", utc(2026, 1, 4)),
        ("@hourly", utc(2026, 1, 1, 1)),
    ],
)
def test_the_next_match_follows_crontab(text, expected):
    assert parse_cron(text).next_after(utc(2026, 1, 1)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("* * * *", "4 fields"),
        ("60 * * * *", "'60' is not a minute"),
        ("* * * * mond", "did you mean 'mon'"),
        ("5-1 * * * *", "'5-1' is not a minute"),
        ("*/0 * * * *", "is not a minute"),
        ("a b c d e", "is not a minute"),
        ("", "0 fields"),
    ],
)
def test_a_wrong_expression_names_the_field(text, message):
    with pytest.raises(InvalidError) as caught:
        parse_cron(text)
    assert message in str(caught.value)


def test_a_day_that_never_comes_has_no_next_match():
    assert parse_cron("0 0 31 2 *").next_after(utc(2026, 1, 1)) is None
    assert parse_cron("0 0 31 2 *").last_before(utc(2026, 1, 1)) is None


def test_a_time_that_spring_skips_counts_at_the_jump():
    cron = parse_cron("30 2 * * *", BERLIN)
    assert cron.next_after(utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1)
    assert cron.next_after(utc(2026, 3, 29, 1)) == utc(2026, 3, 30, 0, 30)


def test_a_time_that_autumn_repeats_counts_once():
    cron = parse_cron("30 2 * * *", BERLIN)
    assert cron.next_after(utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0, 30)
    assert cron.next_after(utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 26, 1, 30)


def test_the_same_wall_time_moves_in_utc_with_the_season():
    cron = parse_cron("0 3 * * *", BERLIN)
    assert cron.next_after(utc(2026, 1, 10)).hour == 2
    assert cron.next_after(utc(2026, 7, 10)).hour == 1


def test_an_unknown_zone_is_refused():
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(InvalidError, match="unknown time zone"):
            parse_zone(name)


def test_an_aware_time_keeps_its_zone():
    assert to_instant(utc(2026, 7, 1, 12), BERLIN) == utc(2026, 7, 1, 12)
    assert to_instant(datetime(2026, 7, 1, 12), BERLIN) == utc(2026, 7, 1, 10)  # noqa: DTZ001 -- a wall time


@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 -- hypothesis adds the zone
    text=st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 1-3 * * sun", "0 3 * 3,10 *"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_next_and_last_are_each_others_mirror(start, text, zone):
    cron, moment = parse_cron(text, ZoneInfo(zone)), start.replace(tzinfo=UTC)
    following = cron.next_after(moment)
    assert following > moment
    assert cron.last_before(following) == following
    assert cron.last_before(following - timedelta(microseconds=1)) <= moment
