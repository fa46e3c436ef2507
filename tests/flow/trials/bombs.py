"""Hostile requests, one at a time, at every door of a running server, beside good traffic.

Each is small on the wire and large in what it asks for: decompression, depth, numbers of things, lengths that lie. What
is told of each: the answer, how long it took, what memory did meanwhile, and how long the good waited. The whole is
benchmarks/doors_bombarded.py.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import grpc
import grpc.aio
import httpx
from backports import zstd

from flow.trials.doors import JSON, LOGS_METHOD, METRICS_METHOD, PROTOBUF, SNAPPY, TEXT, TRACES_METHOD
from flow.trials.loads import NDJSON
from flow.trials.requests import Latencies
from flow.trials.server import QUERY, Server
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field

SIZE: Final = 15_900_000  # just within web.max_body
MANY: Final = 1_000_000
DEEP: Final = 1_000_000
LOOK_EVERY_S: Final = 0.02
GOOD_EVERY_S: Final = 0.05
PATIENCE_S: Final = 120.0
LOGS, TRACES, METRICS = "/v1/logs", "/v1/traces", "/v1/metrics"
LOKI, BULK, LINES = "/loki/api/v1/push", "/elastic/_bulk", "/api/v1/logs/lines?service=bomb"
METHODS: Final = {LOGS: LOGS_METHOD, TRACES: TRACES_METHOD, METRICS: METRICS_METHOD}
ZIPKIN, WRITE, PUSH = "/api/v2/spans", "/prometheus/api/v1/write", "/metrics/job/bomb"


@dataclass(frozen=True, slots=True)
class Bomb:
    """A request, made when it is due."""

    name: str
    path: str
    headers: dict[str, str]
    make: Callable[[], bytes]


@dataclass(slots=True)
class Blast:
    """What a bomb did; bytes are resident memory of the server."""

    name: str
    path: str
    sent: int = 0
    status: str = ""
    said: str = ""
    seconds: float = 0.0
    before: int = 0
    peak: int = 0
    good: Latencies = field(default_factory=Latencies)
    failed: int = 0


def bombs() -> Iterator[Bomb]:
    """Give all bombs."""
    yield from _compressed()
    yield from _deep()
    yield from _numerous()
    yield from _lying()


def bombs_by_grpc() -> Iterator[Bomb]:
    """Give those that come over gRPC, too, where each is packed with gzip on its way."""
    for path in METHODS:
        yield Bomb("200 MB of zeros", path, PROTOBUF, lambda: bytes(200_000_000))
        yield Bomb("a little too large", path, PROTOBUF, lambda: bytes(16_100_000))
    yield from (bomb for bomb in bombs() if bomb.path in METHODS and bomb.headers == PROTOBUF)


def _compressed() -> Iterator[Bomb]:
    zeros = bytes(100_000_000)
    for path in (LOGS, LOKI, BULK, LINES, ZIPKIN, PUSH):
        kind = {LOGS: PROTOBUF, LOKI: JSON, BULK: NDJSON, LINES: TEXT, ZIPKIN: JSON, PUSH: TEXT}[path]
        yield Bomb("gzip", path, {**kind, "content-encoding": "gzip"}, lambda: _gzip(zeros))
        yield Bomb("zstd", path, {**kind, "content-encoding": "zstd"}, lambda: zstd.compress(zeros) * 100)
    yield Bomb("gzip in gzip", LOGS, {**PROTOBUF, "content-encoding": "gzip, gzip"}, lambda: _gzip(_gzip(zeros)))
    yield Bomb("deflate", LOGS, {**PROTOBUF, "content-encoding": "deflate"}, lambda: zlib.compress(zeros))
    for path in (WRITE, LOKI):
        yield Bomb("snappy of 4 GB, as it says", path, SNAPPY, lambda: b"\xff\xff\xff\xff\x0f" + b"\x00" * 100)
        yield Bomb("snappy of 30 MB of zeros", path, SNAPPY, lambda: snappy.compress(bytes(30_000_000)))
        yield Bomb("snappy of 30 MB of empty rows", path, SNAPPY, lambda: snappy.compress(b"\x0a\x00" * 15_000_000))
    stream = message(1, b'{service_name="bomb"}')
    yield Bomb("snappy, empty entries", LOKI, SNAPPY, lambda: snappy.compress(message(1, stream + b"\x12\x00" * 10**7)))


def _deep() -> Iterator[Bomb]:
    value = b'{"arrayValue":{"values":[' * (DEEP // 10)
    nested = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + value
    yield Bomb("deep JSON in its place", LOGS, JSON, lambda: nested)
    for path in (LOGS, TRACES, METRICS, LOKI, ZIPKIN):
        yield Bomb("deep lists", path, JSON, lambda: b"[" * DEEP)
        yield Bomb("deep objects", path, JSON, lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP)
    yield Bomb("deep objects", BULK, NDJSON, lambda: b'{"create":{}}\n' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n")
    yield Bomb("200 deep", BULK, NDJSON, lambda: b'{"create":{}}\n' + (b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n"))
    yield Bomb("deep objects", LINES, TEXT, lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n")
    for name, path in (("logs", LOGS), ("traces", TRACES), ("metrics", METRICS)):
        yield Bomb(f"deep protobuf, {name}", path, PROTOBUF, lambda name=name: _within(name, _deep_value()))


def _numerous() -> Iterator[Bomb]:
    half = SIZE // 2
    yield Bomb("empty records", LOGS, PROTOBUF, lambda: message(1, message(2, b"\x12\x00" * half)))
    yield Bomb("empty spans", TRACES, PROTOBUF, lambda: message(1, message(2, b"\x12\x00" * half)))
    points = message(1, b"bomb")
    yield Bomb(
        "empty points",
        METRICS,
        PROTOBUF,
        lambda: message(1, message(2, message(2, points + message(5, b"\x0a\x00" * half)))),
    )
    yield Bomb("empty metrics", METRICS, PROTOBUF, lambda: message(1, message(2, b"\x12\x00" * half)))
    for path in (LOGS, TRACES, METRICS):
        yield Bomb("empty resources", path, PROTOBUF, lambda: b"\x0a\x00" * half)
        yield Bomb("empty scopes", path, PROTOBUF, lambda: message(1, b"\x12\x00" * half))
        yield Bomb("empty resources, JSON", path, JSON, lambda path=path: _json_rows(path, b"{}", SIZE // 3))
    for name, path in (("logs", LOGS), ("traces", TRACES), ("metrics", METRICS)):
        yield Bomb(f"10^6 attributes, {name}", path, PROTOBUF, lambda name=name: _with_attributes(name, MANY))
        yield Bomb(f"empty attributes, {name}", path, PROTOBUF, lambda name=name: _with_empty_attributes(name, half))
        yield Bomb(f"10^6 resources with one row, {name}", path, PROTOBUF, lambda name=name: _resources(name))
    yield Bomb("empty objects", ZIPKIN, JSON, lambda: b"[" + b"{}," * (SIZE // 3 - 2) + b"{}]")
    yield Bomb("10^6 tags", ZIPKIN, JSON, lambda: _zipkin_tags(MANY))
    yield Bomb("empty entries", LOKI, JSON, lambda: _loki_rows(SIZE // 13))
    yield Bomb("10^5 streams of other labels", LOKI, JSON, lambda: _loki_streams(100_000))
    yield Bomb("10^6 pairs of one entry", LOKI, JSON, lambda: _loki_pairs(MANY // 2))
    yield Bomb("empty documents", BULK, NDJSON, lambda: b'{"create":{}}\n{}\n' * (SIZE // 17))
    yield Bomb("10^6 fields", BULK, NDJSON, lambda: b'{"create":{}}\n' + json.dumps(_numbered(MANY)).encode() + b"\n")
    yield Bomb("empty lines", LINES, TEXT, lambda: b"\n" * SIZE)
    yield Bomb("lines of a letter", LINES, TEXT, lambda: b"a\n" * half)
    yield Bomb("JSON lines of nothing", LINES, NDJSON, lambda: b"{}\n" * (SIZE // 3))
    yield Bomb("10^5 label names", WRITE, SNAPPY, lambda: snappy.compress(_label_names(100_000)))
    yield Bomb("10^5 labels of one series", WRITE, SNAPPY, lambda: snappy.compress(_wide_series(100_000)))
    yield Bomb("series of a letter", PUSH, TEXT, lambda: b"".join(b"a%d 1\n" % n for n in range(MANY)))
    yield Bomb("comments", PUSH, TEXT, lambda: b"#\n" * half)


def _lying() -> Iterator[Bomb]:
    for path in (LOGS, TRACES, METRICS):
        yield Bomb("length of 4 GB", path, PROTOBUF, lambda: b"\x0a\xff\xff\xff\xff\x0f\x00")
        yield Bomb("length of 2^63", path, PROTOBUF, lambda: b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00")
        yield Bomb("string of 15 MB", path, PROTOBUF, lambda path=path: _long_string(path))
    yield Bomb("line of 15 MB", LINES, TEXT, lambda: b"a" * SIZE)
    yield Bomb("line of 15 MB", LOKI, JSON, lambda: _loki_line("a" * (SIZE - 100)))
    yield Bomb("no UTF-8", LOGS, PROTOBUF, lambda: _within("logs", b"\x0a\x04\xff\xfe\xfd\xfc"))
    yield Bomb("no UTF-8", LINES, TEXT, lambda: b"\xff\xfe\xfd\n" * 1000)
    yield Bomb("wrong charset", LINES, {"content-type": "text/plain; charset=utf-7"}, lambda: b"+AAA-\n")
    yield Bomb("charset that is none", LINES, {"content-type": "text/plain; charset=zip"}, lambda: b"x\n")
    yield Bomb("charset of a codec", LINES, {"content-type": "text/plain; charset=bz2"}, lambda: b"x\n")
    yield Bomb("charset idna", LINES, {"content-type": "text/plain; charset=idna"}, lambda: b"x" * 100_000)
    yield Bomb(
        "charset punycode", LINES, {"content-type": "text/plain; charset=punycode"}, lambda: b"a-" + b"z" * 200_000
    )
    yield Bomb("year 292e9", LOKI, JSON, lambda: _loki_at(str(2**80)))
    yield Bomb("year -292e9", LOKI, JSON, lambda: _loki_at(str(-(2**80))))
    yield Bomb("time of 10^6 digits", LOKI, JSON, lambda: _loki_at("9" * MANY))
    yield Bomb(
        "time of 10^6 digits", ZIPKIN, JSON, lambda: b'[{"traceId":"1","id":"1","timestamp":%b}]' % (b"9" * MANY)
    )
    yield Bomb("number of 10^6 digits", BULK, NDJSON, lambda: b'{"create":{}}\n{"a":%b}\n' % (b"9" * MANY))
    yield Bomb("number of 10^6 digits", PUSH, TEXT, lambda: b"a " + b"9" * MANY + b"\n")
    rows = labels_of({"__name__": "bomb"})
    extreme = b"".join(
        sample_field(ts, value) for ts in (-(2**63), 2**63 - 1) for value in (float("nan"), float("inf"))
    )
    yield Bomb("extreme samples", WRITE, SNAPPY, lambda: snappy.compress(message(1, labels_field(rows) + extreme)))


def _gzip(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return made.compress(data) + made.flush()


def _deep_value() -> bytes:
    """Give an `AnyValue` of lists in lists, as deep as lengths allow cheaply."""
    value = b""
    for _ in range(10_000):
        value = message(5, message(1, value))
    return value


def _within(name: str, value: bytes) -> bytes:
    pair = message(1, b"k") + message(2, value)
    return _request(name, {"logs": message(6, pair), "traces": message(9, pair), "metrics": message(7, pair)}[name])


def _request(name: str, attributes: bytes) -> bytes:
    if name == "logs":
        return message(1, message(2, message(2, attributes)))
    if name == "traces":
        return message(1, message(2, message(2, message(1, b"t" * 16) + message(2, b"s" * 8) + attributes)))
    at = b"\x19" + (10**18).to_bytes(8, "little")  # time_unix_nano: a point without one is refused unread
    gauge = message(5, message(1, at + attributes))
    return message(1, message(2, message(2, message(1, b"bomb") + gauge)))


def _with_attributes(name: str, count: int) -> bytes:
    place = {"logs": 6, "traces": 9, "metrics": 7}[name]
    return _request(name, b"".join(message(place, message(1, b"k%d" % number)) for number in range(count)))


def _with_empty_attributes(name: str, count: int) -> bytes:
    place = {"logs": 6, "traces": 9, "metrics": 7}[name]
    return _request(name, message(place, b"") * count)


def _resources(name: str) -> bytes:
    one = _request(name, b"")
    return one * min(MANY, SIZE // len(one))


def _json_rows(path: str, row: bytes, count: int) -> bytes:
    name = {LOGS: b"resourceLogs", TRACES: b"resourceSpans", METRICS: b"resourceMetrics"}[path]
    return b'{"%b":[' % name + (row + b",") * (count - 20) + row + b"]}"


def _numbered(count: int) -> dict[str, int]:
    return {f"k{number}": 1 for number in range(count)}


def _zipkin_tags(count: int) -> bytes:
    tags = {f"k{number}": "" for number in range(count)}
    return json.dumps([{"traceId": "1", "id": "1", "tags": tags}], separators=(",", ":")).encode()


def _loki_rows(count: int) -> bytes:
    return b'{"streams":[{"stream":{"a":"b"},"values":[' + b'["1","a"],' * count + b'["1",""]]}]}'


def _loki_at(time_text: str) -> bytes:
    return json.dumps({"streams": [{"stream": {"a": "b"}, "values": [[time_text, "x"]]}]}).encode()


def _loki_line(line: str) -> bytes:
    return json.dumps({"streams": [{"stream": {"a": "b"}, "values": [[str(time.time_ns()), line]]}]}).encode()


def _loki_streams(count: int) -> bytes:
    now = str(time.time_ns())
    return json.dumps({"streams": [{"stream": {f"l{n}": "b"}, "values": [[now, "x"]]} for n in range(count)]}).encode()


def _loki_pairs(count: int) -> bytes:
    pairs = {f"k{number}": "" for number in range(count)}
    row = [str(time.time_ns()), "x", pairs]
    return json.dumps({"streams": [{"stream": {"a": "b"}, "values": [row]}]}, separators=(",", ":")).encode()


def _label_names(count: int) -> bytes:
    sample = sample_field(int(time.time() * 1000), 1.0)
    return b"".join(
        message(1, labels_field((("__name__", "bomb"), (f"l{number}", "x"))) + sample) for number in range(count)
    )


def _wide_series(count: int) -> bytes:
    labels = (("__name__", "bomb"), *((f"l{number:06}", "x") for number in range(count)))
    return message(1, labels_field(labels) + sample_field(int(time.time() * 1000), 1.0))


def _long_string(path: str) -> bytes:
    name = {LOGS: "logs", TRACES: "traces", METRICS: "metrics"}[path]
    return _within(name, message(1, b"a" * (SIZE - 1000)))


Send = Callable[[Bomb, bytes], Awaitable[tuple[str, str]]]


async def drop(server: Server, client: httpx.AsyncClient, bomb: Bomb, send: Send | None = None) -> Blast:
    """Send one bomb, by the client that is used for the good if nothing else is given, and watch."""
    body = await asyncio.to_thread(bomb.make)
    blast = Blast(bomb.name, bomb.path, len(body), before=server.resident_bytes())
    tasks = [asyncio.ensure_future(_watch(server, blast)), asyncio.ensure_future(_be_good(client, blast))]
    began_s = time.perf_counter()
    blast.status, blast.said = await (send or by_http(client))(bomb, body)
    blast.seconds = time.perf_counter() - began_s
    await asyncio.sleep(GOOD_EVERY_S * 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return blast


def by_http(client: httpx.AsyncClient) -> Send:
    """Send over HTTP; give the status and what was said."""

    async def send(bomb: Bomb, body: bytes) -> tuple[str, str]:
        try:
            answer = await client.post(bomb.path, content=body, headers=bomb.headers, timeout=PATIENCE_S)
        except httpx.HTTPError as error:
            return type(error).__name__, ""
        return str(answer.status_code), answer.text[:120].replace("\n", " ")

    return send


def by_grpc(target: str) -> Send:
    """Send over gRPC, packed; give the status and what was said."""

    async def send(bomb: Bomb, body: bytes) -> tuple[str, str]:
        async with grpc.aio.insecure_channel(target) as channel:
            export = channel.unary_unary(METHODS[bomb.path])
            try:
                await export(body, timeout=PATIENCE_S, compression=grpc.Compression.Gzip)
            except grpc.aio.AioRpcError as error:
                return error.code().name, str(error.details())[:120].replace("\n", " ")
        return "OK", ""

    return send


async def _watch(server: Server, blast: Blast) -> None:
    while True:
        blast.peak = max(blast.peak, server.resident_bytes())
        await asyncio.sleep(LOOK_EVERY_S)


async def _be_good(client: httpx.AsyncClient, blast: Blast) -> None:
    """Send a line and ask a query, again and again."""
    while True:
        began_s = time.perf_counter()
        try:
            sent = await client.post(LINES.replace("bomb", "good"), content=b"all is well\n", headers=TEXT)
            asked = await client.get(QUERY, params={"query": "1"})
            blast.failed += not (sent.is_success and asked.is_success)
        except httpx.HTTPError:
            blast.failed += 1
        finally:  # one that was cut off at the end has waited so long, too
            blast.good.seconds.append(time.perf_counter() - began_s)
        await asyncio.sleep(GOOD_EVERY_S)
