"""What a whole server shows at /metrics: help and a unit on each metric, and nothing for Prometheus' linter to say."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from functools import partial

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.settings import load

UNITS = ("seconds", "bytes", "ratio", "celsius")


@pytest.mark.slow
async def test_every_metric_has_help_and_unit_and_passes_promtool(tmp_path):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    place = {"data": str(tmp_path / "data"), "ops": str(tmp_path / "ops")}
    holdfast = await app.build(load(SECTIONS, environ={}, overrides={"server": place}), {})
    try:
        front = web.build(holdfast)
        await holdfast.start()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://127.0.0.1") as client:
            await client.get("/livez")
            plain = await client.get("/metrics")
            accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
            opened = await client.get("/metrics", headers={"accept": accept})
    finally:
        await holdfast.stop()
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert opened.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    lint = partial(subprocess.run, ["promtool", "check", "metrics"], capture_output=True, check=False)
    told = await asyncio.to_thread(lint, input=plain.content)
    assert (told.returncode, told.stderr) == (0, b"")
    families = list(text_string_to_metric_families(opened.text))
    assert {"process_threads", "asyncio_loop_lag_seconds"} <= {family.name for family in families}
    for family in families:
        assert family.documentation, family.name
        unit = family.name.rpartition("_")[2]
        assert family.unit == (unit if unit in UNITS else ""), family.name
