"""Step code in a container of Docker or Podman, through the API that both serve on a socket.

A container that a crashed predecessor has left, running or ended, is taken over by its name and not started twice; it
is removed when the step's outcome is on the disk. One whose worker dies in between stays, labelled `holdfast.run`.
"""

from __future__ import annotations

import asyncio
import functools
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from holdfast import journal
from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.kernel.runs.places.distant import DistantListener, name_of, spell_argv, tidy_up
from holdfast.kernel.runs.places.errors import StepPlaceError
from holdfast.kernel.runs.places.guarded import GRACE_S, describe_exit
from holdfast.kernel.runs.places.ports import Command, Stream, Work
from holdfast.kernel.runs.places.verdicts import judge_command
from holdfast.kernel.secrets import Secret

DOCKER_SOCKET: Final = "/var/run/docker.sock"

_log = journal.get_logger("holdfast.runs")

_CALL_S: Final = 30.0
_SILENCE_S: Final = 60.0  # a connection that says nothing for so long is made anew
_PULL_S: Final = 1800.0
_FRAME: Final = struct.Struct(">BxxxL")


@dataclass(frozen=True, slots=True)
class Container:
    """A container for one step; `ctx.step(..., place=Container("python:3.12"))`.

    Attributes:
        image: is pulled if it is not there.
        env: its environment; values may be secrets.
        mounts: `source:target` or `source:target:rw`; without `rw` read-only.
        memory_bytes: 0 means no limit.
        cpus: such as 0.5; 0 means no limit.
        network: such as `none`; empty means the engine's default.
        user: who the code runs as; empty means the image's user.
        python: the interpreter in the image, for functions; the image must have their module.
        grace_s: from SIGTERM to SIGKILL.
    """

    image: str
    env: Mapping[str, str | Secret] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    memory_bytes: int = 0
    cpus: float = 0.0
    network: str = ""
    user: str = ""
    python: str = "python3"
    grace_s: float = GRACE_S


class ContainerPlace:
    """Runs functions and commands in containers of one engine."""

    def __init__(self, socket: str = DOCKER_SOCKET) -> None:
        self._socket = socket

    async def run(self, work: Work, options: Container) -> Any:
        """Run it; cancelling stops the container and removes it, unless another worker takes it over.

        Raises:
            StepPlaceError: the engine does not take the order, with its words.
            UnavailableError: the engine does not answer.
        """
        name, document = name_of(work), _describe(work, options)
        listener = DistantListener(work)
        async with self._connected() as client:
            try:
                await _start(client, name, document, options.image)
                code = await _see_through(client, name, listener)
                state = (await _call(client, "GET", f"/containers/{name}/json")).json()["State"]
            except asyncio.CancelledError:
                await tidy_up(work, _stop(client, name, options.grace_s), name)
                raise
        if work.later is None:
            await self._remove(name)
        else:
            work.later(functools.partial(self._remove, name))
        listener.end()
        if isinstance(work.todo, Command):
            return judge_command(work, work.todo, code, listener.tails)
        return listener.answers.settle("ran out of memory" if state.get("OOMKilled") else describe_exit(code))

    async def close(self) -> None:
        """Nothing is open between steps."""

    async def _remove(self, name: str) -> None:
        try:
            async with self._connected() as client:
                await _remove(client, name)
        except (httpx.HTTPError, HoldfastError) as error:
            _log.warning("runs.left_behind", name=name, error=str(error))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.AsyncHTTPTransport(uds=self._socket)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://engine/v1.41", timeout=_CALL_S, trust_env=False
        ) as client:
            try:
                yield client
            except httpx.TransportError as error:
                raise UnavailableError(
                    f"the container engine at {self._socket} does not answer: {type(error).__name__} {error}",
                    hint="is it running, and may we use its socket? ([runs] container_socket)",
                ) from error


async def _start(client: httpx.AsyncClient, name: str, document: dict[str, Any], image: str) -> None:
    """Create and start the container, unless it is there already."""
    created = await client.post("/containers/create", params={"name": name}, json=document)
    if created.status_code == 404:
        pulled = await client.post("/images/create", params=_name_image(image), timeout=_PULL_S)
        _demand(pulled, f"image {image}")
        created = await client.post("/containers/create", params={"name": name}, json=document)
    if created.status_code == 409:
        there = (await _call(client, "GET", f"/containers/{name}/json")).json()["State"]
        if there["Status"] != "created":
            return  # it runs, or has ended: started again, it would do its work twice
    else:
        _demand(created, f"image {image}")
    await _call(client, "POST", f"/containers/{name}/start")


async def _see_through(client: httpx.AsyncClient, name: str, listener: DistantListener) -> int:
    """Follow the output to its end; give the exit code."""
    while True:
        try:
            await _follow(client, name, listener)
            waited = await client.post(f"/containers/{name}/wait", timeout=_SILENCE_S)
        except httpx.TimeoutException:
            continue
        return int(_demand(waited, name).json()["StatusCode"])


async def _follow(client: httpx.AsyncClient, name: str, listener: DistantListener) -> None:
    wanted = {"follow": "1", "stdout": "1", "stderr": "1", "timestamps": "1"}
    if listener.since:
        second = datetime.fromisoformat(listener.since).replace(tzinfo=UTC)
        wanted["since"] = str(int(second.timestamp()))
    listener.reconnect()
    frames = bytearray()
    async with client.stream("GET", f"/containers/{name}/logs", params=wanted, timeout=_SILENCE_S) as answer:
        if answer.status_code != 200:
            await answer.aread()
            _demand(answer, name)
        async for piece in answer.aiter_raw():
            frames += piece
            while len(frames) >= _FRAME.size:
                kind, size = _FRAME.unpack_from(frames)
                if len(frames) < _FRAME.size + size:
                    break
                stream: Stream = "stderr" if kind == 2 else "stdout"
                listener.take(stream, bytes(frames[_FRAME.size : _FRAME.size + size]))
                del frames[: _FRAME.size + size]


async def _stop(client: httpx.AsyncClient, name: str, grace_s: float) -> None:
    await client.post(f"/containers/{name}/stop", params={"t": str(round(grace_s))}, timeout=grace_s + _CALL_S)
    await _remove(client, name)


async def _remove(client: httpx.AsyncClient, name: str) -> None:
    removed = await client.delete(f"/containers/{name}", params={"force": "true", "v": "true"})
    if removed.status_code not in {404, 409}:  # gone, or going
        _demand(removed, name)


async def _call(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    return _demand(await client.request(method, path, **more), path)


def _demand(answer: httpx.Response, what: str) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = answer.text
    raise StepPlaceError(f"the container engine refuses {what}: {said[:500]}")


def _describe(work: Work, options: Container) -> dict[str, Any]:
    entry, *rest = spell_argv(work, options.python)
    command_env = work.todo.env if isinstance(work.todo, Command) else {}
    env = {**options.env, **command_env}
    return {
        "Image": options.image,
        "Entrypoint": [entry],
        "Cmd": rest,
        "Env": [f"{name}={value.reveal() if isinstance(value, Secret) else value}" for name, value in env.items()],
        "User": options.user,
        "WorkingDir": work.todo.cwd if isinstance(work.todo, Command) else "",
        "Labels": {"holdfast.run": work.run_id, "holdfast.step": work.name},
        "HostConfig": {
            "Init": True,
            "Binds": [mount if mount.count(":") > 1 else f"{mount}:ro" for mount in options.mounts],
            "Memory": options.memory_bytes,
            "NanoCpus": round(options.cpus * 1e9),
            **({"NetworkMode": options.network} if options.network else {}),
        },
    }


def _name_image(image: str) -> dict[str, str]:
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag or "@" in image:
        return {"fromImage": image} if "@" in image else {"fromImage": image, "tag": "latest"}
    return {"fromImage": name, "tag": tag}
