"""The state machine of a check: worse verdicts must hold, better ones show at once, flapping only gets worse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.engine.damping import Damping, Standing, observe, reconsider
from holdfast.health.verdict import Verdict, severity

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
CALM = Damping(flap_threshold=0)


def replay(damping: Damping, *seen: tuple[float, Verdict]) -> list[Verdict]:
    standing, shown = Standing(), []
    for at_s, verdict in seen:
        standing = observe(standing, verdict, at_s, damping)
        shown.append(standing.verdict)
    return shown


def test_without_for_every_observation_shows_at_once():
    assert replay(CALM, (0, UP), (1, DOWN), (2, UNKNOWN), (3, DEGRADED)) == [UP, DOWN, UNKNOWN, DEGRADED]


def test_a_worse_verdict_must_hold():
    damping = Damping(for_s=10, flap_threshold=0)
    assert replay(damping, (0, UP), (5, DOWN), (14, DOWN), (15, DOWN), (16, UP)) == [UP, UP, UP, DOWN, UP]


def test_one_good_observation_starts_the_wait_anew():
    damping = Damping(for_s=10, flap_threshold=0)
    assert replay(damping, (0, UP), (5, DOWN), (10, UP), (12, DOWN), (21, DOWN), (22, DOWN))[-2:] == [UP, DOWN]


def test_two_bad_verdicts_in_turn_show_the_one_that_both_reach():
    damping = Damping(for_s=10, flap_threshold=0)
    assert replay(damping, (0, UP), (5, DEGRADED), (10, DOWN), (15, DOWN), (20, DOWN))[2:] == [UP, DEGRADED, DOWN]


def test_before_anything_held_a_new_check_is_unknown():
    assert replay(Damping(for_s=10), (0, DOWN), (10, DOWN)) == [UNKNOWN, DOWN]
    assert replay(Damping(for_s=10), (0, UP)) == [UP]


def test_a_flapping_check_stays_at_its_worst_until_it_settles():
    damping = Damping(flap_threshold=4, flap_window=10)
    turns = [UP, DOWN, UP, DOWN, UP, UP, UP, UP]
    assert replay(damping, *enumerate(turns)) == [UP, DOWN, UP, DOWN, DOWN, DOWN, DOWN, UP]


def test_flapping_says_so_and_ends():
    damping = Damping(flap_threshold=4, flap_window=10)
    standing, flags = Standing(), []
    for at_s, verdict in enumerate([UP, DOWN, UP, DOWN, UP, UP, UP, UP, DOWN, UP]):
        standing = observe(standing, verdict, at_s, damping)
        flags.append(standing.is_flapping)
    assert flags == [False, False, False, False, True, True, True, False, False, False]


def test_a_failed_parent_changes_the_meaning_but_not_the_trail():
    standing = observe(observe(Standing(), UP, 0, Damping()), DOWN, 1, Damping())
    again = reconsider(standing, UNKNOWN, 2, Damping())
    assert again.verdict is UNKNOWN
    assert again.trail == standing.trail


def naive_verdict(history: list[tuple[int, Verdict]], for_s: float) -> list[Verdict]:
    """The rule of `for` told the slow way: look back over everything at each step."""
    shown = UNKNOWN
    steps = []
    for index, (now, seen) in enumerate(history):
        reached = UP
        for verdict in sorted(Verdict, key=severity):
            back = index
            while back >= 0 and severity(history[back][1]) >= severity(verdict):
                back -= 1
            if back < index and now - history[back + 1][0] >= for_s:
                reached = verdict
        not_better_than = min(shown, seen, key=severity)
        shown = max(reached, not_better_than, key=severity)
        steps.append(shown)
    return steps


HISTORIES = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(Verdict)), max_size=40)


@given(steps=HISTORIES, for_s=st.integers(0, 60))
def test_the_machine_agrees_with_the_rule_told_slowly(steps, for_s):
    now, history = 0, []
    for gap, verdict in steps:
        now += gap
        history.append((now, verdict))
    assert replay(Damping(for_s=for_s, flap_threshold=0), *history) == naive_verdict(history, for_s)


@given(steps=HISTORIES, for_s=st.integers(0, 60), threshold=st.integers(1, 8), window=st.integers(2, 20))
def test_flapping_never_hides_something_worse_and_never_lasts_in_a_calm(steps, for_s, threshold, window):
    damping = Damping(for_s, threshold, window)
    plain = Damping(for_s, 0)
    standing = free = Standing()
    now = 0
    for gap, verdict in steps:
        now += gap
        before = standing
        standing, free = observe(standing, verdict, now, damping), observe(free, verdict, now, plain)
        assert severity(standing.verdict) >= severity(free.verdict)
        if standing.is_flapping:
            assert severity(standing.verdict) >= severity(before.verdict)
    for turn in range(window + threshold + 2):
        standing = observe(standing, UP, now + turn, damping)
    assert standing.verdict is UP
    assert not standing.is_flapping


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_check_that_always_says_the_same_shows_it(verdict):
    assert replay(Damping(), *((turn, verdict) for turn in range(30)))[-1] is verdict
