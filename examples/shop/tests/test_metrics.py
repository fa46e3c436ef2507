"""What a service shows to Prometheus: all its parts, in OpenMetrics with exemplars; promtool has nothing to say."""

import asyncio
import shutil
import subprocess
from functools import partial

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from shop_harness import running

from shop.catalog import build
from shop.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}


async def test_a_service_shows_its_parts_in_openmetrics_with_exemplars(settings: Settings) -> None:
    async with running(build(settings)) as client:
        await client.get("/products/COF-001", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
        answer = await client.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    parts = {"db_client_operation_duration_seconds", "executor_calls", "cache_hits", "asyncio_loop_lag_seconds"}
    assert parts | {"process_threads", "http_server_requests"} <= set(families)
    duration = families["http_server_request_duration_seconds"]
    assert duration.unit == "seconds"
    assert TRACE in {sample.exemplar.labels["trace_id"] for sample in duration.samples if sample.exemplar}


async def test_promtool_has_nothing_to_say(settings: Settings) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    async with running(build(settings)) as client:
        await client.get("/products/COF-001")
        text = (await client.get("/metrics")).content
    lint = partial(subprocess.run, ["promtool", "check", "metrics"], capture_output=True, check=False)
    told = await asyncio.to_thread(lint, input=text)
    assert (told.returncode, told.stderr) == (0, b"")
