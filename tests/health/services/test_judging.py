"""The health of services, as a pure function of where checks stand and who needs whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checkstates import check_state
from holdfast.health.services.judging import Impact, judge_alone, judge_services, weigh
from holdfast.health.verdict import Verdict

VERDICTS = st.sampled_from([verdict.value for verdict in Verdict])
STATES = st.lists(st.tuples(VERDICTS, st.sampled_from([*Impact, "nonsense"])), max_size=6)


def judge(verdicts: dict[str, str], needs: dict[str, list[str]] | None = None):
    """Judge services that have one check each; an empty verdict means no check."""
    states = {name: [check_state(f"{name}-check", verdict)] if verdict else [] for name, verdict in verdicts.items()}
    return judge_services(states, needs or {})


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["up", "up"], "up"),
        (["up", "degraded"], "degraded"),
        (["up", "degraded", "down"], "down"),
        (["unknown", "up"], "up"),
        (["unknown", "down"], "down"),
        (["unknown", "unknown"], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_service_is_as_bad_as_the_worst_of_its_checks_that_say_something(verdicts, expected):
    health = judge_alone([check_state(f"c{number}", verdict) for number, verdict in enumerate(verdicts)])
    assert health.verdict == expected
    assert sum(health.counts.values()) == len(verdicts)


def test_a_check_of_partial_impact_degrades_at_most_and_one_of_none_only_counts():
    partial = check_state("cache", "down", labels={"impact": "partial"})
    none = check_state("cert-of-a-test-host", "down", labels={"impact": "none"})
    health = judge_alone([check_state("ready"), partial, none])
    assert health.verdict is Verdict.DEGRADED
    assert [reason.check for reason in health.reasons] == ["cache"]
    assert health.counts[Verdict.DOWN] == 2


def test_the_reasons_begin_with_the_worst_and_carry_the_checks_own_words():
    health = judge_alone(
        [check_state("slow", "degraded"), check_state("ready", "down", message="connection refused"), check_state("ok")]
    )
    assert [(reason.check, reason.message) for reason in health.reasons] == [
        ("ready", "connection refused"),
        ("slow", "slow says degraded"),
    ]


def test_a_service_that_is_not_known_says_which_checks_do_not_know():
    health = judge_alone([check_state("ready", "unknown", message="hidden by gateway")])
    assert (health.verdict, health.reasons[0].message) == (Verdict.UNKNOWN, "hidden by gateway")


def test_a_dependency_that_is_down_degrades_a_service_that_is_up_and_says_why():
    healths = judge({"web": "up", "orders": "down"}, {"web": ["orders"]})
    (reason,) = healths["web"].reasons
    assert healths["web"].verdict is Verdict.DEGRADED
    assert (reason.service, reason.verdict) == ("orders", Verdict.DOWN)
    assert reason.message == "needs orders, which is down: orders-check says down"


def test_the_chain_is_followed_to_the_bottom():
    healths = judge(
        {"web": "up", "orders": "down", "db": "down", "disk": "up"},
        {"web": ["orders"], "orders": ["db"], "db": ["disk"]},
    )
    assert healths["web"].reasons[0].message == "needs orders, which needs db, which is down: db-check says down"
    assert [reason.service or reason.check for reason in healths["orders"].reasons] == ["orders-check", "db"]


def test_what_is_degraded_or_unknown_below_touches_nobody():
    healths = judge({"web": "up", "orders": "degraded", "mail": "unknown"}, {"web": ["orders", "mail"]})
    assert healths["web"].verdict is Verdict.UP


def test_trouble_below_never_passes_two_steps_up_and_never_makes_anything_down():
    healths = judge({"a": "up", "b": "up", "c": "down"}, {"a": ["b"], "b": ["c"]})
    assert [healths[name].verdict.value for name in "abc"] == ["up", "degraded", "down"]


def test_a_service_without_checks_stays_unknown_whatever_happens_below():
    healths = judge({"web": "", "db": "down"}, {"web": ["db"]})
    assert (healths["web"].verdict, healths["web"].reasons) == (Verdict.UNKNOWN, ())


def test_services_that_need_each_other_are_judged_all_the_same():
    healths = judge({"a": "down", "b": "up"}, {"a": ["b"], "b": ["a"]})
    assert [healths[name].verdict.value for name in "ab"] == ["down", "degraded"]


def test_maintenance_on_a_check_spares_the_service():
    assert judge_alone([check_state("ready", "down", maintenance="upgrade")]).is_spared


@given(STATES)
def test_own_health_is_always_the_worst_hard_weight(given_states):
    states = [
        check_state(f"c{number}", verdict, labels={"impact": impact})
        for number, (verdict, impact) in enumerate(given_states)
    ]
    weights = [weigh(state) for state in states if state.check.labels["impact"] != "none"]
    verdict = judge_alone(states).verdict
    hard = [weight for weight in weights if weight is not Verdict.UNKNOWN]
    assert verdict in {*hard, Verdict.UNKNOWN}
    assert (verdict is Verdict.UNKNOWN) == (not hard)
    assert (verdict is Verdict.DOWN) == (Verdict.DOWN in hard)


@given(
    st.dictionaries(st.sampled_from("abcdef"), VERDICTS, min_size=1),
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)),
)
def test_dependencies_only_ever_turn_up_into_degraded(verdicts, needs):
    healths = judge(verdicts, needs)
    for name, verdict in verdicts.items():
        shown = healths[name].verdict.value
        is_touched = any(verdicts.get(needed) == "down" and needed != name for needed in needs.get(name, ()))
        assert shown == ("degraded" if verdict == "up" and is_touched else verdict)
