"""Heartbeats: what calls mean over time, and that an acknowledged call is never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.health.checks import Check, find_check_files, load_checks
from holdfast.health.heartbeats import HEARTBEAT, HeartbeatBook, HeartbeatSpec, Pulse, Signal, judge, receive
from holdfast.health.probes import ProbeContext
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConfigError, LimitError, NotFoundError
from holdfast.kernel.sql import migrate

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN
HOURLY = HeartbeatSpec(every=3600.0, grace=300.0)
START = datetime(2026, 3, 28, 12, tzinfo=UTC)


def after(**length: float) -> datetime:
    return START + timedelta(**length)


def called(*calls: tuple[float, Signal], message: str = "") -> Pulse:
    pulse = Pulse(START)
    for minutes, signal in calls:
        pulse = receive(pulse, signal, after(minutes=minutes), message)
    return pulse


@pytest.mark.parametrize(
    ("pulse", "minutes", "verdict", "message"),
    [
        (called(), 64, UNKNOWN, "waiting for the first call"),
        (called(), 66, DOWN, "nothing was ever heard of it"),
        (called((10, Signal.SUCCESS)), 60, UP, "succeeded 50m ago"),
        (called((10, Signal.SUCCESS)), 74, UP, "succeeded 1h4m ago"),
        (called((10, Signal.SUCCESS)), 76, DOWN, "no call by 2026-03-28 13:10:00 UTC and 5m of grace"),
        (called((10, Signal.SUCCESS), (20, Signal.FAIL), message="disk full"), 25, DOWN, "failed, 5m ago: disk full"),
        (called((10, Signal.FAIL), (20, Signal.SUCCESS)), 25, UP, "succeeded 5m ago"),
        (called((10, Signal.START)), 30, UNKNOWN, "waiting"),
        (called((10, Signal.SUCCESS), (60, Signal.START)), 76, DOWN, "the last success was 1h6m ago"),
    ],
)
def test_what_calls_mean_depends_on_the_time(pulse, minutes, verdict, message):
    observation = judge(pulse, HOURLY, after(minutes=minutes))
    assert (observation.verdict, message in observation.message) == (verdict, True), observation.message


def test_a_job_that_started_and_does_not_finish_is_down():
    spec = HeartbeatSpec(every=86_400.0, longest=600.0)
    pulse = called((0, Signal.SUCCESS), (60, Signal.START))
    assert judge(pulse, spec, after(minutes=65)).verdict is UP
    assert judge(pulse, spec, after(minutes=75)).message == "started 15m ago, not finished within 10m"


def test_a_run_is_timed_from_its_start():
    assert judge(called((10, Signal.START), (12, Signal.SUCCESS)), HOURLY, after(minutes=13)).duration_s == 120.0


def test_a_cron_job_is_expected_on_its_wall_time_even_when_the_clocks_change():
    spec = HeartbeatSpec(cron="0 3 * * *", timezone="Europe/Berlin", grace=600.0)
    pulse = receive(Pulse(START), Signal.SUCCESS, datetime(2026, 3, 28, 2, 1, tzinfo=UTC), "")
    assert judge(pulse, spec, datetime(2026, 3, 29, 1, 9, tzinfo=UTC)).verdict is UP
    assert judge(pulse, spec, datetime(2026, 3, 29, 1, 11, tzinfo=UTC)).verdict is DOWN


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("{}", "needs to know when calls are due"),
        ("{every: 1h, cron: '0 3 * * *'}", "needs to know when calls are due"),
        ("{cron: daily}", "is not a cron expression"),
        ("{cron: '@daily', timezone: Mars}", "unknown time zone"),
        ("{every: 1h, key: hunter2hunter2}", "a.yaml:2: checks[0].heartbeat.key: the key of a heartbeat is a secret"),
    ],
)
def test_a_wrong_heartbeat_is_named_with_its_place(tmp_path, section, fault):
    (tmp_path / "a.yaml").write_text(f"checks:\n  - {{name: a, kind: heartbeat, heartbeat: {section}}}")
    with pytest.raises(ConfigError) as caught:
        load_checks(find_check_files(tmp_path), {"heartbeat": HEARTBEAT}, root=tmp_path)
    assert fault in str(caught.value)
    assert "a.yaml:2" in str(caught.value)


def check(name: str, **spec) -> Check:
    return Check(name, "heartbeat", HeartbeatSpec(every=3600.0, **spec))


@pytest.fixture
async def new_book(db, fake_clock):
    await migrate(db, ["holdfast.health.migrations"])
    told = []

    def make() -> HeartbeatBook:
        book = HeartbeatBook(db, fake_clock, resolve_secret=lambda text: f"the-{text}", tell=told.append)
        book.told = told
        return book

    return make


async def observe(book: HeartbeatBook, one: Check):
    return await book.probe(one).observe(ProbeContext(1.0, str))


async def test_an_acknowledged_call_survives_a_restart(new_book):
    backup = check("backup")
    book = new_book()
    book.expect([backup])
    await book.sync()
    key = book.key("backup")
    assert (await observe(book, backup)).verdict is UNKNOWN
    await book.call(key, Signal.SUCCESS, "42 files")
    again = new_book()
    again.expect([backup])
    await again.sync()
    assert again.key("backup") == key
    assert (await observe(again, backup)).message == "succeeded 0s ago: 42 files"
    assert book.told == ["backup"]


async def test_a_key_may_come_from_a_secret(new_book):
    book = new_book()
    book.expect([check("backup", key="${env:KEY}")])
    await book.sync()
    assert book.key("backup") == "the-${env:KEY}"


async def test_an_unknown_key_is_refused(new_book):
    book = new_book()
    with pytest.raises(NotFoundError, match="no heartbeat has this key"):
        await book.call("guess", Signal.SUCCESS)


async def test_a_job_that_calls_too_often_is_slowed_and_others_are_not(new_book, fake_clock):
    book = new_book()
    book.expect([check("loud"), check("calm")])
    await book.sync()
    for _ in range(20):
        await book.call(book.key("loud"), Signal.SUCCESS)
    with pytest.raises(LimitError) as caught:
        await book.call(book.key("loud"), Signal.SUCCESS)
    assert caught.value.retry.after_s <= 1.0
    await book.call(book.key("calm"), Signal.SUCCESS)
    await fake_clock.advance(1.1)
    await book.call(book.key("loud"), Signal.SUCCESS)


async def test_a_check_that_is_gone_takes_no_calls_but_keeps_its_key(new_book):
    book = new_book()
    book.expect([check("backup")])
    await book.sync()
    key = book.key("backup")
    book.expect([])
    await book.sync()
    with pytest.raises(NotFoundError):
        await book.call(key, Signal.SUCCESS)
    book.expect([check("backup")])
    await book.sync()
    assert book.key("backup") == key
