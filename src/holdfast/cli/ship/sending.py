"""Sends batches in a thread of its own, oldest first, each until the server has it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import httpx

from holdfast.cli.ship.meters import ShipMeters
from holdfast.resilience import Backoff, Pauses, parse_retry_after

if TYPE_CHECKING:
    from holdfast.cli.ship.spool import Spool

PATH: Final = "/loki/api/v1/push"
REPEATED: Final = "x-holdfast-repeated"  # it may have been stored, by a server that was started anew since
TIMEOUT_S: Final = 30.0
_AGAIN: Final = Backoff(base_s=0.2, cap_s=30.0, jitter="equal")
_FINAL: Final = frozenset({400, 422})  # read, and in part refused for good: the rest is stored
_STORED: Final = 204  # what the door answers; a page with 200 comes from something else
_MOST_WAIT_S: Final = 300.0


class Sending:
    """Sends what is in the spool."""

    def __init__(
        self, spool: Spool, client: httpx.Client, tell: Callable[[str], None], meters: ShipMeters | None = None
    ) -> None:
        self._spool = spool
        self._meters = meters or ShipMeters()
        self._tried = 0  # the batch that was sent last, by its number
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
            try:
                wait_s = self._turn()
            except OSError as error:
                self._say(f"the disk buffer cannot be changed now: {error}")
                wait_s = self._pauses.next_s()
            self._stop.wait(wait_s)

    def _turn(self) -> float:
        """Send the oldest batch, or wait for one; gives the seconds until the next turn."""
        oldest = self._spool.oldest()
        if oldest is None:
            self._wake.wait()
            self._wake.clear()
            return 0.0
        number, body = oldest
        is_repeat = number <= self._tried or number < self._spool.first_fresh
        self._tried = number
        wait_s = self._send(body, is_repeat=is_repeat)
        if wait_s is not None:
            self._meters.tries.inc()
            return wait_s
        self._spool.drop(number)
        self._pauses.reset()
        return 0.0

    def _send(self, body: bytes, *, is_repeat: bool) -> float | None:
        """Send a batch; gives the seconds after which to try again, or None when it is done."""
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        if is_repeat:
            headers[REPEATED] = "true"
        try:
            answer = self._client.post(PATH, content=body, headers=headers)
        except httpx.HTTPError as error:
            self._say(f"the server does not answer: {error}; lines wait on the disk")
            return self._pauses.next_s()
        if answer.status_code == _STORED:
            self._told = ""
            self._meters.batches.labels("stored").inc()
            return None
        if answer.is_success or _is_page(answer):  # a login or a proxy; it has stored nothing and judged nothing
            self._say(
                f"what answers there is no Holdfast (status {answer.status_code}): mend --to; lines wait on the disk"
            )
            return self._pauses.next_s()
        said = f"{answer.status_code} {answer.text[:300].strip()}"
        if answer.status_code in _FINAL:
            self._say(f"the server refused lines: {said}")
            self._meters.batches.labels("refused").inc()
            return None
        self._say(f"the server takes nothing now: {said}; lines wait on the disk")
        asked_s = parse_retry_after(answer.headers.get("retry-after", ""), lambda: datetime.now(UTC))
        return max(min(asked_s or 0.0, _MOST_WAIT_S), self._pauses.next_s())

    def _say(self, words: str) -> None:
        if words != self._told:
            self._tell(words)
            self._told = words


def _is_page(answer: httpx.Response) -> bool:
    kind: str = answer.headers.get("content-type", "")
    return kind.startswith("text/html")
