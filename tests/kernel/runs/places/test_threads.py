"""Blocking step code in threads: bounded, and given up in plain sight when its time is over."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from fixtures import stepcode
from holdfast.kernel.runs.places import TaskPlace, ThreadPlace, ThreadsAbandonedError

PATIENCE_S = 30
tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


def count(registry, state):
    return registry.get_sample_value("holdfast_run_threads", {"state": state})


class Gate:
    """A function that blocks until it is let go, and says when it has begun."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(PATIENCE_S)
        return "through"


async def begin(place, work, gate):
    running = asyncio.create_task(place.run(work))
    await asyncio.sleep(0)
    assert await asyncio.to_thread(gate.begun.wait, PATIENCE_S)
    return running


async def until_none_is_abandoned(place):
    async with asyncio.timeout(PATIENCE_S):
        while place.abandoned:  # noqa: ASYNC110 -- a thread that nobody waits for tells nobody of its end
            await asyncio.sleep(0.001)


async def give_up(running):
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("place", [TaskPlace, ThreadPlace])
async def test_functions_of_both_kinds_give_results_and_errors(place, work_of):
    opened = place()
    assert await opened.run(work_of(stepcode.add, 1, 2)) == 3
    assert await opened.run(work_of(stepcode.add_later, 1, 2)) == 3
    with pytest.raises(ConnectionError, match="hung up"):
        await opened.run(work_of(stepcode.fail_with, "network"))
    await opened.close()


async def test_the_callers_context_reaches_the_thread(work_of):
    tenant.set("acme")
    assert await ThreadPlace().run(work_of(lambda: tenant.get())) == "acme"


async def test_a_thread_serves_one_step_after_the_other(work_of, registry):
    place = ThreadPlace(registry=registry)
    names = {await place.run(work_of(lambda: threading.current_thread().ident)) for _ in range(20)}
    assert len(names) == 1


async def test_only_so_many_work_at_once_and_the_rest_waits(work_of, registry):
    place, gates = ThreadPlace(most=2, registry=registry), [Gate() for _ in range(3)]
    first = await begin(place, work_of(gates[0]), gates[0])
    second = await begin(place, work_of(gates[1]), gates[1])
    third = asyncio.create_task(place.run(work_of(gates[2])))
    await asyncio.sleep(0)
    assert not gates[2].begun.is_set()
    assert registry.get_sample_value("holdfast_run_threads_queued") == 1
    for gate in gates:
        gate.open.set()
    assert await asyncio.gather(first, second, third) == ["through"] * 3


async def test_a_step_that_hangs_is_given_up_and_its_place_goes_to_another(work_of, registry):
    place, gate = ThreadPlace(most=1, registry=registry), Gate()
    hanging = await begin(place, work_of(gate), gate)
    waiting = asyncio.create_task(place.run(work_of(stepcode.add, 1, 2)))
    await asyncio.sleep(0)
    await give_up(hanging)
    assert await asyncio.wait_for(waiting, PATIENCE_S) == 3
    assert (place.abandoned, count(registry, "abandoned")) == (1, 1)
    gate.open.set()
    await until_none_is_abandoned(place)
    assert count(registry, "abandoned") == 0


async def test_a_step_that_was_still_waiting_leaves_no_thread_behind(work_of):
    place, gate = ThreadPlace(most=1), Gate()
    running = await begin(place, work_of(gate), gate)
    waiting = asyncio.create_task(place.run(work_of(stepcode.add, 1, 2)))
    await asyncio.sleep(0)
    await give_up(waiting)
    assert place.abandoned == 0
    gate.open.set()
    assert await running == "through"


async def test_too_many_hanging_threads_are_a_clear_error(work_of):
    place, gate = ThreadPlace(most_abandoned=1), Gate()
    await give_up(await begin(place, work_of(gate), gate))
    with pytest.raises(ThreadsAbandonedError, match=r"1 threads of earlier steps hang.*place='process'"):
        await place.run(work_of(stepcode.add, 1, 2))
    gate.open.set()
    await until_none_is_abandoned(place)
    assert await place.run(work_of(stepcode.add, 1, 2)) == 3
