"""Where a source's content comes from: a server, a file, a database, the exporter's own file. Bounded in time and size.

Each kind gives items; how bytes become items is in `formats`, what is made of them in `readings`.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdfast.kernel.errors import HoldfastError, TimedOutError
from holdfast.kernel.http import AddressRefusedError, AnswerTooLargeError, Call, OutboundHttp, PeerError
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exporter.errors import SourceError
from holdfast.telemetry.metrics.exporter.fields import Item
from holdfast.telemetry.metrics.exporter.formats import Format
from holdfast.telemetry.metrics.exporter.shapes import Auth, HttpShape


@dataclass(frozen=True, slots=True)
class World:
    """What sources need of the world, and how much of it one of them may take."""

    http: OutboundHttp
    secrets: Secrets

    def reveal(self, text: str) -> str:
        """Put secrets in the place of their references; they are in this process's memory only."""
        return self.secrets.resolve(text).reveal()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a source may take and how much it may give."""

    timeout_s: float
    max_bytes: int
    max_rows: int


class Content(Protocol):
    """One kind of source."""

    async def fetch(self, world: World, bounds: Bounds) -> Iterable[Item]:
        """Give the items that there are now; they are read as they are asked for, beside the event loop.

        Raises:
            SourceError: there is nothing that can be read; the kind says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpContent:
    """The answer of a server."""

    shape: HttpShape
    read: Format

    async def fetch(self, world: World, bounds: Bounds) -> Iterable[Item]:
        """Ask the server."""
        shape = self.shape
        try:
            headers = {name: world.reveal(value) for name, value in shape.headers.items()}
            headers |= _authorize(shape.auth, world)
            call = Call(
                shape.method,
                world.reveal(shape.url),
                "exporter",
                headers,
                world.reveal(shape.body).encode(),
                timeout_s=bounds.timeout_s,
                max_bytes=bounds.max_bytes,
            )
            answer = await world.http.send(call)
        except HoldfastError as error:
            raise SourceError(kind_of(error), error.message) from error
        is_good = answer.status in shape.statuses if shape.statuses else answer.is_ok
        if not is_good:
            raise SourceError("status", f"{answer.url} answered {answer.status}")
        return self.read(answer.body)


def _authorize(auth: Auth | None, world: World) -> Mapping[str, str]:
    if auth is not None and auth.basic is not None:
        pair = f"{world.reveal(auth.basic.username)}:{world.reveal(auth.basic.password)}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if auth is not None and auth.bearer is not None:
        return {"authorization": f"Bearer {world.reveal(auth.bearer)}"}
    return {}


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file holds."""

    path: Path
    read: Format

    async def fetch(self, _world: World, bounds: Bounds) -> Iterable[Item]:
        """Read the file, if it is not larger than it may be."""

        def load() -> bytes:
            try:
                if not self.path.is_file():  # a pipe would be waited for
                    raise SourceError("unreachable", f"{self.path}: there is no such file")
                with self.path.open("rb") as file:
                    body = file.read(bounds.max_bytes + 1)
            except OSError as error:
                raise SourceError("unreachable", f"{self.path}: {error.strerror}") from None
            if len(body) > bounds.max_bytes:
                raise SourceError("too_large", f"{self.path} is larger than {bounds.max_bytes} bytes")
            return body

        return self.read(await asyncio.to_thread(load))


@dataclass(frozen=True, slots=True)
class StaticContent:
    """What the exporter's file says itself."""

    items: tuple[Item, ...]

    async def fetch(self, _world: World, _bounds: Bounds) -> Iterable[Item]:
        """Give it."""
        return self.items


def kind_of(error: HoldfastError) -> str:
    """Give the word under which an error of the outbound client is counted."""
    words = (
        (TimedOutError, "timeout"),
        (AnswerTooLargeError, "too_large"),
        (AddressRefusedError, "refused"),
        (PeerError, "protocol"),
    )
    return next((word for kind, word in words if isinstance(error, kind)), "unreachable")
