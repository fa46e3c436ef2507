"""Workers of one server (gunicorn, uvicorn --workers): whichever is asked tells of all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WORKER = """
import asyncio, sys
from holdfast.instrument import WsgiMiddleware, encode_metrics
from prometheus_client import REGISTRY

def shop(environ, start_response):
    environ["holdfast.route"] = "/orders/<id>"
    start_response("200 OK", [])
    return [b"paid"]

app = WsgiMiddleware(shop, service="shop")
for _ in range(int(sys.argv[1])):
    body = app({"REQUEST_METHOD": "GET", "PATH_INFO": "/orders/7"}, lambda status, headers: None)
    list(body)
    body.close()
text, _ = encode_metrics(REGISTRY, "application/openmetrics-text; version=1.0.0", sys.argv[2:])
print(text.decode(), end="")
"""


@pytest.fixture
def worker(tmp_path):
    def run(requests, *names):
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        command = [sys.executable, "-c", WORKER, str(requests), *names]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout

    return run


def test_each_worker_tells_what_all_have_counted(worker):
    worker(3)
    told = worker(2)
    labels = 'method="GET",route="/orders/<id>",service="shop"'
    assert f'http_server_requests_total{{{labels},status="200"}} 5.0' in told
    assert f"http_server_request_duration_seconds_count{{{labels}}} 5.0" in told
    assert "# UNIT http_server_request_duration_seconds seconds" in told
    assert told.endswith("# EOF\n")


def test_workers_that_answer_requests_now_are_one_number_without_their_process(worker):
    (line,) = (line for line in worker(1).splitlines() if line.startswith("http_server_active_requests{"))
    assert line == 'http_server_active_requests{service="shop"} 0.0'


def test_names_may_be_chosen_there_too(worker):
    told = worker(1, "http_server_requests_total")
    assert "http_server_requests_total{" in told
    assert "http_server_request_duration_seconds" not in told


INNER = """
import asyncio, os, sys
from prometheus_client import REGISTRY, Counter, values

if len(sys.argv) > 2:
    values.ValueClass = values.MultiProcessValue(lambda: sys.argv[2])
from holdfast.instrument import encode_metrics, in_progress, watch_event_loop

done = Counter("exports", "Exports written.")

@in_progress("exports_in_progress", "Exports being written.")
async def export(stop):
    done.inc()
    if stop == "die":
        os._exit(9)
    text = ""
    while not text or 'asyncio_tasks{loop="main"} 0.0' in text:
        await asyncio.sleep(0.01)
        text = encode_metrics(REGISTRY)[0].decode()
    print(text, end="")

async def main():
    end = watch_event_loop(beat_s=0.01)
    await export(sys.argv[1])
    end()

asyncio.run(main())
"""


@pytest.fixture
def exports(tmp_path):
    def run(end, *name):
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        command = [sys.executable, "-c", INNER, end, *name]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == (9 if end == "die" else 0), done.stderr
        return done.stdout.splitlines()

    return run


def test_what_goes_on_is_told_of_the_workers_that_live(exports):
    exports("die")
    told = exports("tell")
    assert "exports_total 2.0" in told
    assert "exports_in_progress 1.0" in told
    assert 'asyncio_tasks{loop="main"} 1.0' in told


def test_of_workers_that_are_not_called_by_their_process_nobody_knows_that_they_are_gone(exports):
    exports("die", "99999991")
    assert "exports_in_progress 2.0" in exports("tell", "99999992")
