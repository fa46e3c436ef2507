"""A command as a step: exit codes, environment, output."""

from __future__ import annotations

import pytest

from holdfast.kernel.runs.places import (
    Command,
    CommandFailedError,
    CommandResult,
    StepPlaceError,
    TaskPlace,
    ThreadPlace,
)
from holdfast.kernel.secrets import Secret


async def test_a_command_gives_its_exit_code_and_the_end_of_its_output(processes, work_of, heard):
    done = await processes.run(work_of(Command(("sh", "-c", "echo out; echo err >&2; exit 2"), ok=(0, 2))))
    assert done == CommandResult(2, "out\n", "err\n")
    assert (heard.texts("stdout"), heard.texts("stderr")) == (["out"], ["err"])


async def test_an_exit_code_that_means_failure_is_told_with_the_last_line(processes, work_of):
    with pytest.raises(CommandFailedError, match="step charge: sh exited with status 4: no such table"):
        await processes.run(work_of(Command(("sh", "-c", "echo first >&2; echo no such table >&2; exit 4"))))


async def test_a_signal_is_told_by_name(processes, work_of):
    with pytest.raises(CommandFailedError, match="was killed by SIGUSR1: it wrote nothing"):
        await processes.run(work_of(Command(("sh", "-c", "kill -USR1 $$"))))


async def test_environment_folder_and_input_are_handed_over(processes, work_of, tmp_path):
    command = Command(
        ("sh", "-c", 'echo "$TOKEN"; pwd; cat'),
        env={"TOKEN": Secret("s3cret")},
        cwd=str(tmp_path),
        stdin=b"x" * 300_000,
        keep_bytes=400_000,
    )
    assert (await processes.run(work_of(command))).stdout == f"s3cret\n{tmp_path}\n" + "x" * 300_000


async def test_the_result_holds_only_the_end_of_much_output(processes, work_of, heard):
    done = await processes.run(work_of(Command(("seq", "200000"), keep_bytes=100)))
    assert done.is_cut
    assert len(done.stdout) == 100
    assert done.stdout.endswith("\n199999\n200000\n")
    assert len(heard.texts("stdout")) == 200_000


async def test_a_line_without_end_is_cut(processes, work_of, heard):
    await processes.run(work_of(Command(("sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo next"))))
    first, second = heard.texts("stdout")
    assert (len(first) < 9000, first.endswith("(line cut)"), second) == (True, True, "next")


async def test_a_progress_bar_counts_by_its_last_state(processes, work_of, heard):
    await processes.run(work_of(Command(("printf", "10%%\\r50%%\\r100%%\\ndone"))))
    assert heard.texts("stdout") == ["100%", "done"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (Command(("no-such-program",)), "no-such-program cannot be run: No such file"),
        (Command(("true",), cwd="/no/such/folder"), "the folder /no/such/folder: No such file"),
        (Command(()), "the command is empty"),
    ],
)
async def test_a_command_that_cannot_be_run_says_why(processes, work_of, command, told):
    with pytest.raises(StepPlaceError, match=told):
        await processes.run(work_of(command))


@pytest.mark.parametrize("place", [TaskPlace, ThreadPlace])
async def test_a_command_outside_a_process_is_refused(work_of, place):
    with pytest.raises(StepPlaceError, match="a command needs a process"):
        await place().run(work_of(Command(("true",))))
