"""The event log tells what happened around a moment: to the service, to those next to it, to everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ids import DEFAULT_TENANT, ServiceId, TenantId
from holdfast.telemetry.correlate import Lane, read_moment
from holdfast.telemetry.correlate.findings import Part
from holdfast.telemetry.correlate.happenings import describe_event, look_at_events

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def migrations():
    return ("holdfast.kernel.events.migrations",)


@pytest.fixture
def tell(db):
    """Write an event so many minutes after the moment."""
    clock = FakeClock(AT - timedelta(days=1))
    log = EventLog(db, clock)

    async def write(minutes: float, kind: str, service: str = "", tenant: str = DEFAULT_TENANT, **data: Any) -> None:
        await clock.advance((AT + timedelta(minutes=minutes) - clock.now()).total_seconds())
        about = ServiceId(service) if service else None
        await log.publish(NewEvent(kind, kind.partition(".")[0], data, service=about, tenant=TenantId(tenant)))

    write.log = log  # type: ignore[attr-defined] # the log that it writes into
    return write


async def look(tell: Any, *neighbours: str) -> tuple[Part, Part]:
    moment = read_moment(AT, timedelta(minutes=15), AT + timedelta(hours=1), longest=timedelta(days=1))
    parts = Part(Lane.EVENTS), Part(Lane.CHECKS)
    await look_at_events(parts, tell.log, DEFAULT_TENANT, "orders", neighbours, moment)
    return parts


async def test_each_kind_stands_in_its_lane(tell):
    await tell(-3, "check.changed", "bank", check="bank-ready", **{"from": "up", "to": "down"})
    await tell(-2, "deploy.finished", "orders", version="1.2.3")
    await tell(-1, "check.changed", "orders", check="orders-ready", message="refused", **{"from": "up", "to": "down"})
    await tell(0, "catalog.changed", added_count=1, changed_count=2)
    events, checks = await look(tell, "bank")
    assert [each.reason for each in checks.findings] == ["Check orders-ready went from up to down: refused."]
    told = {each.lane: each.reason for each in events.findings}
    assert told[Lane.NEIGHBOURS] == "Check bank-ready went from up to down."
    assert {each.reason for each in events.findings if each.lane is Lane.EVENTS} == {
        "Deploy finished: version 1.2.3.",
        "The catalog changed: 1 added, 2 changed.",
    }
    assert checks.findings[0].moved_at == AT - timedelta(minutes=1)
    assert checks.findings[0].evidence.query == "3"


async def test_causes_count_from_the_time_before_and_what_followed_does_not(tell):
    await tell(-14, "deploy.finished", "orders")
    await tell(-13, "check.changed", "orders", check="x", **{"from": "up", "to": "down"})
    await tell(-1, "deploy.finished", "orders")
    await tell(30, "deploy.finished", "orders")
    events, checks = await look(tell)
    assert checks.findings == []
    near, early = sorted(events.findings, key=lambda each: -each.rank)
    assert (near.moved_at, early.moved_at) == (AT - timedelta(minutes=1), AT - timedelta(minutes=14))
    assert early.reason.endswith("This was 4 min before the window.")


async def test_what_is_of_others_stays_out(tell):
    await tell(-1, "check.changed", "mail", check="mail-ready", **{"from": "up", "to": "down"})
    await tell(-1, "deploy.finished", "mail")
    await tell(-1, "deploy.finished", "orders", tenant="other")
    await tell(-1, "dashboard.saved")
    await tell(-1, "logs.pattern_new", "orders")
    events, checks = await look(tell, "bank")
    assert (events.findings, checks.findings) == ([], [])


async def test_what_got_well_ranks_below_what_broke(tell):
    await tell(-2, "check.changed", "orders", check="a", **{"from": "up", "to": "down"})
    await tell(-1, "check.changed", "orders", check="b", **{"from": "down", "to": "up"})
    _, checks = await look(tell)
    assert [each.reason for each in sorted(checks.findings, key=lambda each: -each.rank)] == [
        "Check a went from up to down.",
        "Check b went from down to up.",
    ]


async def test_deploys_are_told_in_words_and_what_settled_explains_less(tell):
    said = {"version": "1.1.0", "from": "1.0.0"}
    await tell(-4, "deploy.seen", "orders", **said, environment="production")
    await tell(-3, "deploy.recorded", "orders", **said, by="ci", commit="4f2a")
    await tell(-2, "deploy.settled", "orders", **said)
    await tell(-1, "deploy.rolled_back", "orders", **said)
    events, _ = await look(tell)
    assert {each.reason: each.rank for each in events.findings} == {
        "deploy runs 1.1.0 in production now, after 1.0.0.": 0.95,
        "deploy was deployed as 1.1.0, after 1.0.0 by ci (commit 4f2a).": 0.95,
        "deploy runs nothing but 1.1.0 now.": 0.5,
        "deploy went back to 1.1.0, after 1.0.0.": 0.95,
    }


@pytest.mark.parametrize(
    ("kind", "subject", "actor", "data", "said"),
    [
        (EventKind("check.flapping", "a check began or stopped to flap: {check, flapping}"), "check/bank-ready",
         "system", {"check": "bank-ready", "flapping": False},
         "A check began or stopped to flap: check bank-ready, flapping no."),
        (EventKind("check.paused", "somebody stopped a check: {check}"), "check/bank-ready", "user/ada",
         {"check": "bank-ready"}, "Somebody (user/ada) stopped a check: check bank-ready."),
        (EventKind("run.failed", "a run failed: {workflow, version, type, error}"), "run/7", "system",
         {"workflow": "pay", "version": 0, "error": "no\nbank"}, "A run failed: workflow pay, error no bank, run 7."),
        (EventKind("search.saved", "Somebody saved a search; its name is kept."), "search", "system", {},
         "Somebody saved a search."),
        (EventKind("queue.changed", "A queue was changed."), "queue/a", "token/ci", {"state": "paused", "at": None},
         "A queue was changed by token/ci: state paused, queue a."),
    ],
)  # fmt: skip
async def test_an_event_is_told_by_the_line_of_its_kind(tell, kind, subject, actor, data, said):
    tell.log.declare([kind])
    (event,) = await tell.log.publish(NewEvent(kind.name, subject, data, actor=actor))
    assert describe_event(event, tell.log.summary_of(kind.name)) == said


async def test_a_kind_that_nobody_declared_is_told_by_its_words(tell):
    (event,) = await tell.log.publish(NewEvent("rollout.step_done", "rollout"))
    assert tell.log.summary_of("rollout.step_done") == ""
    assert describe_event(event) == "Rollout step done."
