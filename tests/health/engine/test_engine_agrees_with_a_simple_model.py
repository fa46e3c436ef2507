"""Random histories of a small family of checks, against what a person would say looking at the truth."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.engines import Rig
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import FakeClock

DOWN, UNKNOWN = Verdict.DOWN, Verdict.UNKNOWN
PARENTS = {"gateway": (), "disk": (), "service": ("gateway",), "job": ("service", "disk")}
EVERY_S = 10.0

VERDICTS = st.sampled_from(Verdict)
PHASES = st.lists(
    st.tuples(st.floats(1.0, 40.0), st.fixed_dictionaries(dict.fromkeys(PARENTS, VERDICTS))), min_size=1, max_size=6
)


def say(name: str, truth: dict[str, Verdict]) -> tuple[Verdict, bool]:
    """Give what a check should show when nothing changes any more, and whether it hides what is below."""
    is_hidden = any(say(parent, truth)[1] for parent in PARENTS[name])
    if truth[name] in {DOWN, UNKNOWN} and is_hidden:
        return UNKNOWN, True
    return truth[name], truth[name] is DOWN


async def live_through(phases) -> Rig:
    rig = Rig(FakeClock())
    rig.truths = []
    rig.watch(*(rig.check(name, every_s=EVERY_S, parents=parents) for name, parents in PARENTS.items()))
    async with rig.running():
        for length_s, truth in phases:
            for name, verdict in truth.items():
                rig.target(name).verdict = verdict
            rig.truths.append((rig.clock.now(), truth))
            await rig.clock.advance(length_s)
        for _ in range(4):
            await rig.clock.advance(EVERY_S * 2)
    return rig


def truth_at(rig: Rig, at) -> list[dict[str, Verdict]]:
    """Give what was true at that moment; at the moment of a change, before and after it."""
    current = [truth for began, truth in rig.truths if began <= at][-1:]
    return current + [truth for began, truth in rig.truths if began == at]


@settings(max_examples=60)
@given(phases=PHASES)
def test_in_the_end_every_check_shows_what_the_truth_says(phases):
    rig = asyncio.run(live_through(phases))
    for name in PARENTS:
        assert rig.verdict(name) is say(name, phases[-1][1])[0], name


@settings(max_examples=60)
@given(phases=PHASES)
def test_no_check_ever_turns_down_below_a_parent_that_is_down(phases):
    rig = asyncio.run(live_through(phases))
    for name, parents in PARENTS.items():
        results = rig.results_of(name)
        for before, after in itertools.pairwise(results):
            if after.observed is DOWN and before.observed is not DOWN:
                for parent in parents:
                    assert not all(truth[parent] is DOWN for truth in truth_at(rig, after.at)), (name, parent, after.at)


@settings(max_examples=60)
@given(phases=PHASES)
def test_events_are_a_chain_and_seconds_add_up(phases):
    rig = asyncio.run(live_through(phases))
    for name in PARENTS:
        shown = "unknown"
        for change in rig.changes(name):
            before, after = change.split(">")
            assert before == shown
            assert after != before
            shown = after
        assert shown == rig.verdict(name)
        results = rig.results_of(name)
        watched_s = (results[-1].at - results[0].at).total_seconds()
        assert abs(sum(result.held_s for result in results) - watched_s) < 1e-3
