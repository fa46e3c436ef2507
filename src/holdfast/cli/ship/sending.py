"""Sends batches in a thread of its own, oldest first, each until the server has it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import httpx

from holdfast.resilience import Backoff, Pauses, parse_retry_after

if TYPE_CHECKING:
    from holdfast.cli.ship.spool import Spool

PATH: Final = "/loki/api/v1/push"
TIMEOUT_S: Final = 30.0
_AGAIN: Final = Backoff(base_s=0.2, cap_s=30.0, jitter="equal")
_FINAL: Final = frozenset({400, 422})  # read, and in part refused for good: the rest is stored
_MOST_WAIT_S: Final = 300.0


class Sending:
    """Sends what is in the spool."""

    def __init__(self, spool: Spool, client: httpx.Client, tell: Callable[[str], None]) -> None:
        self._spool = spool
        self._client = client
        self._tell = tell
        self._stop, self._wake = threading.Event(), threading.Event()
        self._pauses = Pauses(_AGAIN)
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="ship-sending", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to send."""
        self._wake.set()

    def stop(self) -> None:
        """End; what was not sent stays on the disk."""
        self._stop.set()
        self._wake.set()
        self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            oldest = self._spool.oldest()
            if oldest is None:
                self._wake.wait()
                self._wake.clear()
            elif (wait_s := self._send(oldest[1])) is None:
                self._spool.drop(oldest[0])
                self._pauses.reset()
            else:
                self._stop.wait(wait_s)

    def _send(self, body: bytes) -> float | None:
        """Send a batch; gives the seconds after which to try again, or None when it is done."""
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        try:
            answer = self._client.post(PATH, content=body, headers=headers)
        except httpx.TransportError as error:
            self._say(f"the server does not answer: {error}; lines wait on the disk")
            return self._pauses.next_s()
        if answer.is_success:
            self._told = ""
            return None
        said = f"{answer.status_code} {answer.text[:300].strip()}"
        if answer.status_code in _FINAL:
            self._say(f"the server refused lines: {said}")
            return None
        self._say(f"the server takes nothing now: {said}; lines wait on the disk")
        asked_s = parse_retry_after(answer.headers.get("retry-after", ""), lambda: datetime.now(UTC))
        return max(min(asked_s or 0.0, _MOST_WAIT_S), self._pauses.next_s())

    def _say(self, words: str) -> None:
        if words != self._told:
            self._tell(words)
            self._told = words
