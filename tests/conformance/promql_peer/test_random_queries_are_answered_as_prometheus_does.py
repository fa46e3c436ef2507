"""Random queries over the same samples, asked of Holdfast's engine and of Debian's Prometheus: equal answers."""

from __future__ import annotations

import json
import math
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.promql_peer.generating import BEGIN_S, Queries, Samples, Series
from fixtures.servers import require_program, running
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.api.results import Form, write_answer
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.memory import MemorySource
from holdfast.telemetry.metrics.promql import Engine

SEED = 8
COUNT = 400
START_S = BEGIN_S + 3601
ENDS_AND_STEPS_S = ((1200, 60), (1215, 75), (900, 15), (1500, 105), (1095, 240), (0, 60))

Rows = dict[str, list[Any]]


@pytest.fixture(scope="module")
def series() -> list[Series]:
    return Samples(SEED).series()


@pytest.fixture(scope="module")
def peer(series, tmp_path_factory) -> Iterator[str]:
    """A Prometheus that has the samples, and scrapes nothing."""
    promtool, prometheus = require_program("promtool"), require_program("prometheus")
    folder: Path = tmp_path_factory.mktemp("peer")
    (folder / "samples.txt").write_text(open_metrics(series))
    (folder / "prometheus.yml").write_text("global: {}\n")
    make = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.txt"), str(folder / "data")]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    options += ["--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"]
    with running([prometheus, *options], port, folder / "prometheus.log"):
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            while client.get(f"http://127.0.0.1:{port}/-/ready").status_code != 200:
                pass
        yield f"http://127.0.0.1:{port}"


def open_metrics(series: list[Series]) -> str:
    lines = []
    for name in sorted({one.labels["__name__"] for one in series}):
        lines.append(f"# TYPE {name} unknown")
        for one in series:
            if one.labels["__name__"] == name:
                labels = ",".join(f'{key}="{value}"' for key, value in one.labels.items() if key != "__name__")
                lines += [f"{name}{{{labels}}} {spell(value)} {ts}" for ts, value in one.samples]
    return "\n".join([*lines, "# EOF", ""])


def spell(value: float) -> str:
    return repr(value) if math.isfinite(value) else {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")


def rows_of(data: dict[str, Any]) -> Rows:
    return {json.dumps(row["metric"], sort_keys=True): row.get("values") or [row["value"]] for row in data["result"]}


def differs(theirs: Rows, ours: Rows) -> str:
    """Say what is different, or nothing."""
    if theirs.keys() != ours.keys():
        return f"theirs are {sorted(theirs)[:3]}, ours are {sorted(ours)[:3]}"
    for labels, points in theirs.items():
        if [ts for ts, _ in points] != [ts for ts, _ in ours[labels]]:
            return f"{labels} has other times"
        for (ts, their), (_, our) in zip(points, ours[labels], strict=True):
            if float(our) != pytest.approx(float(their), rel=1e-7, abs=1e-9, nan_ok=True):
                return f"{labels} at {ts}: {their}, not {our}"
    return ""


Asked = tuple[str, int, int]
"""A query, how many seconds after the start it ends, and its step; an instant query where that is 0."""


async def ask_engine(engine: Engine, asked: Asked) -> Rows | None:
    """Give the answer, None where the query is refused."""
    query, length_s, step_s = asked
    try:
        if step_s:
            times = (START_S * 1000, (START_S + length_s) * 1000, step_s * 1000)
            answer = await engine.range(DEFAULT_TENANT, query, *times)
        else:
            answer = await engine.instant(DEFAULT_TENANT, query, START_S * 1000)
    except HoldfastError:
        return None
    is_range = bool(step_s)
    return rows_of(json.loads(b"".join(write_answer(answer, Form(is_range=is_range))))["data"])


async def ask_prometheus(client: httpx.AsyncClient, asked: Asked) -> Rows | None:
    query, length_s, step_s = asked
    times = {"start": START_S, "end": START_S + length_s, "step": step_s} if step_s else {"time": START_S}
    form = {key: str(value) for key, value in times.items()} | {"query": query}
    answer = (await client.post("/api/v1/query_range" if step_s else "/api/v1/query", data=form)).json()
    return rows_of(answer["data"]) if answer["status"] == "success" else None


@pytest.mark.service
async def test_random_queries_are_answered_as_prometheus_does(series, peer):
    source = MemorySource()
    for one in series:
        source.add(DEFAULT_TENANT, labels_of(one.labels), [(ts * 1000, value) for ts, value in one.samples])
    engine, queries, wrong, answered = Engine(source), Queries(SEED), [], 0
    async with httpx.AsyncClient(base_url=peer, timeout=30) as client:
        for number in range(COUNT):
            query = queries.vector(1 + number % 3)
            asked = (query, *(ENDS_AND_STEPS_S[number % len(ENDS_AND_STEPS_S)] if number % 4 else (0, 0)))
            theirs, ours = await ask_prometheus(client, asked), await ask_engine(engine, asked)
            if theirs is None or ours is None:
                why = "" if theirs is ours else f"refused by {'us' if ours is None else 'them'} only"
            else:
                why, answered = differs(theirs, ours), answered + bool(theirs)
            wrong += [f"{asked}: {why}"] if why else []
    assert not wrong, "\n".join(wrong)
    assert answered > COUNT // 2
