"""What is asked of another server, and what came back: plain data without a connection behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from holdfast.kernel.http.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make.

    Attributes:
        purpose: who asks, a constant such as `webhook`; a label of the metrics.
        timeout_s: limit for the whole call; None for the setting's.
        max_bytes: limit of the answer after decompression; None for the setting's.
    """

    method: str
    url: str
    purpose: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_s: float | None = None
    max_bytes: int | None = None
    is_following: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `url` is where the last redirect led, without its query and credentials."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str
    duration_s: float

    @property
    def is_ok(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Decode the body as JSON.

        Raises:
            PeerError: it is not JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise PeerError(f"{self.url} answered {self.status} with something that is not JSON") from None

    def text(self) -> str:
        """Decode the body with the charset that the answer names, or UTF-8; bad bytes become U+FFFD."""
        return httpx.Response(self.status, headers=self.headers, content=self.body).text
