"""Parts of OTLP's spans from their bytes: attributes as texts with their types, events and links as JSON.

Source: opentelemetry-proto, common/v1/common.proto and trace/v1/trace.proto.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.labels import Labels

MOST_NS: Final = 2**63 - 1
_LAST_STATUS: Final = 2


class Parts:
    """Reads parts of spans; made per request, for the classes of the messages load slowly.

    Every method raises an `InvalidError` where bytes are not what they must be.
    """

    def __init__(self) -> None:
        from google.protobuf.message import DecodeError  # noqa: PLC0415 -- loads slowly
        from opentelemetry.proto.common.v1 import common_pb2  # noqa: PLC0415 -- as above
        from opentelemetry.proto.resource.v1 import resource_pb2  # noqa: PLC0415 -- as above
        from opentelemetry.proto.trace.v1 import trace_pb2  # noqa: PLC0415 -- as above

        self._decode_error: type[Exception] = DecodeError
        self._pair: Any = common_pb2.KeyValue
        self._scope: Any = common_pb2.InstrumentationScope
        self._resource: Any = resource_pb2.Resource
        self._status: Any = trace_pb2.Status
        self._event: Any = trace_pb2.Span.Event
        self._link: Any = trace_pb2.Span.Link

    def pair(self, content: bytes) -> tuple[str, str, str]:
        """Give an attribute's name, its text and the letter of its type."""
        usual = short_text(content)
        if usual is not None:
            return *usual, "s"
        pair = self._read(self._pair, content)
        return pair.key, *typed_text(pair.value)

    def resource(self, content: bytes) -> Labels:
        """Give a resource's attributes."""
        resource = self._read(self._resource, content)
        return labels_of({pair.key: typed_text(pair.value)[0] for pair in resource.attributes})

    def scope(self, content: bytes) -> str:
        """Give the name of an instrumentation."""
        name: str = self._read(self._scope, content).name
        return name

    def status(self, content: bytes) -> tuple[int, str]:
        """Give how a span ended, and what it says about it."""
        status = self._read(self._status, content)
        return (status.code if 0 <= status.code <= _LAST_STATUS else 0), status.message

    def events(self, contents: Sequence[bytes]) -> str:
        """Give a span's events as JSON; empty if there are none."""
        rows = [
            {
                "ts_ns": min(event.time_unix_nano, MOST_NS),
                "name": event.name,
                "attributes": {pair.key: _plain(pair.value) for pair in event.attributes},
            }
            for event in (self._read(self._event, content) for content in contents)
        ]
        return orjson.dumps(rows).decode() if rows else ""

    def links(self, contents: Sequence[bytes]) -> str:
        """Give a span's links as JSON; empty if there are none."""
        rows = [
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "attributes": {pair.key: _plain(pair.value) for pair in link.attributes},
            }
            for link in (self._read(self._link, content) for content in contents)
        ]
        return orjson.dumps(rows).decode() if rows else ""

    def _read(self, message: Any, content: bytes) -> Any:
        try:
            return message.FromString(content)
        except self._decode_error as error:
            raise InvalidError(f"the body holds no {message.DESCRIPTOR.name}: {error}") from None


def short_text(content: bytes) -> tuple[str, str] | None:
    """Give the name and the text of an attribute that is the usual one: a text, neither of them over 123 bytes.

    On the wire that is `0a <size> <name> 12 <size + 2> 0a <size> <text>` and nothing else. It takes half the time of
    reading the messages. None for any other, which may be one all the same.
    """
    size = len(content)
    if size < 6 or content[0] != 0x0A or (middle := content[1] + 2) > size - 4:
        return None
    rest = size - middle - 4
    if content[1] > 123 or rest > 123 or content[middle : middle + 4] != bytes((0x12, rest + 2, 0x0A, rest)):
        return None
    try:
        return content[2:middle].decode(), content[middle + 4 :].decode()
    except UnicodeDecodeError:
        return None


def typed_text(value: Any) -> tuple[str, str]:
    """Give a value as text, with the letter of its type."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value, "s"
        case "int_value":
            return str(value.int_value), "i"
        case "bool_value":
            return ("true" if value.bool_value else "false"), "b"
        case "double_value":
            return repr(value.double_value), "d"
        case None:
            return "", "s"
        case _:
            return orjson.dumps(_plain(value)).decode(), "j"


def _plain(value: Any) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(one) for one in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case None:
            return None
        case name:
            return getattr(value, name)
