"""An API server of Kubernetes that replays: lists of objects, and watches into which a test writes events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

Object = dict[str, Any]


@dataclass
class ApiServer:
    """What it holds by path, and what it was asked."""

    objects: dict[str, list[Object]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    watches: dict[str, list[asyncio.StreamWriter]] = field(default_factory=dict)
    port: int = 0
    is_down: bool = False
    cuts_off: bool = False
    token: str = ""
    expired: int = 0
    chunked: bool = False
    refused: dict[str, bytes] = field(default_factory=dict)
    """What is answered instead: a status with its headers, by path."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[ApiServer]:
        """Answer on a free port of loopback until left."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        for writer in [one for watch in self.watches.values() for one in watch]:
            writer.close()
        server.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := await reader.readline():
                headers = {}
                while (header := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                url = urlsplit(line.decode().split()[1])
                query = parse_qs(url.query)
                self.asked.append((url.path, query, headers))
                if self.is_down:
                    writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
                    continue
                refusal = self.refused.get(url.path, b"")
                if self.token and headers.get("authorization") != f"Bearer {self.token}":
                    refusal = b"401 Unauthorized"
                if self.expired and "continue" in query:
                    self.expired -= 1
                    refusal = b"410 Gone"
                if refusal:
                    writer.write(b"HTTP/1.1 %s\r\ncontent-length: 0\r\n\r\n" % refusal)
                    continue
                if "watch" in query:
                    chunked = b"transfer-encoding: chunked\r\n" if self.chunked else b""
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%s\r\n" % chunked)
                    await writer.drain()
                    if self.cuts_off:
                        return
                    self.watches.setdefault(url.path, []).append(writer)
                    await reader.read()
                    return
                await self._list(writer, url.path, query)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _list(self, writer: asyncio.StreamWriter, path: str, query: dict[str, list[str]]) -> None:
        """Give one object per page, so that whoever reads has to go on."""
        found, start = self.objects.get(path, []), int(query.get("continue", ["0"])[0])
        about = {"resourceVersion": "7"} | ({"continue": str(start + 1)} if start + 1 < len(found) else {})
        body = orjson.dumps({"metadata": about, "items": found[start : start + 1]})
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    def tell(self, path: str, kind: str, one: Object) -> None:
        """Write an event into every watch of `path`."""
        for writer in self.watches[path]:
            line = orjson.dumps({"type": kind, "object": one}) + b"\n"
            writer.write(b"%x\r\n%s\r\n" % (len(line), line) if self.chunked else line)

    def cut(self, path: str, begun: bytes = b"") -> None:
        """End every watch of `path` in the middle of what it has begun to say."""
        for writer in self.watches.pop(path):
            writer.write(begun)
            writer.close()


def pod(name: str, ip: str, **more: Any) -> Object:
    """Give a pod with a web port and a sidecar without one."""
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "labels": {"app.kubernetes.io/name": "web"},
            "ownerReferences": [{"controller": True, "kind": "ReplicaSet", "name": "web-1"}],
            **more,
        },
        "spec": {
            "nodeName": "node-a",
            "containers": [
                {
                    "name": "web",
                    "image": "web:1",
                    "ports": [
                        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                        {"name": "admin", "containerPort": 9090, "protocol": "TCP"},
                    ],
                }
            ],
            "initContainers": [{"name": "setup", "image": "setup:1"}],
        },
        "status": {
            "podIP": ip,
            "hostIP": "10.0.0.1",
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "web", "containerID": "containerd://abc"}],
        },
    }
