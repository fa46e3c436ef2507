"""Celery: a real worker with child processes, on Redis and on RabbitMQ, seen from outside."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from holdfast import journal
from holdfast.instrument import watch_celery

APP = """
import os, pathlib, time
from celery import Celery
from celery.exceptions import Ignore, Reject
from celery.signals import worker_ready
from prometheus_client import start_http_server
from holdfast import instrument, journal

app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(task_default_queue=os.environ["QUEUE"], task_default_routing_key=os.environ["QUEUE"],
                worker_prefetch_multiplier=4, task_acks_late=False, broker_connection_retry_on_startup=True)
if os.environ.get("IS_WORKER"):
    instrument.watch_celery(app)

    @worker_ready.connect
    def show(**_):
        server, _ = start_http_server(0, "127.0.0.1")
        pathlib.Path("port.part").write_text(str(server.server_port))
        os.rename("port.part", "port")

@app.task(name="shop.add")
def add(a, b):
    time.sleep(0.05)
    return [a + b, journal.correlation_id(), os.getpid()]

@app.task(name="shop.fail")
def fail():
    raise LookupError("no")

@app.task(name="shop.again", bind=True, max_retries=3, default_retry_delay=0)
def again(self):
    if self.request.retries < 2:
        raise self.retry()
    return "done"

@app.task(name="shop.hang", time_limit=1)
def hang():
    time.sleep(30)

@app.task(name="shop.ignore")
def ignore():
    raise Ignore

@app.task(name="shop.crash", acks_late=False)
def crash():
    os._exit(1)
"""


class Worker:
    """A worker that was started, the app on this side, and what the worker shows."""

    def __init__(self, module):
        self.shop = module
        self.port = 0

    def figure(self, name, **labels):
        """Give the sum of the worker's samples of this name and with these labels."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def show(self):
        lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text.splitlines()
        return "\n".join(line for line in lines if line.startswith("celery_task") and "bucket" not in line)

    def wait_for(self, value, name, **labels):
        """Wait until a figure has come to a value."""
        until_s = time.monotonic() + 20
        while (found := self.figure(name, **labels)) != value:
            assert time.monotonic() < until_s, f"{name} {labels} is {found}, not {value}: {self.show()}"
            time.sleep(0.02)


@pytest.fixture(params=["redis_url", "rabbitmq_url"])
def worker(request, redis_url, tmp_path, monkeypatch):
    broker = request.getfixturevalue(request.param)
    name = f"celery_shop_{uuid.uuid4().hex[:8]}"
    (tmp_path / f"{name}.py").write_text(APP)
    environment = {"BROKER": broker, "BACKEND": redis_url, "QUEUE": name}
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "celery", "-A", name, "worker", "-c", "2", "-l", "warning"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment, "PYTHONPATH": path, "IS_WORKER": "1"},
            stdout=log,
            stderr=log,
            cwd=tmp_path,
        )
    worker = Worker(load(tmp_path / f"{name}.py", name))
    try:
        worker.port = wait_until_ready(process, tmp_path)
        yield worker
    finally:
        with worker.shop.app.connection_for_write() as connection:
            connection.default_channel.queue_delete(name)
        worker.shop.app.close()
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def load(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wait_until_ready(process, folder):
    """Give the port at which the worker shows its metrics."""
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s and process.poll() is None:
        if (folder / "port").exists():
            return int((folder / "port").read_text())
        time.sleep(0.02)
    pytest.fail(f"the worker did not start: {(folder / 'worker.log').read_text()[-2000:]}", pytrace=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_worker_shows_what_its_children_do(worker):
    shop, registry = worker.shop, CollectorRegistry()
    stop = watch_celery(shop.app, registry)
    with journal.bind(correlation_id="req-1"):
        results = [shop.add.delay(1, number) for number in range(3)]
    values = [result.get(timeout=20) for result in results]
    assert [value[:2] for value in values] == [[1, "req-1"], [2, "req-1"], [3, "req-1"]]
    with pytest.raises(LookupError):
        shop.fail.delay().get(timeout=20)
    assert shop.again.delay().get(timeout=20) == "done"
    shop.ignore.delay()
    shop.crash.delay()
    shop.hang.delay()
    shop.app.send_task("shop.nobody_knows")
    stop()
    assert (
        registry.get_sample_value(
            "celery_tasks_sent_total", {"task": "shop.add", "queue": shop.app.conf.task_default_queue}
        )
        == 3
    )

    worker.wait_for(3, "celery_tasks_finished_total", task="shop.add", outcome="succeeded")
    worker.wait_for(1, "celery_tasks_finished_total", task="shop.fail", outcome="failed")
    worker.wait_for(1, "celery_task_failures_total", task="shop.fail", error="LookupError")
    worker.wait_for(2, "celery_tasks_finished_total", task="shop.again", outcome="retried")
    worker.wait_for(1, "celery_tasks_finished_total", task="shop.again", outcome="succeeded")
    worker.wait_for(2, "celery_task_retries_total", task="shop.again")
    worker.wait_for(1, "celery_tasks_finished_total", task="shop.ignore", outcome="ignored")
    worker.wait_for(1, "celery_tasks_finished_total", task="shop.crash", outcome="lost")
    worker.wait_for(1, "celery_tasks_finished_total", task="shop.hang", outcome="timed_out")
    worker.wait_for(1, "celery_task_failures_total", task="shop.hang", error="TimeLimitExceeded")
    worker.wait_for(1, "celery_messages_discarded_total", reason="unknown_task")
    worker.wait_for(0, "celery_tasks_active")
    worker.wait_for(0, "celery_tasks_waiting")
    assert worker.figure("celery_task_runtime_seconds_sum", task="shop.add") >= 0.15
    assert worker.figure("celery_task_runtime_seconds_count", task="shop.fail") == 1
    assert worker.figure("celery_task_queue_wait_seconds_count", task="shop.add") == 3
    assert worker.figure("celery_tasks_received_total") == 10
