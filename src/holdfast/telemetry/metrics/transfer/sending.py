"""Sends rows to a server by remote write 2.0, and waits when it says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Self

import httpx

from holdfast.kernel.errors import InvalidError, UnauthenticatedError, UnavailableError
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import SentSample, write_request

if TYPE_CHECKING:
    from types import TracebackType

    from holdfast.telemetry.metrics.transfer.rows import Row

TIMEOUT_S: Final = 60.0
TRIES: Final = 8
LONGEST_WAIT_S: Final = 30.0
_HEADERS: Final = {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "content-encoding": "snappy",
}
_WRITTEN: Final = "x-prometheus-remote-write-samples-written"


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
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if tenant:
            headers["x-scope-orgid"] = tenant
        self.client = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_S, transport=transport)
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
                answer = self.client.post("/prometheus/api/v1/write", content=body, headers=_HEADERS)
            except httpx.TransportError as error:
                last = str(error) or type(error).__name__
                continue
            if answer.is_success:
                return len(rows), ""
            if answer.status_code == 400 and _WRITTEN in answer.headers:
                return int(answer.headers[_WRITTEN]), answer.text.strip()
            last = answer.text.strip()
            if answer.status_code in {401, 403}:
                raise UnauthenticatedError(
                    f"{self.url}: {last}", hint="set HOLDFAST_TOKEN to a token for metrics.write"
                )
            if answer.status_code != 429 and answer.status_code < 500:
                raise InvalidError(f"{self.url} refused: {last}")
            pause_s = max(pause_s, float(answer.headers.get("retry-after", "0")))
        raise UnavailableError(
            f"{self.url} did not take it after {TRIES} tries: {last}", hint="start the same import again later"
        )


def _sent(row: Row) -> SentSample:
    return SentSample(row.labels, row.ts_ms, row.value, row.metadata, row.start_ms, row.exemplar)
