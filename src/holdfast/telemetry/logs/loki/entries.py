"""Bodies of pushes as streams of entries: protobuf and JSON come out the same.

Source: Grafana Loki's HTTP API, "Ingest logs".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.crowds import refuse_crowded_attributes

Pairs = Iterable[tuple[str, str]]
_NS: Final = 10**9


class PushedStream(NamedTuple):
    """One stream: its labels, as text where they are to be parsed, and (time in ns, line, structured metadata)."""

    labels: str | tuple[tuple[str, str], ...]
    entries: Sequence[tuple[int, str, Pairs]]


def read_protobuf(data: bytes, message: Any) -> list[PushedStream]:
    """Give the streams of a PushRequest.

    Raises:
        InvalidError: it is none.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 -- protobuf loads slowly

    try:
        request = message.FromString(data)
    except DecodeError as error:
        raise InvalidError(f"the body is no PushRequest: {error}") from None
    return [PushedStream(stream.labels, list(_entries(stream))) for stream in request.streams]


def _entries(stream: Any) -> Iterator[tuple[int, str, Pairs]]:
    for entry in stream.entries:
        at = entry.timestamp
        refuse_crowded_attributes(entry.structured_metadata)
        pairs = [(each.name, each.value) for each in entry.structured_metadata]
        yield at.seconds * _NS + at.nanos, entry.line, pairs


def read_json(body: bytes) -> list[PushedStream]:
    """Give the streams of `{"streams": [{"stream": {...}, "values": [["ns", "line", {...}], ...]}]}`.

    Raises:
        InvalidError: it is something else; the message says where.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"the body is no JSON: {error}") from None
    streams = document.get("streams") if isinstance(document, Mapping) else None
    if not isinstance(streams, list):
        raise InvalidError("the body has no list of streams", hint='send {"streams": [...]}')
    return [_read_stream(each, f"streams[{place}]") for place, each in enumerate(streams)]


def _read_stream(stream: Any, place: str) -> PushedStream:
    if not isinstance(stream, Mapping) or not isinstance(stream.get("values", []), list):
        raise InvalidError(f"{place} has no list of values")
    labels = _texts(stream.get("stream", {}), f"{place}.stream")
    entries = [_read_entry(each, f"{place}.values[{row}]") for row, each in enumerate(stream.get("values", []))]
    return PushedStream(tuple(sorted(labels)), entries)


def _read_entry(entry: Any, place: str) -> tuple[int, str, Pairs]:
    if not isinstance(entry, list) or len(entry) not in {2, 3} or not isinstance(entry[1], str):
        raise InvalidError(f"{place} is no entry", hint='write ["<ns of Unix time>", "<line>", {"name": "value"}]')
    try:
        ts_ns = int(entry[0]) if isinstance(entry[0], str) else None
    except ValueError:
        ts_ns = None
    if ts_ns is None:
        raise InvalidError(f"{place}[0] is no time", hint="write nanoseconds of Unix time, as text")
    return ts_ns, entry[1], _texts(entry[2], f"{place}[2]") if len(entry) > 2 else ()


def _texts(pairs: Any, place: str) -> list[tuple[str, str]]:
    if not isinstance(pairs, Mapping) or not all(isinstance(value, str) for value in pairs.values()):
        raise InvalidError(f"{place} is no object of texts")
    refuse_crowded_attributes(pairs)
    return list(pairs.items())
