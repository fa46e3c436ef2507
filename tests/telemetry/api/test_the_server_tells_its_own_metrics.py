"""`status/self_metrics`: the families of the process in the JSON of protobuf, which the library's own reader takes."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from google.protobuf import json_format
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary

from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.http import problems
from holdfast.telemetry.metrics.api import Origins, SelfMetricRoutes, surface
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family


@pytest.fixture
async def ask():
    registry = CollectorRegistry()
    Counter("jobs", "Jobs done.", ["kind"], registry=registry).labels("a").inc(3)
    Gauge("depth", "How deep.", registry=registry).set(float("inf"))
    Histogram("wait_seconds", "Waiting.", buckets=[0.5], registry=registry).observe(0.25)
    Summary("size", "Size.", registry=registry).observe(2)
    Info("build", "What it is.", registry=registry).info({"version": "1"})
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(surface([SelfMetricRoutes(registry)], Origins(())))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://127.0.0.1/prometheus/api/v1") as client:

        async def asked(**params):
            return await client.get("/status/self_metrics", params=params)

        yield asked


async def test_families_are_told_as_protobuf_has_them(ask):
    told = (await ask()).json()["data"]
    assert told == [
        {
            "name": "build_info",
            "help": "What it is.",
            "type": "GAUGE",
            "metric": [{"label": [{"name": "version", "value": "1"}], "gauge": {"value": 1.0}}],
        },
        {"name": "depth", "help": "How deep.", "type": "GAUGE", "metric": [{"gauge": {"value": "Infinity"}}]},
        {
            "name": "jobs_total",
            "help": "Jobs done.",
            "type": "COUNTER",
            "metric": [{"label": [{"name": "kind", "value": "a"}], "counter": {"value": 3.0}}],
        },
        {
            "name": "size",
            "help": "Size.",
            "type": "SUMMARY",
            "metric": [{"summary": {"sampleCount": "1", "sampleSum": 2.0, "quantile": []}}],
        },
        {
            "name": "wait_seconds",
            "help": "Waiting.",
            "type": "HISTOGRAM",
            "metric": [
                {
                    "histogram": {
                        "sampleCount": "1",
                        "sampleSum": 0.25,
                        "bucket": [
                            {"cumulativeCount": "1", "upperBound": 0.5},
                            {"cumulativeCount": "1", "upperBound": "Infinity"},
                        ],
                    }
                }
            ],
        },
    ]
    for family in told:
        json_format.ParseDict({**family, "type": 0}, metric_family()())  # our schema has numbers for the types


async def test_a_pattern_is_of_whole_names(ask):
    assert [one["name"] for one in (await ask(metric_name_pattern="jobs|.*_info")).json()["data"]] == ["build_info"]
    refused = await ask(metric_name_pattern="(")
    assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
