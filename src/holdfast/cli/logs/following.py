"""`holdfast logs -f`: the lines of a live tail, each once, through outages of the server; what was missed is said.

Lines go to standard output, words about the connection to standard error, so that a pipe gets lines only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from holdfast.cli.logs.drawing import LogLine, lines_of
from holdfast.kernel.errors import BusyError, UnauthenticatedError, UnavailableError
from holdfast.resilience import Backoff, Pauses

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

    from holdfast.cli.remote import Remote

_AGAIN_LINES: Final = 5000  # after an outage; the server gives no more at once
_LATE_NS: Final = 10 * 10**9  # lines of so long before the newest one are asked for again
_PAUSES: Final = Backoff(base_s=1.0, cap_s=30.0, jitter="equal")
_MOST_FAILURES: Final = 8  # some two minutes
_MOST_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_MAY_NOT: Final = 1008
_LATER: Final = frozenset({429, 502, 503, 504})


@dataclass(slots=True)
class Follower:
    """Follows one query; `say` takes words about the connection."""

    remote: Remote
    query: str
    start_ns: int
    limit: int
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    _recent: deque[object] = field(default_factory=lambda: deque(maxlen=2 * _AGAIN_LINES))
    _newest_ns: int = 0
    _was_there: bool = False

    def lines(self) -> Iterator[LogLine]:
        """Give lines until somebody stops listening.

        Raises:
            UnauthenticatedError: the token is missing, wrong, or no longer good.
            UnavailableError: the server stays away.
            HoldfastError: the server refused; its words and its hint.
        """
        failures, pauses = 0, Pauses(_PAUSES)
        while True:
            try:
                for line in self._session():
                    failures = 0
                    pauses.reset()
                    yield line
            except UnavailableError as error:
                if failures == _MOST_FAILURES or not self._was_there:
                    raise
                if not failures:
                    self.say(f"{error.message}; asking again")
                failures += 1
                self.sleep(pauses.next_s())

    def _session(self) -> Iterator[LogLine]:
        from websockets.exceptions import (  # noqa: PLC0415 -- only -f needs it
            ConnectionClosed,
            InvalidStatus,
            WebSocketException,
        )
        from websockets.sync.client import connect  # noqa: PLC0415 -- only -f needs it

        start_ns = max(self.start_ns, self._newest_ns - _LATE_NS)
        limit = _AGAIN_LINES if self._was_there else self.limit
        known, known_ns = frozenset(self._recent), self._newest_ns
        asked = {"query": self.query, "start": str(start_ns), "limit": str(limit)}
        address = f"{self.remote.url.replace('http', 'ws', 1)}/loki/api/v1/tail?{httpx.QueryParams(asked)}"
        try:
            with connect(address, additional_headers=self.remote.headers, max_size=_MOST_MESSAGE_BYTES) as socket:
                if self._was_there:
                    self.say("following again")
                self._was_there = True
                for text in socket:
                    for line in self._read(orjson.loads(text)):
                        if line.ts_ns > known_ns or line.identity not in known:
                            self._remember(line)
                            yield line
        except InvalidStatus as error:
            answer = error.response
            headers = list(answer.headers.raw_items())
            told = httpx.Response(answer.status_code, content=bytes(answer.body or b""), headers=headers)
            if told.status_code in _LATER:
                raise BusyError(f"{self.remote.url} refused: {told.text}") from error
            raise self.remote.refusal(told) from error
        except ConnectionClosed as error:
            raise self._ending(error) from error
        except (OSError, WebSocketException) as error:
            raise UnavailableError(
                f"{self.remote.url} does not answer: {error}", hint="is it running? Name it with --url or HOLDFAST_URL"
            ) from error
        raise UnavailableError(f"{self.remote.url} ended the tail")

    def _ending(self, error: ConnectionClosed) -> Exception:
        if error.rcvd is None:
            return UnavailableError(f"the connection to {self.remote.url} was lost")
        if error.rcvd.code == _MAY_NOT:
            return UnauthenticatedError(f"{self.remote.url} ended the tail: {error.rcvd.reason}")
        return UnavailableError(f"{self.remote.url} ended the tail: {error.rcvd.reason or 'it stops'}")

    def _read(self, message: dict[str, Any]) -> Iterator[LogLine]:
        dropped = message.get("dropped", len(message.get("dropped_entries") or ()))
        if dropped:
            self.say(f"{dropped:,} lines were dropped: they came faster than they are read here")
        return lines_of(message["streams"])

    def _remember(self, line: LogLine) -> None:
        self._recent.append(line.identity)
        self._newest_ns = max(self._newest_ns, line.ts_ns)
