"""What a step names is where it runs; what names nothing runs where it suits."""

from __future__ import annotations

import os
import threading

import pytest

from fixtures import stepcode
from holdfast.kernel.runs.places import Command, Places, Process, StepPlaceError


@pytest.fixture
async def places():
    opened = Places()
    yield opened
    await opened.close()


def where() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


async def where_later() -> tuple[int, int]:
    return where()


class Nowhere:
    """A place of somebody's own."""

    async def run(self, work):
        return f"{work.name} was here"

    async def close(self) -> None:
        """Nothing."""


async def test_async_functions_stay_and_others_go_to_a_thread(places, work_of):
    here = where()
    assert await places.run(work_of(where_later)) == here
    pid, thread = await places.run(work_of(where))
    assert pid == here[0]
    assert thread != here[1]


async def test_a_named_place_is_taken(places, work_of):
    here = where()
    assert await places.run(work_of(where), "task") == here
    assert (await places.run(work_of(where_later), "thread"))[1] != here[1]
    for choice in ("process", Process(grace_s=1)):
        assert await places.run(work_of(os.getpid), choice) != here[0]


async def test_a_command_goes_to_a_process(places, work_of):
    assert (await places.run(work_of(Command(("echo", "hi"))))).stdout == "hi\n"


async def test_a_place_of_ones_own_is_taken(places, work_of):
    assert await places.run(work_of(stepcode.add, 1, 2), Nowhere()) == "charge was here"


@pytest.mark.parametrize("choice", ["procces", 7, Process])
async def test_what_is_no_place_is_refused_with_those_that_are(places, work_of, choice):
    with pytest.raises(StepPlaceError, match=r"step charge: .* is no place for it \(.*process"):
        await places.run(work_of(stepcode.add, 1, 2), choice)


async def test_what_stays_here_cannot_be_handed_to_another_process(places, work_of):
    with pytest.raises(StepPlaceError, match="its function takes ctx, which stays in this process"):
        await places.run(work_of(stepcode.add, 1, named={"ctx": object()}), "process")
