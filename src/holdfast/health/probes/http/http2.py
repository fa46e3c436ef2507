"""One request over HTTP/2 (RFC 9113) on a fresh connection, with h2 doing the frames. gRPC probes stand on it too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http.messages import Response
from holdfast.kernel.units import format_size

if TYPE_CHECKING:
    from holdfast.health.probes.http.messages import Request

_FRAME_HEADER_BYTES: Final = 9
_SETTINGS_FRAME: Final = 4
_CONNECTION_HEADERS: Final = frozenset({"connection", "host", "keep-alive", "proxy-connection", "te", "upgrade"})


class Http2Exchange(asyncio.Protocol):
    """Sends one request on stream 1 and waits for the stream's end; `done` holds the Response or the fault."""

    def __init__(self, request: Request, *, limit: int) -> None:
        self.done: asyncio.Future[Response | Exception] = asyncio.get_running_loop().create_future()
        self.sent_s = self.first_s = self.ended_s = 0.0
        self._limit = limit
        self._h2: Any = None
        self._events: Any = None
        self._transport: asyncio.Transport | None = None
        self._request = request
        self._unsent = memoryview(request.body)
        self._greeting = b""
        self._is_greeted = False
        self._response: Response | None = None
        self._chunks: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the connection and send the request as far as the peer's windows allow."""
        import h2.config  # noqa: PLC0415 - HTTP/2 is loaded by the first check that speaks it
        import h2.connection  # noqa: PLC0415
        import h2.events  # noqa: PLC0415

        self._events = h2.events
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        config = h2.config.H2Configuration(client_side=True, header_encoding=None)
        self._h2 = h2.connection.H2Connection(config)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(min(self._limit + 65_535, 2**31 - 1 - 65_535))
        self._h2.send_headers(1, _headers_of(self._request), end_stream=not self._request.body)
        self.sent_s = now_s()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Feed the state machine and act on what happened."""
        import h2.exceptions  # noqa: PLC0415 - loaded when the connection was made

        if self._h2 is None or self.done.done():
            return
        if not self._is_greeted:
            self._greeting += data
            if len(self._greeting) < _FRAME_HEADER_BYTES:
                return
            data, self._is_greeted = self._greeting, True
            if data[3] != _SETTINGS_FRAME:  # RFC 9113, 3.4; h2 would wait for the rest of a frame that never comes
                speaks = "the server speaks HTTP/1" if data.startswith(b"HTTP/1") else "it begins with no settings"
                self._fail(f"the answer is not HTTP/2: {speaks}")
                return
        try:
            for event in self._h2.receive_data(data):
                self._react(event)
            self._flush()
        except h2.exceptions.ProtocolError as error:
            self._fail(f"the answer is not HTTP/2: {str(error).lower() or type(error).__name__}")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended before the stream did."""
        if self.done.done():
            return
        if exc is not None:
            self.done.set_result(exc)
        elif self._response is not None:
            self._fail(f"the answer broke off after {self._response.size} bytes of its body")
        else:
            self._fail("the server closed the connection without an answer")

    def _react(self, event: Any) -> None:
        events = self._events
        if isinstance(event, events.ResponseReceived):
            self._begin(event.headers)
        elif isinstance(event, events.DataReceived) and self._response is not None:
            self._store(event)
        elif isinstance(event, events.TrailersReceived) and self._response is not None:
            self._response.trailers = dict(event.headers)
        elif isinstance(event, events.StreamEnded):
            self._finish()
        elif isinstance(event, events.StreamReset):
            self._fail(f"the server reset the stream with HTTP/2 error {int(event.error_code)}")
        elif isinstance(event, events.ConnectionTerminated):
            self._fail(f"the server ended the connection with HTTP/2 error {int(event.error_code)}")

    def _begin(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.first_s = now_s()
        status = dict(headers).get(b":status", b"0")
        plain = [(name, value) for name, value in headers if not name.startswith(b":")]
        self._response = Response(int(status) if status.isdigit() else 0, "2", plain, self._limit)

    def _store(self, event: Any) -> None:
        assert self._response is not None
        self._response.size += len(event.data)
        self._chunks.append(event.data)
        if self._response.size > self._limit:
            self._fail(f"the body is larger than {format_size(self._limit)}")
        else:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def _flush(self) -> None:
        assert self._transport is not None
        while self._unsent and not self.done.done():
            room = min(self._h2.local_flow_control_window(1), self._h2.max_outbound_frame_size)
            if room <= 0:
                break
            part, self._unsent = self._unsent[:room], self._unsent[room:]
            self._h2.send_data(1, bytes(part), end_stream=not self._unsent)
        pending = self._h2.data_to_send()
        if pending:
            self._transport.write(pending)

    def _finish(self) -> None:
        if self._response is None:
            self._fail("the server ended the stream without an answer")
        elif not self.done.done():
            self.ended_s = now_s()
            self._response.raw = b"".join(self._chunks)
            self.done.set_result(self._response)

    def _fail(self, message: str) -> None:
        if not self.done.done():
            self.done.set_result(FaultError(message))


def _headers_of(request: Request) -> list[tuple[str, str]]:
    pseudo = [
        (":method", request.method),
        (":scheme", "https" if request.url.is_tls else "http"),
        (":authority", request.authority),
        (":path", request.url.target),
    ]
    plain = [(name.lower(), value) for name, value in request.headers]
    return pseudo + [
        (name, value)
        for name, value in plain
        if name not in _CONNECTION_HEADERS or (name == "te" and value == "trailers")
    ]
