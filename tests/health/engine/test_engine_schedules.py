"""The engine's schedule in motion: no overlap, retries, breakers, reloads, pauses."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.health.checks import Retries
from holdfast.health.engine import Engine
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConflictError, NotFoundError, StorageFullError

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


async def test_a_check_runs_on_its_period_and_its_results_are_told(rig):
    rig.watch(rig.check("a", every_s=10.0))
    async with rig.running():
        await rig.clock.advance(60)
    assert len(rig.results) in {6, 7}
    assert rig.verdict("a") is UP
    assert rig.changes("a") == ["unknown>up"]


async def test_a_check_never_overlaps_itself(rig):
    rig.watch(rig.check("a", every_s=5.0))
    rig.target("a").takes_s = 12.0
    async with rig.running():
        await rig.clock.advance(61)
    assert rig.target("a").most_at_once == 1
    assert rig.metric("holdfast_health_skipped_total", reason="running") >= 6


async def test_no_more_checks_than_slots_are_asked_at_once(rig):
    rig.engine = rig.new_engine(slots=3)
    shared = rig.target("shared")
    shared.takes_s = 4.0
    for number in range(12):
        rig.targets[f"c{number}"] = shared
    rig.watch(*(rig.check(f"c{number}") for number in range(12)))
    async with rig.running():
        await rig.clock.advance(30)
    assert shared.most_at_once == 3
    assert len({result.check for result in rig.results}) == 12


async def test_a_bad_attempt_is_repeated_before_it_counts(rig):
    rig.watch(rig.check("a", retries=Retries(2, 0.1)))
    rig.target("a").script = [DOWN, UNKNOWN, UP]
    async with rig.running():
        await rig.clock.advance(1)
        assert [(result.verdict, result.attempts) for result in rig.results] == [(UP, 3)]


async def test_a_degraded_answer_is_an_answer_and_not_repeated(rig):
    rig.watch(rig.check("a", retries=Retries(2, 0.1)))
    rig.target("a").script = [DEGRADED]
    async with rig.running():
        await rig.clock.advance(1)
        assert [(result.verdict, result.attempts) for result in rig.results] == [(DEGRADED, 1)]


async def test_a_probe_that_breaks_is_unknown_and_the_others_go_on(rig):
    rig.watch(rig.check("broken"), rig.check("fine"))
    rig.target("broken").script = [ZeroDivisionError("oops")] * 10
    async with rig.running():
        await rig.clock.advance(10)
    assert rig.verdict("broken") is UNKNOWN
    assert "the probe itself failed: ZeroDivisionError: oops" in rig.engine.state("broken").message
    assert rig.verdict("fine") is UP


async def test_a_fast_check_leaves_a_dead_target_alone_and_sees_it_recover(rig):
    rig.watch(rig.check("a", every_s=1.0, retries=Retries(2, 0.01)))
    target = rig.target("a")
    target.verdict = DOWN
    async with rig.running():
        await rig.clock.advance(10)
        assert rig.engine.state("a").breaker == "open"
        asked = len(target.asked_at)
        await rig.clock.advance(60)
        assert len(target.asked_at) - asked <= 7, "once in ten seconds, and without retries"
        target.verdict = UP
        await rig.clock.advance(11)
        assert rig.verdict("a") is UP
        assert rig.engine.state("a").breaker == "closed"


async def test_a_slow_check_keeps_its_pace_while_its_target_is_down(rig):
    rig.watch(rig.check("a", every_s=30.0))
    rig.target("a").verdict = DOWN
    async with rig.running():
        await rig.clock.advance(600)
    assert len(rig.target("a").asked_at) >= 20


async def test_a_reload_keeps_the_state_and_the_times_of_what_did_not_change(rig):
    rig.watch(rig.check("kept"), rig.check("gone"), rig.check("changed"))
    rig.target("changed").verdict = DOWN
    async with rig.running():
        await rig.clock.advance(25)
        before = rig.engine.state("kept")
        rig.watch(rig.check("kept"), rig.check("changed", for_s=60.0), rig.check("new"))
        after = rig.engine.state("kept")
        assert (after.since, after.next_at, after.recent) == (before.since, before.next_at, before.recent)
        assert rig.verdict("changed") is DOWN, "a calmer rule does not forget what is known"
        gone = len(rig.target("gone").asked_at)
        await rig.clock.advance(30)
        assert len(rig.target("gone").asked_at) == gone
        assert rig.verdict("new") is UP
    with pytest.raises(NotFoundError, match="did you mean 'new'"):
        rig.engine.state("neww")


async def test_a_paused_check_is_unknown_and_asks_nothing_until_resumed(rig):
    rig.watch(rig.check("a"))
    async with rig.running():
        await rig.clock.advance(15)
        await rig.engine.pause("a", "user/1")
        asked = len(rig.target("a").asked_at)
        await rig.clock.advance(60)
        state = rig.engine.state("a")
        assert (state.verdict, state.pause.by, state.next_at) == (UNKNOWN, "user/1", None)
        assert len(rig.target("a").asked_at) == asked
        with pytest.raises(ConflictError, match="paused"):
            await rig.engine.check_now("a")
        await rig.engine.resume("a", "user/2")
        await rig.clock.advance(1)
        assert rig.verdict("a") is UP
    kinds = [event.kind for event in rig.ledger.events]
    assert kinds.count("check.paused") == kinds.count("check.resumed") == 1


async def test_check_now_joins_the_run_that_goes_on(rig):
    rig.watch(rig.check("a", every_s=3600.0))
    rig.target("a").takes_s = 2.0
    async with rig.running():
        await rig.clock.advance(100)
        asked = len(rig.target("a").asked_at)
        runs = [asyncio.create_task(rig.engine.check_now("a")) for _ in range(5)]
        await rig.clock.advance(3)
        results = await asyncio.gather(*runs)
    assert len(rig.target("a").asked_at) == asked + 1
    assert all(result is results[0] for result in results)


async def test_a_restart_stands_where_the_last_process_stood(rig):
    rig.watch(rig.check("a"), rig.check("b"))
    rig.target("a").verdict = DOWN
    async with rig.running():
        await rig.clock.advance(30)
        await rig.engine.pause("b", "user/1")
        since = rig.engine.state("a").since
    again: Engine = rig.new_engine(emit=rig.results.append)
    rig.engine = again
    rig.watch(rig.check("a"), rig.check("b"))
    await again.recall()
    assert (rig.verdict("a"), again.state("a").since) == (DOWN, since)
    assert again.state("b").pause is not None
    asked = len(rig.target("b").asked_at)
    async with rig.running(again):
        await rig.clock.advance(30)
    assert rig.changes("a") == ["unknown>down"], "the restart is no transition"
    assert len(rig.target("b").asked_at) == asked


class FullLedger:
    """A ledger on a full disk, until `is_full` is unset."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.is_full = False

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def save_state(self, *state):
        if self.is_full:
            raise StorageFullError("the disk is full")
        await self.inner.save_state(*state)


async def test_a_transition_that_cannot_be_written_does_not_show_and_is_tried_again(rig):
    ledger = FullLedger(rig.ledger)
    rig.engine = rig.new_engine(ledger=ledger)
    rig.watch(rig.check("a"))
    async with rig.running():
        await rig.clock.advance(15)
        ledger.is_full = True
        rig.target("a").verdict = DOWN
        await rig.clock.advance(30)
        assert rig.verdict("a") is UP
        assert rig.results[-1].observed is DOWN
        ledger.is_full = False
        await rig.clock.advance(12)
        assert rig.verdict("a") is DOWN
    assert rig.changes("a") == ["unknown>up", "up>down"]
