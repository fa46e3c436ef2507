"""`/prometheus/federate` as a Prometheus above scrapes it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.http import problems
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.api import Federation, Origins, surface
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings
from holdfast.telemetry.metrics.scrape import TargetBoard


@pytest.fixture
async def federate(metrics_source):
    clock = FakeClock(datetime.fromtimestamp(607, UTC))
    desk = QueryDesk(Engine(metrics_source), QuerySettings(), clock, QueryMetrics(CollectorRegistry()))
    board = TargetBoard(dict, str, external_labels=lambda: {"cluster": "eu", "job": "of nobody"})
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(surface([], Origins(()), Federation(desk, board, clock)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:

        async def ask(*selectors):
            return await client.get("/prometheus/federate", params=[("match[]", one) for one in selectors])

        yield ask


async def test_the_newest_samples_come_with_their_own_times_and_the_external_labels(federate):
    answer = await federate('{__name__=~"requests.*"}', 'requests_total{job="api"}')
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == (
        "# TYPE requests_total untyped\n"
        'requests_total{cluster="eu",instance="",job="api"} 600 600000\n'
        'requests_total{cluster="eu",instance="",job="web"} 600 600000\n'
    )
    assert [family.name for family in text_string_to_metric_families(answer.text)] == ["requests_total"]


async def test_what_ended_and_native_histograms_are_left_out(federate, metrics_source):
    import numpy as np  # noqa: PLC0415 -- for one number

    stale = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])
    ended = labels_of({"__name__": "requests_total", "job": "web"})
    metrics_source.add(DEFAULT_TENANT, ended, [(605_000, stale)])
    answer = await federate("requests_total", "latency")
    assert [line for line in answer.text.splitlines() if not line.startswith("#")] == [
        'requests_total{cluster="eu",instance="",job="api"} 600 600000'
    ]


async def test_names_and_values_of_any_letters_are_written_so_that_they_are_read(federate, metrics_source):
    labels = labels_of({"__name__": "http.requests", "a b": 'say "hi"\n'})
    metrics_source.add(DEFAULT_TENANT, labels, [(600_000, float("inf"))])
    answer = await federate('{"http.requests"}')
    assert answer.text == (
        '# TYPE "http.requests" untyped\n'
        '{"http.requests","a b"="say \\"hi\\"\\n",cluster="eu",instance="",job="of nobody"} +Inf 600000\n'
    )


async def test_a_request_without_selectors_and_one_with_a_query_are_refused(federate):
    assert (await federate()).status_code == 400
    assert (await federate("sum(up)")).status_code == 400
    assert (await federate("{}")).status_code == 400
