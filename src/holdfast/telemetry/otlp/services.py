"""One signal of OTLP, as both transports see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.crowds import Tree, refuse_crowd, refuse_crowded_json
from holdfast.telemetry.otlp.bodies import AT_ONCE_BYTES, Encoding, read_body

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger import Signal


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many points, records or spans of a request were refused for good, why, and of which services, if known."""

    count: int = 0
    message: str = ""
    services: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """A signal.

    Attributes:
        door: its name in our own metrics, such as `otlp_metrics`.
        name: of the gRPC service, such as `opentelemetry.proto.collector.metrics.v1.MetricsService`.
        signal: what it brings.
        permission: what a sender must hold.
        messages: gives the classes of the request and the response; called with the first request, for they are heavy.
        rejected_field: of the response's `partial_success`, such as `rejected_data_points`.
        export: stores a request.
        reader: gives the class that reads a request in protobuf, where that is not the request's own; `export` gets
            either.
        rows: the fields that repeat, down to rows; those of logs and traces if nothing else is said.
        backlog: bounds what waits for its answer.
        loaded: the encodings whose messages are in memory.
    """

    door: str
    name: str
    signal: Signal
    permission: str
    messages: Callable[[], tuple[Any, Any]]
    rejected_field: str
    export: Callable[[TenantId, Any], Awaitable[Rejected]]
    reader: Callable[[], Any] | None = None
    rows: Tree = field(default_factory=lambda: {1: {2: {2: {}}}})
    backlog: Backlog = field(default_factory=Backlog)
    loaded: set[Encoding] = field(default_factory=set)

    def request_class(self, encoding: Encoding) -> Any:
        """Give the class that reads a request."""
        if self.reader is not None and encoding is Encoding.PROTOBUF:
            return self.reader()
        return self.messages()[0]

    async def read(self, body: bytes, encoding: Encoding) -> Any:
        """Give the request in a body; what takes long is read beside the event loop: large ones, and the first.

        Raises:
            InvalidError: it is none.
            TooLargeError: it holds more rows than one request may.
        """
        if encoding in self.loaded and len(body) <= AT_ONCE_BYTES[encoding]:
            return read_body(body, encoding, self.request_class(encoding))
        return await asyncio.to_thread(self._load_and_read, body, encoding)

    def _load_and_read(self, body: bytes, encoding: Encoding) -> Any:
        if encoding is Encoding.JSON:
            refuse_crowded_json(body)
        else:
            refuse_crowd(body, self.rows)
        message = read_body(body, encoding, self.request_class(encoding))
        self.messages()
        self.loaded.add(encoding)
        return message

    def response(self, rejected: Rejected) -> Any:
        """Give the response message; `partial_success` only where something was rejected."""
        answer = self.messages()[1]()
        if rejected.count or rejected.message:
            setattr(answer.partial_success, self.rejected_field, rejected.count)
            answer.partial_success.error_message = rejected.message
        return answer
