"""Debian's Prometheus writes the same chunks of the same samples, and reads from the real app what the app answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pytest

from fixtures import peers, servers
from fixtures.chunks import read_frames, read_histograms, read_xor
from fixtures.prompb import v1
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.remote.histogram_chunks import write_histogram_chunks
from holdfast.telemetry.metrics.remote.xor_chunks import write_chunks

pytestmark = pytest.mark.service
SAMPLES = 700
STEP_MS = 3000


@contextmanager
def prometheus(folder: Path, reads: str = "") -> Iterator[str]:
    """A Prometheus that takes remote writes, or reads from `reads` all that it is asked."""
    binary = servers.require_program("prometheus")
    port = peers.closed_port()
    config = folder / f"{port}.yml"
    source = f"remote_read: [{{url: {reads}/prometheus/api/v1/read, read_recent: true}}]" if reads else ""
    config.write_text(f"global: {{scrape_interval: 1h}}\n{source}\n")
    argv = [binary, f"--config.file={config}", f"--storage.tsdb.path={folder / str(port)}"]
    argv += ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with servers.running([*argv, f"--web.listen-address=127.0.0.1:{port}"], port, folder / f"{port}.log"):
        wait_until_ready(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"


def wait_until_ready(url: str) -> None:
    for _ in range(300):
        with suppress(HTTPError), urlopen(url, timeout=5):
            return
        time.sleep(0.1)  # another process has no event to wait for
    pytest.fail(f"{url} is not ready")


def written(begin_ms: int) -> bytes:
    """Give a request with values of every nature, stale markers and native histograms."""
    rng = np.random.default_rng(3)
    values = {
        "counter": np.cumsum(rng.integers(0, 50, SAMPLES)).astype(float),
        "gauge": rng.normal(size=SAMPLES),
        "still": np.full(SAMPLES, 1.0),
        "odd": rng.choice(np.array([0.0, -0.0, np.inf, -np.inf, 5e-324, 1e308]), SAMPLES),
    }
    stale = np.array([STALE_BITS], np.uint64).view(np.float64)[0]
    times = begin_ms + np.arange(SAMPLES) * STEP_MS + rng.integers(-900, 900, SAMPLES)
    times[300:] += 40_000
    times += times % 1000 == 0  # where a range begins, one that stands on its edge counts for one of the two only
    request = v1.WriteRequest()
    for name, column in values.items():
        column[350:352] = stale
        series = request.timeseries.add()
        series.labels.add(name="__name__", value="tested")
        series.labels.add(name="nature", value=name)
        for at, value in zip(times.tolist(), column.tolist(), strict=True):
            series.samples.add(timestamp=at, value=value)
    series = request.timeseries.add()
    series.labels.add(name="__name__", value="tested")
    series.labels.add(name="nature", value="native")
    counts = np.zeros(6)
    for place, at in enumerate(times[:250].tolist()):
        counts = counts + rng.integers(0, 3, 6) if place != 180 else np.ones(6)
        sample = series.histograms.add(timestamp=at, count_float=counts.sum() + 1, sum=rng.random(), schema=2)
        sample.zero_threshold, sample.zero_count_float = 2.0**-128, 1.0
        sample.positive_spans.add(offset=-2, length=4)
        sample.positive_counts.extend(counts[:4].tolist())
        sample.negative_spans.add(offset=7, length=2)
        sample.negative_counts.extend(counts[4:].tolist())
    return bytes(request.SerializeToString())


def post(url: str, content: bytes) -> tuple[bytes, str]:
    headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
    with urlopen(Request(url, snappy.compress(content), headers), timeout=30) as answer:
        return answer.read(), answer.headers.get("content-type", "")


def read_chunks(url: str, begin_ms: int) -> list[tuple[str, Any]]:
    """Give every chunk that a server has, with what its series is called."""
    request = v1.ReadRequest(accepted_response_types=[1, 0])
    query = request.queries.add(start_timestamp_ms=begin_ms - 60_000, end_timestamp_ms=begin_ms + 4 * 3_600_000)
    query.matchers.add(type=0, name="__name__", value="tested")
    content, media_type = post(url, request.SerializeToString())
    assert media_type == "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    return [
        (series.labels[1].value, chunk)
        for frame in read_frames(content)
        for series in frame.chunked_series
        for chunk in series.chunks
    ]


def decode(chunks: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, chunk in chunks:
        if chunk.type == 1:
            found.setdefault(name, []).extend(read_xor(chunk.data))
        else:
            told = [(at, repr(each).partition(", hint=")[0]) for at, each in read_histograms(chunk.data)]
            found.setdefault(name, []).extend(told)
    return found


def encode(chunk: Any) -> bytes:
    if chunk.type == 3:
        samples = read_histograms(chunk.data)
        (ours,) = write_histogram_chunks([at for at, _ in samples], [each for _, each in samples])
        return ours.data
    read = np.array(read_xor(chunk.data), np.uint64)
    columns = np.ascontiguousarray(read.T)
    return write_chunks(columns[0].view(np.int64), columns[1].view(np.float64), np.zeros(1, np.int64))[0]


def ask(url: str, query: str, begin_ms: int) -> Any:
    begin_s = begin_ms // 1000
    fields = {"query": query, "start": begin_s, "end": begin_s + SAMPLES * STEP_MS // 1000 + 60, "step": 7}
    with urlopen(f"{url}/api/v1/query_range?{urlencode(fields)}", timeout=60) as answer:
        result = json.loads(answer.read())["data"]["result"]
    return sorted(result, key=lambda series: sorted(series["metric"].items()))


async def test_chunks_are_those_that_prometheus_writes_to_the_byte(tmp_path: Path, serving: Any) -> None:
    begin_ms = (int(time.time()) - 3600) * 1000
    content = written(begin_ms)
    async with serving() as url:
        with prometheus(tmp_path) as peer:
            await asyncio.to_thread(post, f"{peer}/api/v1/write", content)
            await asyncio.to_thread(post, f"{url}/prometheus/api/v1/write", content)
            theirs = await asyncio.to_thread(read_chunks, f"{peer}/api/v1/read", begin_ms)
            ours = await asyncio.to_thread(read_chunks, f"{url}/prometheus/api/v1/read", begin_ms)
    assert {chunk.type for _, chunk in theirs} == {1, 3}
    assert decode(ours) == decode(theirs)
    assert len(decode(ours)["odd"]) == SAMPLES
    assert [name for name, _ in ours] == sorted(name for name, _ in ours)
    # Prometheus lets a chunk grow past 120 samples where the time ahead is short; the app never does.
    alike = [(name, chunk) for name, chunk in theirs if int.from_bytes(chunk.data[:2]) <= 120]
    assert {chunk.type for _, chunk in alike} == {1, 3}
    for name, chunk in alike:
        mine = encode(chunk)
        # The third byte of a histogram's chunk says what Prometheus knows; an empty one may follow at the end.
        head = 2 if chunk.type == 1 else 3
        assert (name, mine[:2]) == (name, chunk.data[:2])
        assert chunk.data[head:] in (mine[head:], mine[head:] + b"\0")


QUERIES = ('tested{nature!="native"}', 'count_over_time(tested{nature!="native"}[5m])', "max by (nature) (tested)")


async def test_queries_through_prometheus_are_answered_as_here(tmp_path: Path, serving: Any) -> None:
    begin_ms = (int(time.time()) - 3600) * 1000
    async with serving() as url:
        await asyncio.to_thread(post, f"{url}/prometheus/api/v1/write", written(begin_ms))
        with prometheus(tmp_path, url) as peer:
            for query in QUERIES:
                theirs = await asyncio.to_thread(ask, peer, query, begin_ms)
                assert theirs == await asyncio.to_thread(ask, f"{url}/prometheus", query, begin_ms)
                assert theirs
