"""A target to scrape: a real HTTP server on loopback whose page, status and headers a test changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class Exporter:
    """What it answers, and what it was asked."""

    page: bytes = b"x 1\n"
    content_type: str = "text/plain; version=0.0.4"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection."""
        self.open[writer] = asyncio.current_task()
        try:
            while line := await reader.readline():
                headers = {}
                while (header := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                await reader.readexactly(int(headers.get("content-length", "0")))
                self.asked.append((line.decode().split()[1], headers))
                told = {"content-type": self.content_type, "content-length": str(len(self.page)), **self.headers}
                head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
                writer.write(f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + self.page)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.pop(writer)
            writer.close()

    async def hang_up(self) -> None:
        """End the connections that clients keep, so that none is cut off in the middle of an answer."""
        tasks = [task for task in self.open.values() if task is not None]
        for writer in self.open:
            writer.close()
        await asyncio.gather(*tasks)
