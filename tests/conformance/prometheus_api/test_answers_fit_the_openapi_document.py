"""Every answer of `/prometheus/api/v1` fits the OpenAPI document that Prometheus itself is described by.

But for strings: the document wants their time as a string too, and Prometheus writes a number, as we do.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
import yaml
from jsonschema import Draft202012Validator

from fixtures.conformance import cases

RANGE = {"query": "rate(requests_total[2m])", "start": "0", "end": "600", "step": "60"}
CALLS = [
    ("/query", {"query": "requests_total", "time": "600"}),
    ("/query", {"query": "requests_total[1m]", "time": "600", "stats": "all"}),
    ("/query", {"query": "latency", "time": "600"}),
    ("/query", {"query": "latency[1m]", "time": "600"}),
    ("/query", {"query": "1", "time": "600"}),
    ("/query", {"query": "histogram_quantile(2, latency)", "time": "600"}),
    ("/query", {"query": "1 +"}),
    ("/query_range", RANGE),
    ("/query_range", {**RANGE, "query": "latency", "stats": "all"}),
    ("/query_range", {"query": "up"}),
    ("/query_exemplars", {"query": "requests_total", "start": "0", "end": "600"}),
    ("/format_query", {"query": "1+1"}),
    (
        "/parse_query",
        {"query": "sum by (job) (rate(requests_total[5m] offset 1m)) / on (job) group_left (x) b > bool 1"},
    ),
    ("/series", {"match[]": "requests_total"}),
    ("/labels", {}),
    ("/label/{name}/values", {"name": "job"}),
    ("/metadata", {}),
    ("/rules", {}),
    ("/targets", {}),
    ("/targets/metadata", {}),
    ("/scrape_pools", {}),
    ("/scrape_pools/config", {"scrapePool": "none"}),
    ("/alerts", {}),
    ("/alertmanagers", {}),
    ("/notifications", {}),
    ("/features", {}),
    ("/status/buildinfo", {}),
    ("/status/config", {}),
    ("/status/flags", {}),
    ("/status/runtimeinfo", {}),
    ("/status/self_metrics", {}),
    ("/status/tsdb", {}),
    ("/status/tsdb/blocks", {}),
    ("/status/walreplay", {}),
]


@lru_cache(1)
def read_document(path):
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("described", cases(".", "prometheus-openapi-3.1.yaml"))
@pytest.mark.parametrize(
    ("path", "params"), CALLS, ids=lambda value: value if isinstance(value, str) else value.get("query", "")
)
async def test_an_answer_fits_its_schema(prometheus_api, described, path, params):
    document = read_document(described)
    operation = document["paths"][path]["get"]
    answer = await prometheus_api.get(path.format(**params), params=params)
    told = operation["responses"].get(str(answer.status_code), operation["responses"]["default"])
    schema = {**told["content"]["application/json"]["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(answer.json())
