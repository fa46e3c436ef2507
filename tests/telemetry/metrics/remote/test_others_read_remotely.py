"""Remote read gives the raw samples of each query, as protobuf's own library reads them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from fixtures.chunks import read_frames, read_histograms, read_xor
from fixtures.prompb import v1
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics import Matcher, MatchOp
from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.remote import RemoteWriteSettings, read_routes
from holdfast.telemetry.metrics.remote.reading import reading
from holdfast.telemetry.metrics.selection import SeriesColumns
from holdfast.web.assembly import build_app

PATH = "/prometheus/api/v1/read"


class Source:
    """Answers every selection with the same two series, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.is_empty = False

    async def select(self, tenant: str, selections: Any, limits: Any = None) -> list[SeriesColumns]:
        self.asked += [(tenant, selection, limits) for selection in selections]
        histogram = Histogram(schema=1, count=3.0, sum=2.5, zero_count=1.0, positive=Buckets(-1, (2.0, 0.0, 1.0)))
        columns = SeriesColumns(
            labels=[(("__name__", "up"), ("job", "b")), (("__name__", "up"), ("job", "a"))],
            offsets=np.array([0, 2, 3]),
            ts_ms=np.array([1, 2, 3]),
            values=np.array([-0.0, 1.5, 0.0]),
            histograms=np.array([None, None, histogram], object),
        )
        if self.is_empty:
            columns = SeriesColumns([], np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
        return [columns for _ in selections]


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def client(source: Source) -> Any:
    permissions = (Permission("metrics.read", Role.VIEWER, "Read."),)
    surface = read_routes(source, RemoteWriteSettings())
    app = build_app(
        [Wiring("telemetry", surfaces=(surface,), permissions=permissions)],
        gate=OpenGate(),
        registry=CollectorRegistry(),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def ask(**accepted: Any) -> bytes:
    request = v1.ReadRequest(**accepted)
    query = request.queries.add(start_timestamp_ms=1, end_timestamp_ms=10)
    for op, (name, value) in enumerate({"__name__": "up", "a": "1", "b": "2.*", "c": "3|4"}.items()):
        query.matchers.add(type=op, name=name, value=value)
    query.hints.step_ms = 60_000
    return snappy.compress(request.SerializeToString())


async def test_samples_and_histograms_of_each_query_come_by_label(client: Any, source: Source) -> None:
    answer = await client.post(PATH, content=ask(), headers={"x-scope-orgid": "shop"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert answer.headers["content-encoding"] == "snappy"
    read = v1.ReadResponse.FromString(snappy.decompress(answer.content, limit=10**6, setting="x"))
    first, second = read.results[0].timeseries
    assert [(pair.name, pair.value) for pair in second.labels] == [("__name__", "up"), ("job", "b")]
    assert [(sample.timestamp, str(sample.value)) for sample in second.samples] == [(1, "-0.0"), (2, "1.5")]
    histogram = first.histograms[0]
    assert (histogram.timestamp, histogram.schema, histogram.count_float, histogram.sum) == (3, 1, 3.0, 2.5)
    assert (histogram.zero_count_float, list(histogram.positive_counts)) == (1.0, [2.0, 0.0, 1.0])
    assert [(span.offset, span.length) for span in histogram.positive_spans] == [(-1, 3)]


async def test_both_ends_are_included_and_raw_samples_are_asked_for(client: Any, source: Source) -> None:
    await client.post(PATH, content=ask(), headers={"x-scope-orgid": "shop"})
    tenant, selection, limits = source.asked[0]
    assert (tenant, selection.start_ms, selection.end_ms, selection.step_ms) == ("shop", 0, 10, 0)
    assert limits.max_samples == RemoteWriteSettings().max_read_samples
    assert selection.matchers == (
        Matcher("__name__", MatchOp.EQUAL, "up"),
        Matcher("a", MatchOp.NOT_EQUAL, "1"),
        Matcher("b", MatchOp.MATCHES, "2.*"),
        Matcher("c", MatchOp.NOT_MATCHES, "3|4"),
    )


async def test_who_leaves_ends_the_reading() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def select(*_: Any) -> list[SeriesColumns]:
        began.set()
        try:
            return await asyncio.Future()
        finally:
            ended.set()

    async def receive() -> dict[str, Any]:
        if not began.is_set():
            return {"type": "http.request", "body": ask()}
        return {"type": "http.disconnect"}

    read = reading(SimpleNamespace(select=select), RemoteWriteSettings())
    async with asyncio.timeout(5):
        await read(Request({"type": "http", "headers": []}, receive), SimpleNamespace(tenant="shop"))
    assert ended.is_set()


async def test_the_first_form_that_is_accepted_is_given(client: Any) -> None:
    streamed = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    for accepted, form in (([1, 0], streamed), ([7, 1], streamed), ([0, 1], "application/x-protobuf")):
        answer = await client.post(PATH, content=ask(accepted_response_types=accepted))
        assert (answer.status_code, answer.headers["content-type"]) == (200, form)
    answer = await client.post(PATH, content=ask(accepted_response_types=[7]))
    assert (answer.status_code, "SAMPLES and STREAMED_XOR_CHUNKS" in answer.text) == (400, True)


async def test_chunks_of_each_query_come_by_label(client: Any) -> None:
    request = v1.ReadRequest.FromString(snappy.decompress(ask(accepted_response_types=[1]), limit=10**6, setting="x"))
    request.queries.add().CopyFrom(request.queries[0])
    answer = await client.post(PATH, content=snappy.compress(request.SerializeToString()))
    assert "content-encoding" not in answer.headers
    frames = list(read_frames(answer.content))
    jobs = [(frame.query_index, frame.chunked_series[0].labels[1].value) for frame in frames]
    assert jobs == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    native, floats = (frame.chunked_series[0].chunks[0] for frame in frames[:2])
    assert (native.type, native.min_time_ms, native.max_time_ms) == (3, 3, 3)
    histogram = Histogram(schema=1, count=3.0, sum=2.5, zero_count=1.0, positive=Buckets(-1, (2.0, 0.0, 1.0)))
    assert read_histograms(native.data) == [(3, histogram)]
    assert (floats.type, floats.min_time_ms, floats.max_time_ms) == (1, 1, 2)
    assert read_xor(floats.data) == [(1, 1 << 63), (2, 0x3FF8 << 48)]


async def test_nothing_found_is_an_empty_stream(client: Any, source: Source) -> None:
    source.is_empty = True
    answer = await client.post(PATH, content=ask(accepted_response_types=[1]))
    assert (answer.status_code, answer.content) == (200, b"")


async def test_rubbish_is_refused(client: Any) -> None:
    for body in (b"", b"x", snappy.compress(b"\x0a\xff")):
        assert (await client.post(PATH, content=body)).status_code == 400
