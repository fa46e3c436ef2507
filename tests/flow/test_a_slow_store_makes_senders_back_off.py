"""A store that is slow, or away: each door says when to come back, and what it acknowledged is there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flow.trials.doors import Answer, Door, Doors
from holdfast.kernel.errors import UnavailableError
from holdfast.store.running import RunningStore

AT_ONCE = 26
# Prometheus gives up what was refused with 429, unless it is told otherwise; our own senders read either.
SLOW = {
    "otlp_http_logs": "429",
    "otlp_grpc_logs": "RESOURCE_EXHAUSTED",
    "otlp_http_trace": "429",
    "otlp_grpc_trace": "RESOURCE_EXHAUSTED",
    "otlp_http_metrics": "429",
    "otlp_grpc_metrics": "RESOURCE_EXHAUSTED",
    "zipkin": "429",
    "bulk": "429",
    "loki_push": "503",
    "loki_push_json": "503",
    "lines": "503",
    "remote_write": "503",
    "remote_write_2": "503",
    "push": "503",
}


class Engine:
    """Lets inserts through, keeps them waiting, or is away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.is_away = False
        insert = RunningStore.insert

        async def gated(store: RunningStore, *args: Any) -> None:
            await self.goes_on.wait()
            if self.is_away:
                raise UnavailableError("the engine is away")
            await insert(store, *args)

        monkeypatch.setattr(RunningStore, "insert", gated)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


@asynccontextmanager
async def opened(serving: Any, **sections: Any) -> AsyncIterator[Doors]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
    async with serving(otlp={"grpc_listen": target}, **sections) as url:
        doors = Doors(url, target)
        try:
            yield doors
        finally:
            await doors.close()


async def send(door: Door, number: int) -> Answer:
    answer = await door.send(door, number)
    if answer.accepted:
        door.acknowledged.add(number)
    return answer


@pytest.mark.parametrize(
    "bound",
    [{"backlog": {"size": "1B", "door_size": "1B"}}, {"telemetry": {"queue_rows": 20}}],
    ids=["backlog", "queue"],
)
async def test_every_door_of_a_slow_store_says_when_to_come_back(serving: Any, engine: Engine, bound: Any) -> None:
    async with opened(serving, **bound) as doors:
        assert set(SLOW) == {door.name for door in doors.all}
        for door in doors.all:
            assert (await send(door, 1)).accepted, door.name
            engine.goes_on.clear()
            sending = [asyncio.create_task(send(door, number)) for number in range(2, 2 + AT_ONCE)]
            done, waiting = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            told = {(task.result().status, bool(task.result().retry_after)) for task in done}
            assert told == {(SLOW[door.name], True)}, door.name
            assert waiting, "what fits waits for the store"
            engine.goes_on.set()
            await asyncio.gather(*sending)
            assert (await send(door, 100)).accepted, door.name
            assert door.acknowledged <= await doors.kept(door), door.name
            assert len(door.acknowledged) >= 3, door.name


async def test_every_door_of_a_store_that_is_away_says_so(serving: Any, engine: Engine) -> None:
    async with opened(serving, telemetry={"write_retry": "10ms"}) as doors:
        engine.is_away = True
        for door in doors.all:
            answer = await send(door, 1)
            assert answer.status == ("UNAVAILABLE" if "grpc" in door.name else "503"), (door.name, answer)
            assert answer.retry_after, (door.name, answer)
        engine.is_away = False
        for door in doors.all:
            assert (await send(door, 2)).accepted, door.name
            assert await doors.kept(door) == {2}, door.name
