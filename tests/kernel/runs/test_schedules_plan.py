"""What a schedule owes: on time, late, after a leap of the clock in either direction, over the nights of the year."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.runs.schedules.planning import Timing, make_plan
from holdfast.kernel.runs.schedules.triggers import Bounded, Interval, Once
from holdfast.kernel.schedule import parse_cron

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTLY = parse_cron("30 2 * * *", BERLIN)
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(2026, *parts, tzinfo=UTC)


def test_nothing_is_owed_before_the_instant_and_one_run_at_it():
    timing = Timing("backup", NIGHTLY)
    due = utc(1, 2, 1, 30)
    assert make_plan(timing, due, due - timedelta(microseconds=1)).due == ()
    plan = make_plan(timing, due, due)
    assert (plan.due, plan.missed, plan.next_due) == ((due,), 0, utc(1, 3, 1, 30))


@pytest.mark.parametrize(
    ("catch_up", "due", "missed"),
    [
        ("skip", (), 4),
        ("last", (utc(1, 5, 1, 30),), 3),
        ("all", tuple(utc(1, day, 1, 30) for day in (2, 3, 4, 5)), 0),
    ],
)
def test_after_days_of_silence_the_policy_decides(catch_up, due, missed):
    plan = make_plan(Timing("backup", NIGHTLY, catch_up=catch_up), utc(1, 2, 1, 30), utc(1, 5, 12))
    assert (plan.due, plan.missed, plan.next_due) == (due, missed, utc(1, 6, 1, 30))


def test_skip_still_starts_what_is_due_now():
    plan = make_plan(Timing("backup", NIGHTLY, catch_up="skip"), utc(1, 2, 1, 30), utc(1, 5, 1, 30, 59))
    assert (plan.due, plan.missed) == ((utc(1, 5, 1, 30),), 3)


def test_catching_up_on_all_has_a_bound_and_keeps_the_newest():
    timing = Timing("tick", Interval(timedelta(seconds=1)), catch_up="all", catch_up_limit=3)
    plan = make_plan(timing, utc(1, 1), utc(2, 1))
    assert plan.due == tuple(utc(2, 1) - timedelta(seconds=s) for s in (2, 1, 0))
    assert plan.missed == 1000


def test_a_clock_that_leaps_ahead_is_an_absence():
    timing = Timing("hourly", Interval(HOUR), catch_up="last")
    plan = make_plan(timing, utc(1, 1, 1), utc(3, 1))
    assert (plan.due, plan.next_due) == ((utc(3, 1),), utc(3, 1, 1))


def test_a_clock_that_is_set_back_does_not_leave_the_schedule_waiting_for_the_future():
    timing = Timing("hourly", Interval(HOUR))
    plan = make_plan(timing, utc(9, 1), utc(1, 1, 0, 30))
    assert (plan.due, plan.next_due, plan.is_set_back) == ((), utc(1, 1, 1), True)


@pytest.mark.parametrize(
    ("moment", "instants"),
    [
        (utc(3, 28, 12), [utc(3, 29, 1), utc(3, 30, 0, 30)]),
        (utc(10, 24, 12), [utc(10, 25, 0, 30), utc(10, 26, 1, 30)]),
    ],
    ids=["spring", "autumn"],
)
def test_on_the_two_odd_nights_a_nightly_schedule_runs_once(moment, instants):
    timing, due, started = Timing("backup", NIGHTLY), NIGHTLY.next_after(moment), []
    for minute in range(48 * 60):
        plan = make_plan(timing, due, moment + timedelta(minutes=minute))
        started, due = started + list(plan.due), plan.next_due
    assert started == instants


def test_an_interval_keeps_its_pace_over_daylight_saving():
    every = Interval(timedelta(hours=6), datetime(2026, 3, 28, tzinfo=BERLIN).astimezone(UTC))
    times, due = [], utc(3, 28)
    for _ in range(8):
        due = every.next_after(due)
        times.append(due)
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {timedelta(hours=6)}


def test_bounds_are_part_of_the_series():
    trigger = Bounded(Interval(HOUR), utc(1, 1, 3), utc(1, 1, 5))
    assert Timing("x", trigger).preview(utc(1, 1), 9) == [utc(1, 1, 3), utc(1, 1, 4), utc(1, 1, 5)]
    assert trigger.last_before(utc(2, 1)) == utc(1, 1, 5)
    assert trigger.last_before(utc(1, 1, 2)) is None
    assert make_plan(Timing("x", trigger), utc(1, 1, 5), utc(1, 1, 5)).next_due is None


def test_once_is_once_and_is_caught_up_on():
    timing = Timing("once", Once(utc(1, 1, 12)))
    assert make_plan(timing, utc(1, 1, 12), utc(2, 1)).due == (utc(1, 1, 12),)
    assert make_plan(timing, None, utc(2, 1)).due == ()
    assert make_plan(Timing("once", Once(utc(1, 1, 12)), catch_up="skip"), utc(1, 1, 12), utc(2, 1)).missed == 1


@given(name=st.text(max_size=20), seconds=st.integers(0, 10**7), jitter_s=st.floats(0.001, 10_000))
def test_jitter_is_the_same_for_all_and_never_reaches_the_next_instant(name, seconds, jitter_s):
    timing = Timing(name, Interval(timedelta(minutes=5)), jitter_s=jitter_s)
    due = timing.trigger.next_after(utc(1, 1) + timedelta(seconds=seconds))
    start = timing.start_of(due)
    assert start == Timing(name, Interval(timedelta(minutes=5)), jitter_s=jitter_s).start_of(due)
    assert due <= start <= due + timedelta(seconds=min(jitter_s, 300))


@given(
    pauses=st.lists(st.integers(0, 4000), min_size=1, max_size=60),
    every_s=st.integers(1, 3000),
    jitter_s=st.sampled_from([0.0, 7.0, 5000.0]),
    catch_up=st.sampled_from(["skip", "last", "all"]),
)
def test_whatever_the_pauses_no_instant_is_started_twice_and_none_is_lost(pauses, every_s, jitter_s, catch_up):
    timing = Timing("x", Interval(timedelta(seconds=every_s)), jitter_s, catch_up, catch_up_limit=10_000)
    now = utc(1, 1)
    due = first = timing.trigger.next_after(now)
    started, missed = [], 0
    for pause_s in pauses:
        now += timedelta(seconds=pause_s)
        plan = make_plan(timing, due, now)
        assert all(timing.start_of(instant) <= now for instant in plan.due)
        started, missed, due = started + list(plan.due), missed + plan.missed, plan.next_due
        if plan.missed == 1000:
            return
    assert started == sorted(set(started))
    assert len(started) + missed == (due - first) // timedelta(seconds=every_s)
    assert timing.start_of(due) > now
    if catch_up == "all":
        assert missed == 0
