"""A function in a process of its own: what goes in, what comes back, what is heard of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import partial

import pytest

from fixtures import stepcode
from holdfast.kernel.runs.places import (
    Process,
    ProcessPlace,
    StepDiedError,
    StepPlaceError,
    StepRaisedError,
)


async def test_a_function_gives_its_result(processes, work_of):
    assert await processes.run(work_of(stepcode.add, 2, 3)) == 5
    assert await processes.run(work_of(stepcode.add_later, 2, 3)) == 5


async def test_arguments_get_back_the_types_that_json_takes_from_them(processes, work_of):
    order = stepcode.Order(7, datetime(2026, 1, 1, tzinfo=UTC))
    told = await processes.run(work_of(stepcode.describe_order, order))
    assert told == {"type": "Order", "year": 2026, "tomorrow": "2026-01-02T00:00:00+00:00"}


async def test_what_it_prints_and_logs_is_heard_by_stream(processes, work_of, heard):
    await processes.run(work_of(stepcode.chat, 2000))
    assert heard.texts("stdout")[1:] == [f"line {number}" for number in range(2000)]
    assert heard.texts("stderr") == ["trouble", "WARNING shop: stock is low"]


async def test_a_function_is_told_its_idempotency_key_and_logs_with_fields(processes, work_of, heard):
    assert await processes.run(work_of(stepcode.log_progress)) == ["run-1:charge:1", 2, "run-1"]
    assert heard.lines == [("log", "half way", {"done": 1, "of": 2})]


async def test_an_error_arrives_as_what_it_was_with_its_traceback(processes, work_of):
    with pytest.raises(ConnectionError) as caught:
        await processes.run(work_of(stepcode.fail_with, "network"))
    assert caught.value.args == ("the gateway hung up", 502)
    assert "in fail_with" in caught.value.__notes__[0]


async def test_an_error_that_cannot_be_made_again_is_told_by_name(processes, work_of):
    with pytest.raises(StepRaisedError, match="OddError: 1 is not 2"):
        await processes.run(work_of(stepcode.fail_with, "odd"))


@pytest.mark.parametrize(("how", "told"), [("abort", "exited with status 7"), ("exit", "SystemExit: 3")])
async def test_an_end_without_a_result_is_a_failure(processes, work_of, how, told):
    with pytest.raises((StepDiedError, StepRaisedError), match=told):
        await processes.run(work_of(stepcode.fail_with, how))


async def test_a_result_that_is_no_json_is_refused_with_the_fix(processes, work_of):
    with pytest.raises(TypeError, match="the result holds a object, which is no JSON: return plain data"):
        await processes.run(work_of(stepcode.give_set))


async def test_a_result_over_the_cap_is_refused_with_the_fix(work_of):
    place = ProcessPlace(max_result_bytes=1000)
    assert len(await place.run(work_of(stepcode.give_much, 900))) == 900
    with pytest.raises(StepPlaceError, match=r"larger than 1000 B.*blob"):
        await place.run(work_of(stepcode.give_much, 200_000))


async def test_memory_beyond_the_limit_is_an_error_of_the_step(processes, work_of):
    with pytest.raises(MemoryError):
        await processes.run(work_of(stepcode.take_memory, 2**30), Process(memory_bytes=2**28))


async def test_our_own_settings_are_not_handed_on(processes, work_of, monkeypatch):
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("STEP_REGION", "eu")
    assert await processes.run(work_of(stepcode.show_environment)) == {"STEP_REGION": "eu"}


@pytest.mark.parametrize(
    "function",
    [lambda: 1, partial(stepcode.add, 1), stepcode.Order(1, datetime.now(UTC)).__repr__],
    ids=["lambda", "partial", "method"],
)
async def test_a_function_that_cannot_be_imported_is_refused_with_the_fix(processes, work_of, function):
    with pytest.raises(StepPlaceError, match=r"step charge: another process cannot import .*top of a module"):
        await processes.run(work_of(function))


async def test_an_argument_that_is_no_json_is_refused_with_the_fix(processes, work_of):
    with pytest.raises(StepPlaceError, match=r"step charge: its arguments cannot go .*plain data"):
        await processes.run(work_of(stepcode.add, object(), 1))


def test_a_function_of_the_main_script_is_found(tmp_path):
    script = tmp_path / "main.py"
    script.write_text(
        "import asyncio\n"
        "from holdfast.kernel.runs.places import ProcessPlace, Work\n"
        "def double(n):\n    return 2 * n\n"
        "if __name__ == '__main__':\n"
        "    print(asyncio.run(ProcessPlace().run(Work('s', double, (21,)))))\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("42\n", "")


async def test_processes_are_counted_by_their_end(processes, work_of, registry):
    await processes.run(work_of(stepcode.add, 1, 1))
    with pytest.raises(ConnectionError):
        await processes.run(work_of(stepcode.fail_with, "network"))
    ended = {
        outcome: registry.get_sample_value("holdfast_run_processes_ended_total", {"outcome": outcome})
        for outcome in ("ok", "failed")
    }
    assert ended == {"ok": 1, "failed": 1}
    assert registry.get_sample_value("holdfast_run_processes") == 0
