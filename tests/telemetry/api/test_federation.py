"""`/prometheus/federate` as a Prometheus above scrapes it: what comes, in which form, and what is left out."""

from __future__ import annotations

from dataclasses import replace
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
from holdfast.telemetry.metrics.api import Federation, Origins, count_left_out, surface
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.exposition import (
    DEFAULT_PROTOCOLS,
    NATIVE_PROTOCOLS,
    Protocol,
    accept_header,
    negotiated,
    parse_page,
)
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.promql.histograms import parse_histogram
from holdfast.telemetry.metrics.queries import QueryDesk, QueryMetrics, QuerySettings
from holdfast.telemetry.metrics.scrape import TargetBoard
from holdfast.telemetry.metrics.scrape.config import ScrapeConfiguration

UTF8 = accept_header(DEFAULT_PROTOCOLS, "allow-utf-8")
NATIVE = accept_header(NATIVE_PROTOCOLS, "allow-utf-8")


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
async def federate(metrics_source, registry):
    clock = FakeClock(datetime.fromtimestamp(607, UTC))
    desk = QueryDesk(Engine(metrics_source), QuerySettings(), clock, QueryMetrics(CollectorRegistry()))
    board = TargetBoard(dict, lambda: ScrapeConfiguration(external_labels={"cluster": "eu", "job": "of nobody"}))
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(surface([], Origins(()), Federation(desk, board, clock, count_left_out(registry))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:

        async def ask(*selectors, accept="*/*"):
            params = [("match[]", one) for one in selectors]
            return await client.get("/prometheus/federate", params=params, headers={"accept": accept})

        yield ask


async def test_the_newest_samples_come_with_their_own_times_and_the_external_labels(federate):
    answer = await federate('{__name__=~"requests.*"}', 'requests_total{job="api"}')
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert answer.text == (
        "# TYPE requests_total untyped\n"
        'requests_total{cluster="eu",instance="",job="api"} 600 600000\n'
        'requests_total{cluster="eu",instance="",job="web"} 600 600000\n'
    )
    assert [family.name for family in text_string_to_metric_families(answer.text)] == ["requests_total"]


async def test_what_ended_is_left_out_and_that_native_histograms_are_is_told(federate, metrics_source, registry):
    import numpy as np  # noqa: PLC0415 -- for one number

    stale = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])
    ended = labels_of({"__name__": "requests_total", "job": "web"})
    metrics_source.add(DEFAULT_TENANT, ended, [(605_000, stale)])
    answer = await federate("requests_total", "latency")
    assert [line for line in answer.text.splitlines() if not line.startswith("#")] == [
        'requests_total{cluster="eu",instance="",job="api"} 600 600000'
    ]
    assert answer.text.splitlines()[-1].startswith(
        "# native histograms have no form in this format, 1 are left out: a scrape with scrape_native_histograms: true"
    )
    assert list(parse_page(answer.content, Protocol.TEXT).samples())
    assert registry.get_sample_value("holdfast_metrics_federation_histograms_left_out_total") == 1


async def test_native_histograms_come_by_protobuf(federate, metrics_source, registry):
    gauge = parse_histogram("{{schema:2 sum:-1 count:3 z_bucket:1 z_bucket_w:0.5 n_offset:-1 n_buckets:[1 0 1]}}")
    half = parse_histogram("{{schema:1 sum:4 count:2.5 buckets:[1.5 0 1]}}")
    values = {
        "none": Histogram(),
        "gauge": replace(gauge, hint=ResetHint.GAUGE),
        "whole": gauge,
        "half": half,
        "own": Histogram(-53),
    }
    for job, value in values.items():
        metrics_source.add(DEFAULT_TENANT, labels_of({"__name__": "latency", "job": job}), [(601_000, value)])
    metrics_source.add(DEFAULT_TENANT, labels_of({"__name__": "latency", "job": "float"}), [(602_000, 7.0)])
    answer = await federate("latency", accept=NATIVE)
    page = parse_page(answer.content, negotiated(answer.headers["content-type"], None), is_native=True)
    assert [(family.name, family.type, len(family.samples)) for family in page.families] == [
        ("latency", "unknown", 1),
        ("latency", "histogram", 4),
        ("latency", "gaugehistogram", 1),
    ]
    found = {dict(sample.labels)["job"]: sample for sample in page.samples()}
    assert found["api"].histogram == parse_histogram("{{schema:0 sum:5 count:4 buckets:[1 2 1]}}")
    own = values.pop("own")
    assert own.is_custom
    assert "own" not in found
    assert {job: found[job].histogram for job in values} == values
    assert (found["float"].value, found["float"].ts_ms, dict(found["float"].labels)["cluster"]) == (7.0, 602_000, "eu")
    assert registry.get_sample_value("holdfast_metrics_federation_histograms_left_out_total") == 1  # that of job own


async def test_names_and_values_of_any_letters_are_written_so_that_they_are_read(federate, metrics_source):
    labels = labels_of({"__name__": "http.requests", "a b": 'say "hi"\n'})
    metrics_source.add(DEFAULT_TENANT, labels, [(600_000, float("inf"))])
    answer = await federate('{"http.requests"}', accept=UTF8)
    assert answer.headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    assert answer.text == (
        '# TYPE "http.requests" untyped\n'
        '{"http.requests","a b"="say \\"hi\\"\\n",cluster="eu",instance="",job="of nobody"} +Inf 600000\n'
    )


async def test_who_does_not_take_such_names_gets_underscores(federate, metrics_source):
    labels = labels_of({"__name__": "http.requests", "a b": "odd", "c:d": "1", "c_d": "2"})
    metrics_source.add(DEFAULT_TENANT, labels, [(600_000, 1.0)])
    answer = await federate('{"http.requests"} # the selector ends with a comment', accept="text/plain")
    assert answer.text == (
        "# TYPE http_requests untyped\n"
        'http_requests{a_b="odd",c_d="2",cluster="eu",instance="",job="of nobody"} 1 600000\n'
    )


async def test_metrics_that_are_told_alike_are_one_family(federate, metrics_source):
    for name, job in (("up.time", "a"), ("up.times", "a"), ("up_time", "100%s")):
        metrics_source.add(DEFAULT_TENANT, labels_of({"__name__": name, "job": job}), [(600_000, 1.0)])
    answer = await federate('{__name__=~"up.time.?"}', accept="text/plain")
    assert answer.text == (
        "# TYPE up_time untyped\n"
        'up_time{cluster="eu",instance="",job="a"} 1 600000\n'
        'up_time{cluster="eu",instance="",job="100%s"} 1 600000\n'
        "# TYPE up_times untyped\n"
        'up_times{cluster="eu",instance="",job="a"} 1 600000\n'
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/plain;version=0.0.4;q=0.5, application/vnd.google.protobuf;q=0.9", "text/plain"),
        ("text/plain;q=0, application/openmetrics-text;version=1.0.0", "text/plain"),
        (NATIVE, "application/vnd.google.protobuf"),
        (NATIVE + ",text/plain;q=0.99", "text/plain"),
        (";;q=x,,", "text/plain"),
    ],
)
async def test_the_form_is_what_the_scraper_likes_best_of_what_there_is(federate, accept, kind):
    answer = await federate("requests_total", accept=accept)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)


async def test_a_request_without_selectors_and_one_with_a_query_are_refused(federate):
    assert (await federate()).status_code == 400
    assert (await federate("sum(up)")).status_code == 400
    assert (await federate("{}")).status_code == 400
