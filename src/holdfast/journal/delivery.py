"""One request of OTLP/HTTP to a server and what came of it; when to ask again is the shipper's decision.

Which answers may be retried is the specification's word: 429, 502, 503 and 504, and no answer at all.
"""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from holdfast.journal.otlp import ENCODINGS
from holdfast.journal.redaction import redact_text
from holdfast.resilience import parse_retry_after

RETRIED: Final = frozenset({429, 502, 503, 504})
TOO_LARGE: Final = 413
LONGEST_ANSWER: Final = 65_536
PATH: Final = "/v1/logs"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: taken, to be sent again (after so many seconds), too large, or refused for good."""

    is_taken: bool = False
    is_retried: bool = False
    is_too_large: bool = False
    wait_s: float | None = None
    refused: int = 0
    error: str = ""


class Delivery:
    """A connection to one server, kept open between requests."""

    def __init__(
        self, url: str, *, protocol: str, headers: Mapping[str, str], resource: Mapping[str, str], timeout_s: float
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{redact_text(url)!r} is no address to ship to; give http://HOST:PORT or https://HOST")
        if protocol not in ENCODINGS:
            raise ValueError(f"{protocol!r} is no protocol; choose {', '.join(ENCODINGS)}")
        path = parts.path.rstrip("/")
        self._path = path if path.endswith(PATH) else f"{path}{PATH}"
        self._connect = _connector(parts.scheme, parts.hostname, parts.port, timeout_s)
        self._encoding = ENCODINGS[protocol]
        self._resource = dict(resource)
        self._headers = {
            **headers,
            "content-type": self._encoding.media_type,
            "content-encoding": "gzip",
        }
        self._connection: http.client.HTTPConnection | None = None

    def send(self, lines: list[str], service: str) -> Outcome:
        """Send a batch once."""
        body = gzip.compress(self._encoding.encode(lines, service, self._resource), compresslevel=1)
        try:
            status, retry_after, answer = self._ask(body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Outcome(is_retried=True, error=f"{type(error).__name__}: {redact_text(str(error))}")
        if 200 <= status < 300:
            return Outcome(is_taken=True, refused=min(self._encoding.count_refused(answer), len(lines)))
        told = f"HTTP {status}: {redact_text(answer[:200].decode('utf-8', 'replace'))}"
        if status in RETRIED:
            return Outcome(is_retried=True, wait_s=parse_retry_after(retry_after, _now), error=told)
        return Outcome(is_too_large=status == TOO_LARGE and len(lines) > 1, refused=len(lines), error=told)

    def close(self) -> None:
        """Close the connection; the next request opens one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, body: bytes) -> tuple[int, str | None, bytes]:
        is_reused = self._connection is not None
        try:
            return self._exchange(body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not is_reused:
                raise
        self.close()  # the server had closed what was kept open
        return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, str | None, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        held = answer.read(LONGEST_ANSWER)
        if answer.will_close or not answer.isclosed():
            self.close()
        return answer.status, answer.headers.get("retry-after"), held


def _connector(scheme: str, host: str, port: int | None, timeout_s: float) -> Callable[[], http.client.HTTPConnection]:
    if scheme == "http":
        return lambda: http.client.HTTPConnection(host, port, timeout=timeout_s)
    context = ssl.create_default_context()
    return lambda: http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)


def _now() -> datetime:
    return datetime.now(UTC)
