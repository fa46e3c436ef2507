"""What the engine makes of answers: parents, maintenance, and the time that counts for uptime."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.health.checks import Flap, Once, Period, Retries, Selector, Window
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConflictError, NotFoundError

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


def family(rig):
    """A gateway, a service behind it and a job behind that."""
    rig.watch(
        rig.check("gateway"),
        rig.check("service", parents=("gateway",)),
        rig.check("job", parents=("service",)),
    )


def fail(rig, *names) -> None:
    for name in names:
        rig.target(name).verdict = DOWN


async def test_below_a_failed_parent_nothing_reads_down(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "gateway", "service", "job")
        await rig.clock.advance(20)
        assert [rig.verdict(name) for name in ("gateway", "service", "job")] == [DOWN, UNKNOWN, UNKNOWN]
        assert {rig.engine.state(name).blocked_by for name in ("service", "job")} == {"gateway"}
        assert rig.engine.state("job").message == "hidden by gateway: it is down"


@pytest.mark.parametrize("seed", range(8))
async def test_even_when_all_fail_at_the_same_moment_no_child_ever_reads_down(rig, seed):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20 + seed * 1.37)
        fail(rig, "gateway", "service", "job")
        await rig.clock.advance(25)
    for name in ("service", "job"):
        assert rig.changes(name) == ["unknown>up", "up>unknown"]
        assert all(result.observed is not DOWN for result in rig.results_of(name))


async def test_a_parent_that_is_slow_to_ask_still_hides_its_children(rig):
    rig.watch(rig.check("gateway", every_s=300.0), rig.check("service", parents=("gateway",)))
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "gateway", "service")
        rig.target("gateway").takes_s = 3.0
        await rig.clock.advance(15)
        assert rig.verdict("gateway") is DOWN, "it was asked out of turn, because a child turned down"
        assert rig.verdict("service") is UNKNOWN
    assert "up>down" not in rig.changes("service")


async def test_a_child_that_fails_alone_reads_down(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "service")
        await rig.clock.advance(11)
        assert [rig.verdict(name) for name in ("gateway", "service", "job")] == [UP, DOWN, UP]


async def test_a_child_that_stays_down_does_not_ask_its_parent_over_and_over(rig):
    rig.watch(rig.check("gateway", every_s=300.0), rig.check("service", parents=("gateway",)))
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "service")
        await rig.clock.advance(200)
        assert len(rig.target("gateway").asked_at) <= 3


async def test_a_child_that_was_down_becomes_unknown_when_its_parent_fails_later(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "service", "job")
        await rig.clock.advance(12)
        assert [rig.verdict("service"), rig.verdict("job")] == [DOWN, UNKNOWN]
        assert rig.engine.state("job").blocked_by == "service"
        fail(rig, "gateway")
        await rig.engine.check_now("gateway")
        assert [rig.verdict("service"), rig.verdict("job")] == [UNKNOWN, UNKNOWN]
        assert rig.engine.state("job").blocked_by == "gateway"
        judged = rig.results_of("service")[-1]
        assert (judged.attempts, judged.blocked_by) == (0, "gateway")


async def test_when_the_parent_recovers_its_children_are_asked_at_once(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "gateway", "service", "job")
        await rig.clock.advance(25)
        for name in ("gateway", "service", "job"):
            rig.target(name).verdict = UP
        await rig.engine.check_now("gateway")
        await rig.clock.advance(0.1)
        assert [rig.verdict(name) for name in ("gateway", "service", "job")] == [UP, UP, UP]


async def test_when_the_parent_recovers_but_the_next_one_does_not_the_blame_moves_down(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "gateway", "service", "job")
        await rig.clock.advance(25)
        rig.target("gateway").verdict = UP
        await rig.clock.advance(12)
        assert [rig.verdict(name) for name in ("gateway", "service", "job")] == [UP, DOWN, UNKNOWN]
        assert rig.engine.state("job").blocked_by == "service"


async def test_when_one_parent_recovers_as_another_fails_the_child_does_not_read_down(rig):
    rig.watch(rig.check("left"), rig.check("right"), rig.check("child", parents=("left", "right")))
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "left", "child")
        await rig.clock.advance(20)
        rig.target("left").verdict = UP
        fail(rig, "right")
        await rig.clock.advance(20)
        assert rig.engine.state("child").blocked_by == "right"
    assert all(result.observed is not DOWN for result in rig.results_of("child"))


async def test_a_child_that_answers_is_up_whatever_its_parent_says(rig):
    family(rig)
    async with rig.running():
        await rig.clock.advance(20)
        fail(rig, "gateway")
        await rig.clock.advance(20)
        assert rig.verdict("service") is UP


async def test_a_flapping_check_is_told_once_and_stays_at_its_worst(rig):
    rig.watch(rig.check("a", every_s=1.0, flap=Flap(4, 10)))
    rig.target("a").script = [UP, DOWN] * 6
    async with rig.running():
        await rig.clock.advance(11)
        assert rig.engine.state("a").is_flapping
        assert rig.verdict("a") is DOWN
        await rig.clock.advance(10)
        assert rig.verdict("a") is UP
    flaps = [event.data["flapping"] for event in rig.ledger.events if event.kind == "check.flapping"]
    assert flaps == [True, False]
    assert len(rig.changes("a")) <= 6


async def test_a_worse_verdict_waits_for_its_time(rig):
    rig.watch(rig.check("a", for_s=25.0))
    async with rig.running():
        await rig.clock.advance(15)
        fail(rig, "a")
        await rig.clock.advance(20)
        assert rig.verdict("a") is UP
        await rig.clock.advance(20)
        assert rig.verdict("a") is DOWN


def window(rig, start_s: float, length_s: float) -> Window:
    start = rig.clock.now() + timedelta(seconds=start_s)
    when = Once(Period(start, start + timedelta(seconds=length_s)))
    return Window("move", "move", Selector(services=("shop",)), when, "new racks")


async def test_maintenance_is_told_and_spares_the_uptime_but_hides_nothing(rig):
    rig.watch(rig.check("a", service="shop"), rig.check("b"), windows=[window(rig, 30, 60)])
    async with rig.running():
        await rig.clock.advance(40)
        fail(rig, "a", "b")
        await rig.clock.advance(20)
        assert rig.verdict("a") is DOWN
        assert rig.engine.state("a").maintenance == "move"
        assert rig.engine.state("b").maintenance is None
        assert rig.results_of("a")[-1].held_verdict is UNKNOWN
        assert rig.results_of("b")[-1].held_verdict is DOWN
        await rig.clock.advance(60)
        assert rig.engine.state("a").maintenance is None
    kinds = [event.kind for event in rig.ledger.events if event.kind.startswith("maintenance.")]
    assert kinds == ["maintenance.started", "maintenance.ended"]
    change = next(event for event in rig.ledger.events if event.data.get("to") == "down" and event.service == "shop")
    assert change.data["maintenance"] is True


async def test_a_window_that_was_open_before_the_restart_does_not_open_twice(rig):
    rig.watch(rig.check("a", service="shop"), windows=[window(rig, 5, 600)])
    async with rig.running():
        await rig.clock.advance(20)
    planned = rig.engine.upkeep.windows
    rig.engine = rig.new_engine(emit=rig.results.append)
    rig.watch(rig.check("a", service="shop"), windows=planned)
    async with rig.running():
        await rig.clock.advance(20)
        assert rig.engine.state("a").maintenance == "move"
    assert [event.kind for event in rig.ledger.events].count("maintenance.started") == 1


async def test_the_seconds_of_all_results_add_up_to_the_time_that_passed(rig):
    rig.watch(rig.check("a", every_s=7.0))
    async with rig.running():
        await rig.clock.advance(50)
        fail(rig, "a")
        await rig.clock.advance(50)
        rig.target("a").verdict = UP
        await rig.clock.advance(100)
    first, last = rig.results[0].at, rig.results[-1].at
    assert sum(result.held_s for result in rig.results) == pytest.approx((last - first).total_seconds())
    down_s = sum(result.held_s for result in rig.results if result.held_verdict is DOWN)
    assert down_s == pytest.approx(50, abs=8)


async def test_time_in_which_nobody_watched_counts_for_nothing(rig):
    rig.watch(rig.check("a", every_s=10.0, retries=Retries(0, 0.1), timeout_s=5.0))
    async with rig.running():
        await rig.clock.advance(30)
    async with rig.running():
        pass
    await rig.clock.advance(3600)
    async with rig.running():
        await rig.clock.advance(30)
    assert sum(result.held_s for result in rig.results) < 120


async def test_a_persons_window_opens_closes_and_is_forgotten(rig):
    rig.watch(rig.check("a", service="shop"))
    async with rig.running():
        await rig.clock.advance(20)
        planned = window(rig, 30, 60)
        await rig.engine.upkeep.add(planned, planned.when.period, "user/1")
        await rig.clock.advance(50)
        assert rig.engine.state("a").maintenance == "move"
        await rig.clock.advance(60)
        assert rig.engine.state("a").maintenance is None
        assert rig.engine.upkeep.windows == ()
    assert rig.ledger.windows == {}
    kinds = [event.kind for event in rig.ledger.events if event.kind.startswith("maintenance.")]
    assert kinds == ["maintenance.added", "maintenance.started", "maintenance.ended"]


async def test_a_window_that_passed_while_nobody_ran_is_forgotten(rig):
    planned = window(rig, 10, 60)
    await rig.ledger.add_window(planned, ())
    await rig.clock.advance(3600)
    rig.watch(rig.check("a", service="shop"))
    async with rig.running():
        await rig.clock.advance(20)
    assert rig.ledger.windows == {}


async def test_a_window_of_a_file_is_not_called_off_by_people(rig):
    rig.watch(rig.check("a"), windows=[window(rig, 30, 60)])
    with pytest.raises(ConflictError, match="comes from a file"):
        await rig.engine.upkeep.remove("move", "user/1")
    with pytest.raises(NotFoundError):
        await rig.engine.upkeep.remove("nothing", "user/1")
