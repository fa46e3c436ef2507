"""The fence around a single attempt, on the real clock: a plugin's probe may hang or break, others must not notice."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.health.engine import observe_within
from holdfast.health.probes import ProbeContext
from holdfast.health.verdict import Verdict

CONTEXT = ProbeContext(0.01, str)


class Hangs:
    async def observe(self, context):
        await asyncio.Event().wait()


class Breaks:
    async def observe(self, context):
        raise KeyError("oops")


async def test_a_probe_that_overruns_its_time_is_down_and_says_so():
    observation = await observe_within(Hangs(), CONTEXT)
    assert (observation.verdict, observation.message) == (Verdict.DOWN, "no answer within 10ms")


async def test_a_probe_that_breaks_is_unknown_and_names_its_error():
    observation = await observe_within(Breaks(), CONTEXT)
    assert (observation.verdict, observation.message) == (Verdict.UNKNOWN, "the probe itself failed: KeyError: 'oops'")


async def test_cancelling_is_no_observation():
    asking = asyncio.create_task(observe_within(Hangs(), ProbeContext(60.0, str)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
