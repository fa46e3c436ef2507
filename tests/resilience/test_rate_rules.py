"""The arithmetic of rates: never too many, never a wait that does not help, no gain from a clock set back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.rate_rules import rate_rule

PAUSES_S = st.lists(st.integers(0, 5000).map(lambda thousandths: thousandths / 1000), min_size=1, max_size=60)
ALGORITHMS = ("gcra", "token_bucket", "sliding_window")


@given(limit=st.integers(1, 200), window_s=st.integers(1, 20), pauses_s=PAUSES_S)
def test_no_window_holds_more_than_its_limit_wherever_it_begins(limit, window_s, pauses_s):
    rule = rate_rule("sliding_window", rate=limit, per_s=window_s)
    state, now_s, admitted = (), 1000.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        for _ in range(5):
            state, wait_s = rule.admit(state, now_s, 1, 0.0)
            admitted += [now_s] * (wait_s <= 0)
    for start_s in admitted:
        assert sum(start_s <= at_s < start_s + window_s - 1e-6 for at_s in admitted) <= limit
    assert len(state) <= 2 * 66


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(pauses_s=PAUSES_S, costs=st.lists(st.integers(1, 3), min_size=1, max_size=20))
def test_the_told_wait_always_helps_and_less_never_does(algorithm, pauses_s, costs):
    rule = rate_rule(algorithm, rate=3, burst=3, per_s=2)
    state, now_s = (), 50.0
    for pause_s, cost in zip(pauses_s, costs, strict=False):
        now_s += pause_s
        state, wait_s = rule.admit(state, now_s, cost, 0.0)
        if wait_s > 0.01:
            assert rule.admit(state, now_s + wait_s - 0.01, cost, 0.0)[1] > 0
        if wait_s > 0:
            now_s += wait_s
            state, wait_s = rule.admit(state, now_s + 1e-8, cost, 0.0)
            assert wait_s == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("set_back_s", [0.25, 990.0])
def test_a_clock_set_back_gives_nothing_and_makes_nobody_wait_for_it_to_catch_up(algorithm, set_back_s):
    rule = rate_rule(algorithm, rate=4, burst=4, per_s=2)
    state = ()
    for _ in range(4):
        state, wait_s = rule.admit(state, 1000.0, 1, 0.0)
        assert wait_s == 0
    state, wait_s = rule.admit(state, 1000.0 - set_back_s, 1, 0.0)
    assert 0 < wait_s <= 2.1
    assert rule.admit(state, 1000.0 - set_back_s + 2.5, 1, 0.0)[1] == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_idle_state_says_the_same_as_an_empty_one(algorithm):
    rule = rate_rule(algorithm, rate=5, burst=5)
    state, _ = rule.admit((), 100.0, 3, 0.0)
    idle_s = rule.idle_from_s(state) + 1e-6
    assert 100 < idle_s < 102
    for used in (state, ()):
        assert rule.admit(used, idle_s, 5, 0.0)[1] == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_giving_back_undoes_taking(algorithm):
    rule = rate_rule(algorithm, rate=2, burst=2)
    before, _ = rule.admit((), 100.0, 1, 0.0)
    after, _ = rule.admit(before, 100.25, 1, 0.0)
    undone = rule.give_back(after, 100.25, 1)
    assert rule.admit(undone, 100.25, 1, 0.0)[1] == 0


def test_a_large_window_is_counted_in_64_slots_and_never_early():
    rule = rate_rule("sliding_window", rate=6400, per_s=64)
    state = ()
    for second in range(64):
        state, wait_s = rule.admit(state, float(second), 100, 0.0)
        assert wait_s == 0
    assert rule.admit(state, 63.5, 1, 0.0)[1] == pytest.approx(1.5)
    assert rule.admit(state, 65.0, 100, 0.0)[1] == 0


def test_a_token_bucket_may_start_empty():
    rule = rate_rule("token_bucket", rate=1, burst=10, initial=0)
    state, wait_s = rule.admit((), 5.0, 1, 0.0)
    assert wait_s == pytest.approx(1)
    assert rule.admit(state, 6.0, 1, 0.0)[1] == 0


@pytest.mark.parametrize(
    "numbers",
    [
        {"rate": 0},
        {"rate": 1, "burst": 0},
        {"rate": 1, "per_s": 0},
        {"rate": 1, "initial": 1},
        {"algorithm": "leaky", "rate": 1},
    ],
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError, match="="):
        rate_rule(**numbers)
