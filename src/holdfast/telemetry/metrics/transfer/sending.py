"""Sends rows to a server by remote write 2.0, and waits when it says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.peers import OTHER_SERVER, ask, open_client, refusal
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import SentSample, write_request

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

    from holdfast.telemetry.metrics.transfer.rows import Row

TIMEOUT_S: Final = 60.0
TRIES: Final = 8
LONGEST_WAIT_S: Final = 30.0
MOST_ASKED_S: Final = 300.0  # a server that wants to be left alone for longer is asked again all the same
WITHIN_S: Final = 600.0  # an answer from its first byte to its last
_MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_WORDS: Final = 2000
_HEADERS: Final = {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "content-encoding": "snappy",
}
_WRITTEN: Final = "x-prometheus-remote-write-samples-written"
_HISTOGRAMS_WRITTEN: Final = "x-prometheus-remote-write-histograms-written"


class Destination:
    """A server that takes remote write; `token` and `tenant` may be empty."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        tenant: str = "",
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.client = open_client(self.url, token=token, tenant=tenant, timeout_s=TIMEOUT_S, transport=transport)
        self._wait = wait

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.client.close()

    def send(self, rows: Sequence[Row]) -> tuple[int, str]:
        """Send rows; give how many were stored, and why the others were not.

        Raises:
            UnavailableError: the server does not answer, or was busy for too long.
            UnauthenticatedError: it does not know us.
            InvalidError: it refused all of it.
        """
        body = snappy.compress(write_request(map(_sent, rows)))
        pause_s, last = 0.5, ""
        for attempt in range(TRIES):
            if attempt:
                self._wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_WAIT_S)
            try:
                answer = self.ask("POST", "/prometheus/api/v1/write", content=body, headers=_HEADERS)
            except UnavailableError as error:
                last = error.message
                continue
            if answer.is_success or (answer.status_code == HTTPStatus.BAD_REQUEST and _WRITTEN in answer.headers):
                return self._stored(answer, len(rows)), "" if answer.is_success else answer.text.strip()[:_MOST_WORDS]
            refused = refusal(answer, self.url)
            if not refused.retry.possible:
                raise refused
            last = refused.message
            pause_s = max(pause_s, min(refused.retry.after_s or 0.0, MOST_ASKED_S))
        raise UnavailableError(
            f"{self.url} did not take it after {TRIES} tries: {last}", hint="start the same import again later"
        )

    def ask(self, method: str, path: str, *, most_bytes: int = _MOST_BYTES, **what: Any) -> httpx.Response:
        """Ask once; gives the whole answer, whatever its status, and raises as `kernel.peers.ask`."""
        return ask(self.client, method, path, most_bytes=most_bytes, within_s=WITHIN_S, **what)

    def _stored(self, answer: httpx.Response, sent: int) -> int:
        """Give how many samples the server says that it has stored: one that does not say so may be another program."""
        written = answer.headers.get(_WRITTEN, ""), answer.headers.get(_HISTOGRAMS_WRITTEN, "0")
        stored = sum(map(int, written)) if all(each.isdecimal() for each in written) else -1
        if not 0 <= stored <= sent:
            message = f"{self.url} does not say how many samples it has stored"
            raise InvalidError(message, hint=OTHER_SERVER)
        return stored


def _sent(row: Row) -> SentSample:
    return SentSample(row.labels, row.ts_ms, row.value, row.metadata, row.start_ms, row.exemplar, row.histogram)
