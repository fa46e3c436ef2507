"""Each turn of a service is written once, with its event; uptime survives restarts and knows what nobody watched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from fixtures.checkstates import check_state
from holdfast.health.services.chronicle import Chronicle
from holdfast.health.services.judging import ServiceHealth, judge_alone
from holdfast.health.services.tables import SERVICE_TURNS
from holdfast.health.verdict import Verdict
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT

DAY_S = 86_400.0


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.kernel.events.migrations", "holdfast.health.services.migrations")


@pytest.fixture
async def log(db, fake_clock) -> EventLog:
    return EventLog(db, fake_clock)


@pytest.fixture
def begin(db, log, fake_clock):
    """Open a chronicle as a starting process does."""

    async def open_chronicle() -> Chronicle:
        chronicle = Chronicle(db, log, fake_clock)
        await chronicle.open()
        return chronicle

    return open_chronicle


def health(verdict: str, *, maintenance: str | None = None) -> ServiceHealth:
    return judge_alone([check_state("ready", verdict, message="because", maintenance=maintenance)])


async def told(log: EventLog) -> list[tuple[str | None, str, str]]:
    return [(event.service, event.data["from"], event.data["to"]) for event in await log.read(DEFAULT_TENANT, after=0)]


async def test_a_turn_is_an_event_with_its_reasons(begin, log, fake_clock):
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    await fake_clock.advance(60)
    await chronicle.record({"web": health("down")})
    first, second = await log.read(DEFAULT_TENANT, after=0)
    assert (first.kind, first.subject, first.service) == ("service.changed", "service/web", "web")
    assert second.data == {
        "service": "web",
        "from": "up",
        "to": "down",
        "reasons": [{"check": "ready", "verdict": "down", "message": "because"}],
    }
    assert second.at == fake_clock.now()


async def test_what_stays_as_it_is_is_not_written_again(begin, log):
    chronicle = await begin()
    for _ in range(3):
        await chronicle.record({"web": health("up"), "new": ServiceHealth()})
    assert await told(log) == [("web", "unknown", "up")]


async def test_two_processes_that_see_the_same_turn_write_it_once(begin, log):
    one, other = await begin(), await begin()
    await one.record({"web": health("up")})
    await other.record({"web": health("up")})
    assert await told(log) == [("web", "unknown", "up")]
    assert other.timeline("web").last == one.timeline("web").last


async def test_a_restart_finds_the_turns_and_counts_the_time_between_as_not_watched(begin, log, fake_clock):
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    await fake_clock.advance(3600)
    await chronicle.mark()
    await fake_clock.advance(7200)  # killed: nobody watches for two hours
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    await fake_clock.advance(3600)
    now_s = fake_clock.now().timestamp()
    uptime = chronicle.timeline("web").uptime(now_s - DAY_S, now_s, chronicle.watched)
    assert (uptime.ratio, uptime.coverage) == (1.0, pytest.approx(2 / 24))
    assert len(await told(log)) == 1


async def test_maintenance_is_a_turn_without_an_event(begin, log, fake_clock):
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    await fake_clock.advance(100)
    await chronicle.record({"web": health("up", maintenance="upgrade")})
    await fake_clock.advance(100)
    assert len(await told(log)) == 1
    now_s = fake_clock.now().timestamp()
    assert chronicle.timeline("web").uptime(now_s - 200, now_s, chronicle.watched).coverage == pytest.approx(0.5)


async def test_a_turn_under_maintenance_says_so(begin, log):
    await (await begin()).record({"web": health("down", maintenance="upgrade")})
    (event,) = await log.read(DEFAULT_TENANT, after=0)
    assert event.data["maintenance"] is True


async def test_a_service_that_leaves_the_catalog_stops_counting(begin, log, fake_clock):
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    await fake_clock.advance(10)
    await chronicle.close_gone(["other"])
    await chronicle.close_gone(["other"])
    assert [turn.verdict for turn in chronicle.timeline("web").turns] == [Verdict.UP, Verdict.UNKNOWN]
    assert len(await told(log)) == 1


async def test_a_clock_that_was_set_back_keeps_the_order_of_turns(begin, fake_clock):
    chronicle = await begin()
    await chronicle.record({"web": health("up")})
    fake_clock.jump(timedelta(hours=-1))
    await chronicle.record({"web": health("down")})
    times = [turn.at_s for turn in chronicle.timeline("web").turns]
    assert times == sorted(times)
    assert len(set(times)) == 2


async def test_old_turns_are_forgotten_but_for_the_one_that_the_window_begins_with(begin, db, fake_clock):
    chronicle = await begin()
    for verdict in ("up", "down", "up"):
        await chronicle.record({"web": health(verdict)})
        await fake_clock.advance(DAY_S)
    await fake_clock.advance(200 * DAY_S)
    await chronicle.prune()
    count = select(func.count()).select_from(SERVICE_TURNS)
    assert await db.read(lambda tx: tx.execute(count).scalar()) == 1
    assert [turn.verdict for turn in (await begin()).timeline("web").turns] == [Verdict.UP]


async def test_hundreds_of_services_turn_in_one_transaction(begin, log):
    chronicle = await begin()
    await chronicle.record({f"service-{number}": health("up") for number in range(300)})
    await chronicle.record({f"service-{number}": health("down") for number in range(300)})
    assert await log.head(DEFAULT_TENANT) == 600
