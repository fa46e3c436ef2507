"""A body of more things than anybody means to send is refused before anything is made of them."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.arrivals import KeepingSink
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import TooLargeError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import crowds, snappy
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.loki import LokiPush
from holdfast.telemetry.logs.loki.entries import read_json
from holdfast.telemetry.logs.otlp import OtlpLogs, logs_service
from holdfast.telemetry.logs.plain.taking import read_lines
from holdfast.telemetry.metrics.otlp import OtlpMetrics, metrics_service
from holdfast.telemetry.metrics.remote import Protocol, RemoteWriter
from holdfast.telemetry.metrics.remote.messages import message
from holdfast.telemetry.otlp.bodies import Encoding
from holdfast.telemetry.traces import traces_service
from holdfast.telemetry.traces.otlp import read_request
from holdfast.telemetry.traces.zipkin import read_spans

EMPTY = b"\x0a\x00"
ROWS = {
    "logs": message(1, message(2, b"\x12\x00" * 600_000)),
    "scopes": message(1, b"\x12\x00" * 600_000),
    "resources": EMPTY * 600_000,
    "points": message(1, message(2, message(2, message(7, EMPTY * 600_000)))),
}


class NoDoor:
    """Is not reached."""

    export: Any = None


@pytest.mark.parametrize("crowd", ROWS)
async def test_rows_are_counted_at_every_level(crowd: str) -> None:
    services = (metrics_service(NoDoor()),) if crowd == "points" else (logs_service(NoDoor()), traces_service(NoDoor()))  # type: ignore[arg-type]
    for service in services:
        with pytest.raises(TooLargeError, match="500000 rows"):
            await service.read(ROWS[crowd], Encoding.PROTOBUF)


async def test_objects_are_counted_in_json() -> None:
    service = logs_service(NoDoor())  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="objects"):
        await service.read(b'{"resourceLogs":[' + b"{}," * crowds.MOST_JSON + b"{}]}", Encoding.JSON)


async def test_what_is_no_message_is_left_to_its_reader() -> None:
    with pytest.raises(InvalidError, match="ExportLogsServiceRequest"):
        await logs_service(NoDoor()).read(b"\x0a\xff" * 600_000, Encoding.PROTOBUF)  # type: ignore[arg-type]
    crowds.refuse_crowd(ROWS["logs"][:900_000], {1: {2: {2: {}}}})  # small enough to read as it is
    crowds.refuse_crowded_text(b"a line of some length\n" * 100_000)


async def test_a_push_of_a_few_kilobytes_may_hold_a_crowd() -> None:
    body = snappy.compress(EMPTY * 600_000)
    assert len(body) < 100_000
    with pytest.raises(TooLargeError, match="rows"):
        await LokiPush(KeepingSink()).take("t", body, is_json=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", Protocol)
async def test_series_of_remote_write_are_counted(protocol: Protocol) -> None:
    empty = EMPTY if protocol is Protocol.V1 else b"\x2a\x00"
    with pytest.raises(TooLargeError, match="500000 rows"):
        await RemoteWriter(KeepingSink()).take("t", empty * 600_000, protocol, origin="x", is_plain=True)  # type: ignore[arg-type]


def pairs(field: int, count: int = crowds.MOST_ATTRIBUTES + 1) -> bytes:
    return message(field, message(1, b"k")) * count


@pytest.mark.parametrize("place", ["record", "resource", "scope"])
async def test_attributes_of_one_thing_are_counted(place: str) -> None:
    body = {
        "record": message(1, message(2, message(2, pairs(6)))),
        "resource": message(1, message(1, pairs(1))),
        "scope": message(1, message(2, message(1, pairs(3)))),
    }[place]
    request = await logs_service(NoDoor()).read(body, Encoding.PROTOBUF)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="attributes"):
        await OtlpLogs(MemoryLogSink(MemoryLogSource())).export(DEFAULT_TENANT, request)


async def test_attributes_of_spans_and_points_are_counted() -> None:
    span = message(1, b"t" * 16) + message(2, b"s" * 8) + pairs(9)
    request = await traces_service(NoDoor()).read(message(1, message(2, message(2, span))), Encoding.PROTOBUF)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="attributes"):
        read_request(request)
    at = b"\x19" + (1).to_bytes(8, "little")  # time_unix_nano: a point without one is refused unread
    gauge = message(5, message(1, at + pairs(7)))
    body = message(1, message(2, message(2, message(1, b"m") + gauge)))
    points = await metrics_service(NoDoor()).read(body, Encoding.PROTOBUF)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="attributes"):
        await OtlpMetrics(KeepingSink()).export(DEFAULT_TENANT, points)


def test_pairs_of_one_entry_are_counted() -> None:
    wide = ",".join(f'"k{number}":""' for number in range(crowds.MOST_ATTRIBUTES + 1))
    with pytest.raises(TooLargeError, match="attributes"):
        read_json(b'{"streams":[{"stream":{"a":"b"},"values":[["1","x",{%b}]]}]}' % wide.encode())
    with pytest.raises(TooLargeError, match="attributes"):
        read_spans(b'[{"traceId":"1","id":"1","tags":{%b}}]' % wide.encode(), 0)


@pytest.mark.parametrize("charset", ["punycode", "idna", "zip", "bz2", "\0"])
def test_a_charset_that_is_none_of_texts_is_refused(charset: str) -> None:
    with pytest.raises(InvalidError, match="charset"):
        read_lines(b"a-" + b"z" * 200_000, charset)
