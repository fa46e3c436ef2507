"""Debian's Prometheus sends all that it scrapes to the real app, and both hold the same samples afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from fixtures import peers, servers
from fixtures.prompb import v1
from holdfast.telemetry import snappy

pytestmark = pytest.mark.service


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """A Prometheus that scrapes itself and writes to `target`."""
    binary = servers.require_program("prometheus")
    port = peers.closed_port()
    config = folder / "prometheus.yml"
    config.write_text(
        f"""
global: {{scrape_interval: 500ms, external_labels: {{replica: a}}}}
scrape_configs: [{{job_name: itself, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
remote_write:
- url: {target}/prometheus/api/v1/write
  queue_config: {{batch_send_deadline: 200ms, max_samples_per_send: 500}}
  metadata_config: {{send_interval: 1s}}
"""
    )
    argv = [binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with servers.running([*argv, f"--web.listen-address=127.0.0.1:{port}"], port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


def fetch(url: str) -> Any:
    with urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())["data"]["result"]


def read_peer(url: str, end_s: float) -> dict[Any, list[Any]]:
    """Give what Prometheus itself holds up to a time."""
    query = urlencode({"query": '{job="itself"}[1h]', "time": f"{end_s:.3f}"})
    return {
        tuple(sorted({**series["metric"], "replica": "a"}.items())): [
            (round(float(at) * 1000), repr(float(value))) for at, value in series["values"]
        ]
        for series in fetch(f"{url}/api/v1/query?{query}")
    }


def read_ours(url: str, end_s: float) -> dict[Any, list[Any]]:
    """Give what Holdfast holds up to a time, by remote read."""
    question = v1.ReadRequest()
    query = question.queries.add(start_timestamp_ms=int((end_s - 3600) * 1000), end_timestamp_ms=int(end_s * 1000))
    query.matchers.add(type=0, name="job", value="itself")
    body = snappy.compress(question.SerializeToString())
    request = Request(f"{url}/prometheus/api/v1/read", body)
    with urlopen(request, timeout=10) as answer:
        found = v1.ReadResponse.FromString(snappy.decompress(answer.read(), limit=10**8, setting="x"))
    return {
        tuple((pair.name, pair.value) for pair in series.labels): [
            (sample.timestamp, repr(sample.value)) for sample in series.samples
        ]
        for series in found.results[0].timeseries
    }


async def test_counts_and_values_are_equal(tmp_path: Path, serving: Any) -> None:
    async with serving() as url:
        with prometheus(tmp_path, url) as peer:
            async with asyncio.timeout(90):
                theirs: dict[Any, list[Any]] = {}
                while sum(map(len, theirs.values())) < 3000:
                    await asyncio.sleep(0.2)
                    newest = await asyncio.to_thread(fetch, f"{peer}/api/v1/query?query=timestamp(up)")
                    end_s = float(newest[0]["value"][1]) - 0.001 if newest else 0.0
                    theirs = await asyncio.to_thread(read_peer, peer, end_s)
                ours: dict[Any, list[Any]] = {}
                while ours != theirs:  # another process has no event to wait for
                    await asyncio.sleep(0.2)
                    ours = await asyncio.to_thread(read_ours, url, end_s)
        assert len(ours) > 400
        assert ours == theirs
