# ruff: noqa: ASYNC110 -- threads and a server of another kind tell nobody when they are done
"""A source that fails shows as a metric, keeps or drops its last values as its file says, and harms no other."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import httpx
import pytest

from holdfast.telemetry.metrics.exporter import build_app


def document(url, **more):
    source = {
        "name": "queue",
        "http": {"url": url},
        "json": {},
        "metrics": [{"name": "depth", "help": "Depth.", "value": "$.depth"}],
        **more,
    }
    steady = {
        "name": "steady",
        "static": {"items": [{"a": 1}]},
        "metrics": [{"name": "steady", "help": "Steady.", "value": "a"}],
    }
    return {"sources": [source, steady], "parallel": 2}


class HandClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self):
        self.at_s = 1000.0

    def monotonic(self):
        return self.at_s

    def now(self):
        return datetime.fromtimestamp(self.at_s, UTC)

    async def sleep(self, seconds):
        await asyncio.sleep(0)
        self.at_s += seconds


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/gone", None, "status"),
        ("/broken", (500, b"{}"), "status"),
        ("/text", (200, b"<html>"), "parse"),
        ("/large", (200, b'{"depth": "' + b"x" * 5000 + b'"}'), "too_large"),
        ("/hang", (200, b"{}"), "timeout"),
    ],
)
async def test_each_way_to_fail_has_a_word(export, server, path, answer, kind):
    if answer:
        server.answers[path] = answer
    opened = await export(document(server.url + path, timeout="200ms", max_bytes="4kB")).look()
    samples = opened.samples()
    assert samples["exporter_source_up", "queue"] == 0
    assert samples["exporter_source_failing", *sorted((kind, "queue"))] == 1
    assert samples["exporter_source_errors_total", *sorted((kind, "queue"))] == 1
    assert ("exporter_source_last_success_timestamp_seconds", "queue") not in samples
    assert ("depth",) not in samples
    assert samples["exporter_source_up", "steady"] == samples["steady",] == 1


async def test_nobody_there_and_a_refused_address(export):
    opened = await export(document("http://127.0.0.1:1/")).look()
    assert opened.state("queue").error_kind == "unreachable"
    opened = await export(document("http://169.254.169.254/latest/meta-data")).look()
    assert opened.state("queue").error_kind == "refused"


async def test_a_secret_never_shows_in_an_error(export):
    opened = await export(document("http://127.0.0.1:1/?token=${env:TOKEN}"), TOKEN="s3cret-s3cret").look()
    assert "s3cret" not in opened.state("queue").error
    opened = await export(document("http://127.0.0.1:1/?token=${env:MISSING}")).look()
    assert "MISSING" in opened.state("queue").error


async def test_last_good_values_are_dropped_unless_the_file_says_keep(export, server):
    server.answers["/q"] = (200, b'{"depth": 3}')
    opened = await export(document(f"{server.url}/q")).look()
    assert opened.samples()["depth",] == 3
    server.answers.clear()
    await opened.look()
    assert ("depth",) not in opened.samples()
    server.answers["/q"] = (200, b'{"depth": 4}')
    await opened.look()
    assert opened.samples()["depth",] == 4
    assert opened.samples()["exporter_source_up", "queue"] == 1
    assert opened.samples()["exporter_source_looks_total", "queue"] == 3


async def test_last_good_values_are_kept_for_as_long_as_the_file_says(export, server):
    clock = HandClock()
    server.answers["/q"] = (200, b'{"depth": 3}')
    opened = await export(document(f"{server.url}/q", on_error="keep", keep_for="10m"), clock=clock).look()
    server.answers.clear()
    clock.at_s += 300
    await opened.look()
    samples = opened.samples()
    assert samples["depth",] == 3
    assert samples["exporter_source_stale", "queue"] == 1
    assert samples["exporter_source_last_success_timestamp_seconds", "queue"] == 1000
    clock.at_s += 301
    samples = opened.samples()
    assert ("depth",) not in samples
    assert samples["exporter_source_stale", "queue"] == 0


async def test_too_many_series_and_labels_that_are_too_long(export, server, tmp_path):
    rows = "".join(f"{number} 1\n" for number in range(20))
    (tmp_path / "rows").write_text(rows)
    table = {
        "name": "rows",
        "file": {"path": "rows"},
        "columns": {"names": ["id", "n"]},
        "metrics": [{"name": "n", "help": "N.", "value": "n", "labels": {"id": "id"}}],
    }
    opened = await export({"sources": [{**table, "max_series": 19}]}).look()
    assert opened.state("rows").error_kind == "too_many_series"
    (tmp_path / "rows").write_text(f"{'x' * 2000} 1\na 1\na 2\n")
    opened = await export({"sources": [table]}).look()
    samples = opened.samples()
    assert samples["n", "a"] == 1
    assert samples["exporter_source_dropped_total", "label", "rows"] == 1
    assert samples["exporter_source_dropped_total", "duplicate", "rows"] == 1


async def test_files_that_are_missing_too_large_or_pipes(export, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 2000)
    kinds = {}
    for name in ("missing", "pipe", "large"):
        source = {
            "name": name,
            "file": {"path": name},
            "max_bytes": "1kB",
            "json": {},
            "metrics": [{"name": "a", "help": "A.", "value": "$.a"}],
        }
        kinds[name] = (await export({"sources": [source]}).look()).state(name).error_kind
    assert kinds == {"missing": "unreachable", "pipe": "unreachable", "large": "too_large"}


async def test_many_sources_are_read_at_once_within_the_bound(export, server):
    names = [f"s{number}" for number in range(6)]
    sources = [
        {
            **document(f"{server.url}/hang", timeout="5s")["sources"][0],
            "name": name,
            "metrics": [{"name": f"depth_{name}", "help": "Depth.", "value": "$.depth"}],
        }
        for name in names
    ]
    server.answers["/hang"] = (200, b'{"depth": 1}')
    opened = export({"sources": sources, "parallel": 3})
    looking = asyncio.create_task(opened.look())
    while len(server.asked) < 3:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    assert len(server.asked) == 3
    server.released.set()
    await looking
    assert all(opened.state(name).is_up for name in names)


async def test_sources_are_looked_at_as_often_as_they_say(export):
    clock = HandClock()
    steady = document("http://127.0.0.1:1/")["sources"][1]
    opened = export({"sources": [{**steady, "every": "10s"}]}, clock=clock)
    running = asyncio.create_task(opened.poller.run())
    while opened.state("steady").looks < 11:
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    passed = (clock.at_s - 1000) // 10
    assert opened.state("steady").looks in {passed, passed + 1}  # the last look may be under way, or slept after


async def test_it_serves_metrics_health_and_a_page(export, server):
    server.answers["/q"] = (500, b"<script>")
    opened = export(document(f"{server.url}/q"))
    app = build_app(opened.exporter)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
        assert (await client.get("/readyz")).status_code == 503
        async with app.router.lifespan_context(app):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.005)
            text = (await client.get("/metrics")).text
            page = (await client.get("/")).text
            opened_text = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
        assert (await client.get("/livez")).text == "ok\n"
    assert 'exporter_source_up{source="queue"} 0.0' in text
    assert "steady 1.0" in text
    assert "process_threads" in text
    assert "<td>queue</td><td>status</td>" in page
    assert opened_text.text.endswith("# EOF\n")
