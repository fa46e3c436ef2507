"""How much may have come in without an answer: bytes of requests, by door and of all doors together.

A store that is slow holds requests up. What is beyond the bound is refused before it is read, so that memory stays
bounded and senders back off. Which status says so is each door's matter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import ConfigDict

from holdfast.kernel.errors import BusyError
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size

if TYPE_CHECKING:
    from fastapi import Request


@dataclass(frozen=True, slots=True)
class BacklogSettings:
    """How much of what senders send may wait for its answer.

    Attributes:
        size: bytes of requests, decompressed, that all doors together have taken in and not answered yet.
        door_size: the same of each door, so that a flood at one leaves room at the others.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    size: Size = 64_000_000
    door_size: Size = 48_000_000


SECTION: Final = Section("backlog", BacklogSettings)


Weigh = Callable[[bytes], int]


class Held:
    """The room that one request holds."""

    def __init__(self, backlog: Backlog, door: str) -> None:
        self._backlog = backlog
        self._door = door
        self.size = 0

    def grow_to(self, size: int) -> None:
        """Hold at least `size` bytes.

        Raises:
            BusyError: there is no room for them; what is held stays held.
        """
        if size > self.size:
            self._backlog.admit(self._door, size - self.size, held=self.size)
            self.size = size

    def settle_at(self, size: int) -> None:
        """Hold exactly `size` bytes, now that it is known.

        Raises:
            BusyError: as `grow_to`.
        """
        self.grow_to(size)
        self._backlog.release(self._door, self.size - size)
        self.size = size


class Backlog:
    """The bound of all doors of a process."""

    def __init__(self, settings: BacklogSettings | None = None, metrics: CollectorRegistry | None = None) -> None:
        self._settings = settings or BacklogSettings()
        self._bytes = 0
        self._of_door: dict[str, int] = {}
        registry = metrics or CollectorRegistry()
        self._held = Gauge(
            "holdfast_ingest_backlog_bytes",
            "Bytes of requests that came in and are not answered yet, by door.",
            ("door",),
            registry=registry,
        )
        self._turned_away = Counter(
            "holdfast_ingest_turned_away_total",
            "Requests that were told to come back because too much waited, by door.",
            ("door",),
            registry=registry,
        )

    @contextmanager
    def hold(self, door: str, size: int = 0) -> Iterator[Held]:
        """Hold room for `size` bytes, and for as many more as it grows to, until the end of the block.

        Raises:
            BusyError: there is no room. A request that is alone always has room.
        """
        held = Held(self, door)
        try:
            held.grow_to(size)
            yield held
        finally:
            self.release(door, held.size)

    @asynccontextmanager
    async def read(self, door: str, request: Request, weigh: Weigh = len) -> AsyncIterator[bytes]:
        """Read the body of a request, and hold room for it until the end of the block.

        Args:
            door: where it comes in.
            request: whose body it is.
            weigh: gives the bytes that a whole body becomes, where that is more than its own; may refuse it.

        Raises:
            BusyError: there is no room; of the body nothing more is read.
        """
        declared = request.headers.get("content-length", "")
        with self.hold(door, int(declared) if declared.isdigit() else 0) as held:
            parts: list[bytes] = []
            size = 0
            async for part in request.stream():
                size += len(part)
                held.grow_to(size)
                parts.append(part)
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
            held.grow_to(weigh(body))
            yield body

    def admit(self, door: str, more: int, *, held: int) -> None:
        """Count `more` bytes of a request that has `held` already.

        Raises:
            BusyError: there is no room for them.
        """
        settings, of_door = self._settings, self._of_door.get(door, 0)
        others = self._bytes - held
        if others and (self._bytes + more > settings.size or of_door + more > settings.door_size):
            self._turned_away.labels(door).inc()
            raise BusyError(
                f"{of_door} bytes of {door} wait for the store already, {self._bytes} of all doors",
                hint="slow down and send again; backlog.size and backlog.door_size are the bounds",
            )
        self._count(door, more)

    def release(self, door: str, size: int) -> None:
        """Count `size` bytes no longer."""
        self._count(door, -size)

    def _count(self, door: str, size: int) -> None:
        self._bytes += size
        self._of_door[door] = self._of_door.get(door, 0) + size
        self._held.labels(door).set(self._of_door[door])
