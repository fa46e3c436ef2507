"""The two encodings of OTLP/HTTP: protobuf and JSON, in and out.

Source: OpenTelemetry's protocol specification; in its JSON trace and span ids are hexadecimal, where protobuf's own
mapping has base64.
"""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import Any, Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import MediaTypeError

MOST_NESTED: Final = 60
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


class Encoding(StrEnum):
    """How a body is written, by its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"

    @classmethod
    def of(cls, content_type: str) -> Encoding:
        """Give the encoding that a `Content-Type` names.

        Raises:
            MediaTypeError: it names another.
        """
        media_type = content_type.partition(";")[0].strip().lower()
        try:
            return cls(media_type)
        except ValueError:
            raise MediaTypeError(
                f"OTLP is not taken as {media_type!r}", hint=f"send {cls.PROTOBUF} or {cls.JSON}"
            ) from None


AT_ONCE_BYTES: Final = {Encoding.JSON: 64_000, Encoding.PROTOBUF: 1_000_000}  # some milliseconds


def read_body(body: bytes, encoding: Encoding, message: Any) -> Any:
    """Give the message of class `message` in a body; unknown fields are passed over.

    Raises:
        InvalidError: it is none.
    """
    from google.protobuf import json_format  # noqa: PLC0415 -- protobuf loads slowly, and many never send OTLP
    from google.protobuf.message import DecodeError  # noqa: PLC0415 -- as above

    try:
        if encoding is Encoding.PROTOBUF:
            return message.FromString(body)
        return json_format.ParseDict(_rewrite_ids(orjson.loads(body)), message(), ignore_unknown_fields=True)
    except (
        DecodeError,
        json_format.ParseError,
        orjson.JSONDecodeError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise InvalidError(f"the body is no {message.DESCRIPTOR.name}: {error}") from None


def write_body(message: Any, encoding: Encoding) -> bytes:
    """Give the body that holds `message`."""
    from google.protobuf import json_format  # noqa: PLC0415 -- as above

    if encoding is Encoding.PROTOBUF:
        return bytes(message.SerializeToString())
    return json_format.MessageToJson(message, indent=None).encode()


def _rewrite_ids(value: Any, depth: int = 0) -> Any:
    """Give the document with its hexadecimal ids as base64."""
    if depth > MOST_NESTED:
        raise ValueError(f"nested deeper than {MOST_NESTED}")
    if isinstance(value, dict):
        return {
            name: base64.b64encode(bytes.fromhex(each)).decode()
            if name in _IDS and isinstance(each, str)
            else _rewrite_ids(each, depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_rewrite_ids(each, depth + 1) for each in value]
    return value
