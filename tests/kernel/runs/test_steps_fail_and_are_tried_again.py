"""Retries with back-off, predicates and budgets; timeouts; errors that are the same after a crash."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from fixtures.clocks import advance_until
from fixtures.engines_of_runs import Engines, until
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.runs import (
    Run,
    RunFailedError,
    RunState,
    StepFailedError,
    StepRetry,
    StepState,
    workflow,
)

PLAIN = {"base_s": 1.0, "jitter": "none"}


class Flaky:
    """Fails so many times, then works."""

    def __init__(self, failures: int, error: type[Exception] = ConnectionError) -> None:
        self.calls = 0
        self.failures = failures
        self.error = error

    async def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"failure {self.calls}")
        return self.calls


async def test_a_failed_attempt_is_followed_by_another_after_a_growing_pause(
    engines: Engines, fake_clock: FakeClock
) -> None:
    engines.clock = fake_clock
    flaky = Flaky(2)

    @workflow("w")
    async def w(ctx: Run) -> int:
        return await ctx.step("call", flaky, retry=StepRetry(attempts=3, **PLAIN))

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: flaky.calls == 1 and fake_clock.sleeping > 1)
    await fake_clock.advance(0.9)
    assert flaky.calls == 1
    await advance_until(fake_clock, lambda: flaky.calls == 2)
    before = fake_clock.monotonic()
    await advance_until(fake_clock, lambda: flaky.calls == 3)
    assert fake_clock.monotonic() - before >= 1.0
    assert await handle.result(30) == 3
    attempts = await runs.attempts(handle.id, "call")
    assert [(a.attempt, a.state, a.error.message if a.error else "") for a in attempts] == [
        (1, StepState.FAILED, "failure 1"),
        (2, StepState.FAILED, "failure 2"),
    ]


@pytest.mark.parametrize(
    ("retry", "calls"),
    [
        (StepRetry(attempts=5, base_s=0, on=(ValueError,)), 1),
        (StepRetry(attempts=5, base_s=0, on=lambda error: "1" in str(error)), 2),
        (StepRetry(attempts=5, base_s=10, jitter="none", budget_s=5), 1),
        (StepRetry(attempts=3, base_s=0), 3),
    ],
)
async def test_not_every_error_is_tried_again(engines: Engines, retry: StepRetry, calls: int) -> None:
    flaky = Flaky(10)

    @workflow("w")
    async def w(ctx: Run) -> int:
        return await ctx.step("call", flaky, retry=retry)

    runs = await engines.run(w)
    with pytest.raises(RunFailedError, match="ConnectionError"):
        await (await runs.start(w)).result(30)
    assert flaky.calls == calls


async def test_a_caught_failure_is_the_same_one_when_the_code_is_entered_again(engines: Engines) -> None:
    seen: list[tuple[str, str]] = []
    flaky = Flaky(10)

    @workflow("w")
    async def w(ctx: Run) -> str:
        try:
            await ctx.step("call", flaky)
        except StepFailedError as error:
            seen.append((error.type_name, error.failure.message))
        return str(await ctx.signal("go"))

    engines.limit(resident_limit=0)
    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: len(runs.residents) == 0)
    await runs.signal(handle.id, "go", "on")
    assert await handle.result(30) == "on"
    assert seen == [("ConnectionError", "failure 1")] * 2
    assert flaky.calls == 1


async def test_a_step_over_its_time_is_cancelled_and_tried_again(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock
    events: list[str] = []

    async def slow() -> None:
        events.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            events.append("ended")

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.step("call", slow, timeout="5s", retry=StepRetry(attempts=2, base_s=0))

    runs = await engines.run(w)
    handle = await runs.start(w)
    await until(lambda: events == ["began"])
    await advance_until(fake_clock, lambda: len(events) == 4)
    with pytest.raises(RunFailedError, match="not done in 5 s"):
        await handle.result(30)
    assert events == ["began", "ended"] * 2


async def test_a_run_over_its_time_fails(engines: Engines, fake_clock: FakeClock) -> None:
    engines.clock = fake_clock
    began = asyncio.Event()

    async def slow() -> None:
        began.set()
        await asyncio.Event().wait()

    @workflow("w", timeout="1m")
    async def w(ctx: Run) -> None:
        await ctx.step("call", slow)

    runs = await engines.run(w)
    handle = await runs.start(w)
    await began.wait()
    await fake_clock.advance(61)
    with pytest.raises(RunFailedError, match="its timeout of 60 s"):
        await handle.result(30)


async def test_a_cancelled_error_of_the_code_itself_is_a_failure(engines: Engines) -> None:
    async def strange() -> None:
        raise asyncio.CancelledError("of my own")

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.step("call", strange)

    @workflow("v")
    async def v(ctx: Run) -> None:
        raise asyncio.CancelledError("of my own")

    runs = await engines.run(w, v)
    for each in (w, v):
        handle = await runs.start(each)
        with pytest.raises(RunFailedError, match="of my own"):
            await handle.result(30)
        assert (await runs.get(handle.id)).state is RunState.FAILED


@pytest.mark.parametrize("result", [object(), 2**70, "\ud800"], ids=["object", "huge", "surrogate"])
async def test_a_result_that_is_not_json_fails_its_step_with_its_name(engines: Engines, result: object) -> None:
    async def give():
        return result

    @workflow("w")
    async def w(ctx: Run) -> None:
        await ctx.step("give", give)

    runs = await engines.run(w)
    with pytest.raises(RunFailedError, match=r"the result of step 'give'"):
        await (await runs.start(w)).result(30)


async def test_nul_characters_pass_through(engines: Engines) -> None:
    async def echo(text: str) -> str:
        return text + "\0"

    async def fail() -> None:
        raise ValueError("a\0b")

    @workflow("w")
    async def w(ctx: Run, text: str) -> str:
        ctx.log("said \0", text=text)
        with contextlib.suppress(StepFailedError):
            await ctx.step("fail", fail)
        return await ctx.step("echo", echo, text)

    runs = await engines.run(w)
    assert await (await runs.start(w, "\0")).result(30) == "\0\0"
