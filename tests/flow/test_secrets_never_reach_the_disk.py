"""Secrets of every kind come in by every door, in every place where a sender can write; none is in the data folder."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fixtures.certificates import write_certificate
from fixtures.leaking import DOORS, send_by_grpc
from fixtures.leaking_lines import send_connections, send_datagrams, ship
from fixtures.secrets import LEAKS
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.settings import load
from holdfast.store import StoreRoom
from holdfast.web.server import bind, serve

SYSTEM: Final = ("INFORMATION_SCHEMA", "information_schema", "system")
EVERY: Final = '{service_name=~".%2B"}'
CALLS: Final = (
    f"/loki/api/v1/query_range?limit=5000&query={EVERY}",
    f"/loki/api/v1/series?match[]={EVERY}",
    f"/loki/api/v1/patterns?query={EVERY}",
    "/api/v1/logs/patterns",
    "/api/v1/logs/usage?by=",
    "/api/v1/logs/limits",
    '/prometheus/api/v1/series?match[]={__name__=~".%2B"}',
    "/metrics",
    "/jaeger/api/services",
)


def free_ports(kind: int, count: int) -> list[int]:
    """Give ports on which nobody listens."""
    held = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Listening:
    """The app with every door open, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.tcp, self.tls, self.grpc = free_ports(socket.SOCK_STREAM, 3)
        [self.udp] = free_ports(socket.SOCK_DGRAM, 1)
        write_certificate(folder)
        self.certificate = folder / "cert.pem"
        self.overrides: dict[str, dict[str, Any]] = {
            "server": {"data": self.data, "ops": folder / "ops", "auth": "off"},
            "otlp": {"grpc_listen": f"127.0.0.1:{self.grpc}"},
            "syslog": {
                "udp_listen": f"127.0.0.1:{self.udp}",
                "tcp_listen": f"127.0.0.1:{self.tcp}",
                "tls_listen": f"127.0.0.1:{self.tls}",
                "tls_cert": str(self.certificate),
                "tls_key": str(folder / "key.pem"),
            },
        }

    @asynccontextmanager
    async def up(self) -> AsyncIterator[tuple[app.Holdfast, str]]:
        """Start, and give the app and its address."""
        settings = load(SECTIONS, environ={}, overrides=self.overrides)
        holdfast = await app.build(settings, {})
        started, stop = asyncio.Event(), asyncio.Event()
        try:
            await holdfast.start()
            listener = bind("127.0.0.1", 0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            front, chosen = web.build(holdfast), settings[web.WebSettings]
            answering = asyncio.create_task(serve(front, listener, chosen, stop=stop, started=started.set))
            await started.wait()
            try:
                yield holdfast, url
            finally:
                stop.set()
                await answering
        finally:
            await holdfast.stop()


async def kept_rows(room: StoreRoom) -> str:
    """Give all that the engine keeps, its own logs among it, as text."""
    every = "{tenant:String} != ''"
    query = f"""SELECT database, name FROM system.tables
        WHERE {every} AND NOT is_temporary AND (database NOT IN {SYSTEM} OR endsWith(name, '_log'))"""
    tables = (await room.store.query(query, tenant=DEFAULT_TENANT)).to_pylist()
    kept = []
    for table in tables:
        place = f"`{table['database']}`.`{table['name']}`"
        query = f"SELECT base64Encode(toJSONString(tuple(*))) AS row FROM {place} WHERE {every}"
        rows = (await room.store.query(query, tenant=DEFAULT_TENANT)).to_pylist()
        kept += [base64.b64decode(row["row"]).decode("utf-8", "replace") for row in rows]  # ids are bytes
    return "\n".join(kept)


async def answers(client: httpx.AsyncClient) -> str:
    """Give what the APIs answer."""
    found = [await client.get(call) for call in CALLS]
    for service in found[-1].json()["data"]:
        found += [await client.get("/jaeger/api/traces", params={"service": service, "limit": 1000})]
    assert [answer.status_code for answer in found] == [200] * len(found), [answer.text[:200] for answer in found]
    return "\n".join(answer.text for answer in found)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file as it is, and the batches of `holdfast ship` unpacked."""
    for file in (each for each in folder.rglob("*") if each.is_file()):
        content = file.read_bytes()
        yield file.name, content
        if file.suffix == ".batch":
            positions, _, packed = content.partition(b"\n")
            yield file.name, positions + gzip.decompress(packed)


def forms(secret: str) -> set[bytes]:
    """Give a secret as it is, and as JSON writes it."""
    return {secret.encode(), json.dumps(secret)[1:-1].encode()}


def find_leaks(folder: Path) -> list[tuple[str, str]]:
    """Give which secrets stand in which files."""
    return [
        (name, leak.kind)
        for name, content in contents(folder)
        for leak in LEAKS
        if any(form in content for form in forms(leak.secret))
    ]


async def until(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait until something is so."""
    while True:
        if await condition():
            return
        await asyncio.sleep(0.02)


async def is_buffered(folder: Path) -> bool:
    """Tell whether everything has been read into the disk buffer."""
    batches = sorted((folder / "state").glob("*.batch"))
    if not batches:
        return False
    positions = json.loads(batches[-1].read_bytes().partition(b"\n")[0])
    size = (folder / "shop.log").stat().st_size
    is_file_read = any(each.get("offset") == size for each in positions.values())
    return is_file_read and positions.get("journald") == {"cursor": f"c{len(LEAKS) - 1}"}


async def send_syslog(listening: Listening, client: httpx.AsyncClient) -> None:
    """Send over every transport; returns once the last message is kept, and so are those before it."""
    await asyncio.to_thread(send_datagrams, listening.udp)
    await asyncio.to_thread(send_connections, listening.tcp)
    await asyncio.to_thread(send_connections, listening.tls, listening.certificate)
    with socket.create_connection(("127.0.0.1", listening.tcp)) as sender:
        sender.sendall(b"<14>last: the end\n")

    async def is_kept() -> bool:
        answer = await client.get("/loki/api/v1/query_range", params={"query": '{service_name="last"}'})
        return bool(answer.json()["data"]["result"])

    await until(is_kept)


@pytest.mark.slow
async def test_secrets_never_reach_the_disk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listening, folder = Listening(tmp_path), tmp_path / "sender"
    folder.mkdir()
    [nowhere] = free_ports(socket.SOCK_STREAM, 1)
    shipping = ship(f"http://127.0.0.1:{nowhere}", folder)
    async with listening.up() as (holdfast, url), httpx.AsyncClient(base_url=url, timeout=60) as client:
        for door in DOORS:
            told = await asyncio.gather(*(door(client, leak, number) for number, leak in enumerate(LEAKS)))
            assert {answer.status_code for answer in told} <= {200, 202, 204}, [answer.text for answer in told]
        await asyncio.to_thread(send_by_grpc, listening.grpc)
        await send_syslog(listening, client)
        await until(lambda: is_buffered(folder))
        shipping.send_signal(signal.SIGKILL)
        said = [(await asyncio.to_thread(shipping.communicate))[1].decode()]
        assert find_leaks(folder / "state") == []
        back = ship(url, folder, "--once")
        said.append((await asyncio.to_thread(back.communicate))[1].decode())
        assert back.returncode == 0, said
        room = holdfast.room("store")
        assert isinstance(room, StoreRoom)
        kept = f"{await kept_rows(room)}\n{await answers(client)}"
        report = (await client.get("/api/v1/scrub")).json()
    printed = "\n".join((*said, *capfd.readouterr()))
    assert find_leaks(listening.data) == []
    assert find_leaks(folder / "state") == []
    found = {kind["kind"]: (kind["in_logs"], kind["in_traces"]) for kind in report["kinds"]}
    for leak in LEAKS:
        for told in map(bytes.decode, forms(leak.secret)):
            assert told not in kept, (leak.kind, kept[max(0, kept.index(told) - 200) :][:400])
            assert told not in printed, leak.kind
        assert f"[{leak.kind}]" in kept
        assert min(found[leak.kind]) > 0
    for door in ("shop.log", "web-1", "last"):
        assert door in kept
