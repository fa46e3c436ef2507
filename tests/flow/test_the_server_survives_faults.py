"""What happens to a running `holdfast up` when its surroundings are hostile."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from fixtures.forks import Forked

ENVIRON = {
    **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
    "PYTHONPATH": os.pathsep.join(sys.path),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(folder: Path, port: int) -> list[str]:
    (folder / "ops").mkdir(exist_ok=True)
    options = ["--data", str(folder / "data"), "--ops", str(folder / "ops"), "--auth", "off"]
    return [sys.executable, "-m", "holdfast.cli", "up", *options, "--listen", f"127.0.0.1:{port}"]


def get(port: int, path: str) -> Any:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return json.loads(answer.read())


def wait_ready(port: int, server: subprocess.Popen[str]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < 60:
        assert server.poll() is None, server.communicate()
        try:
            if get(port, "/readyz")["ready"]:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server was not ready within 60 s")


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = Forked(*command(folder, port)[3:], env=ENVIRON, **streams)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def refused(folder: Path, port: int, program: Path | None = None) -> str:
    """Start where that must fail, by default with a new interpreter, and give what is said."""
    argv = command(folder, port) if program is None else [str(program), *command(folder, port)[3:]]
    done = subprocess.run(argv, env=ENVIRON, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr


CHECKS = """\
checks:
  - name: itself
    kind: http
    every: 1s
    http: {url: "http://127.0.0.1:%d/livez", expect: {status: [200]}}
"""


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_sigkill(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "ops" / "checks").mkdir(parents=True)
    (tmp_path / "ops" / "checks" / "self.yaml").write_text(CHECKS % port)
    with server(tmp_path, port) as first:
        wait_ready(port, first)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            history = get(port, "/api/v1/checks/itself/history?limit=1000")["items"]
            if len(history) >= 3:
                break
            time.sleep(0.2)
        events = get(port, "/api/v1/events?after=0")["items"]
        assert len(history) >= 3
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    with server(tmp_path, port) as second:
        wait_ready(port, second)
        kept = get(port, "/api/v1/events?after=0")["items"]
        assert kept[: len(events)] == events
        again = {item["at"] for item in get(port, "/api/v1/checks/itself/history?limit=1000")["items"]}
        assert {item["at"] for item in history} <= again
        assert get(port, "/api/v1/checks/itself")["verdict"] == "up"


@pytest.mark.slow
def test_a_second_process_on_the_folder_is_refused_by_name(tmp_path: Path) -> None:
    port = free_port()
    with server(tmp_path, port) as first:
        wait_ready(port, first)
        told = refused(tmp_path, free_port())
        assert f"in use by process {first.pid}" in told
        assert "--data" in told


def test_a_port_in_use_is_named(tmp_path: Path, holdfast_command: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        told = refused(tmp_path, port, holdfast_command)
    assert f"port {port}" in told
    assert "--listen" in told


def unreadable_database(folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data" / "holdfast.db").write_bytes(b"half a database" * 500)
    return "not a readable SQLite database"


def future_schema(folder: Path) -> str:
    (folder / "data").mkdir()
    with sqlite3.connect(folder / "data" / "holdfast.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('events_9999')")
    connection.close()
    return "events_9999"


def unknown_key(folder: Path) -> str:
    return write_check(
        folder,
        "checks:\n  - name: a\n    kind: tcp\n    evry: 5s\n    tcp: {host: 127.0.0.1, port: 1}\n",
        "did you mean 'every'?",
    )


def wrong_type(folder: Path) -> str:
    return write_check(
        folder, "checks:\n  - name: a\n    kind: tcp\n    every: 5\n    tcp: {host: 127.0.0.1, port: 1}\n", "5s or 5ms"
    )


def half_written(folder: Path) -> str:
    return write_check(folder, "checks:\n  - name: a\n    kind: [tc", "not valid YAML")


def cyclic_parents(folder: Path) -> str:
    body = "{kind: tcp, tcp: {host: 127.0.0.1, port: 1}"
    text = f"checks:\n  - {body}, name: a, parents: [b]}}\n  - {body}, name: b, parents: [a]}}\n"
    return write_check(folder, text, "a")


def cyclic_dependency(folder: Path) -> str:
    (folder / "ops" / "services").mkdir(parents=True)
    entity = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {0}}}\n"
        "spec: {{type: service, lifecycle: production, owner: team, dependsOn: ['component:{1}']}}\n"
    )
    (folder / "ops" / "services" / "x.yaml").write_text(entity.format("a", "b") + "---\n" + entity.format("b", "a"))
    return "x.yaml"


def write_check(folder: Path, text: str, expected: str) -> str:
    (folder / "ops" / "checks").mkdir(parents=True)
    (folder / "ops" / "checks" / "bad.yaml").write_text(text)
    return expected


FAULTS: list[Callable[[Path], str]] = [
    unreadable_database,
    future_schema,
    unknown_key,
    wrong_type,
    half_written,
    cyclic_parents,
    cyclic_dependency,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_start_over_a_fault_is_refused_with_its_place(
    tmp_path: Path, holdfast_command: Path, fault: Callable[[Path], str]
) -> None:
    expected = fault(tmp_path)
    told = refused(tmp_path, free_port(), holdfast_command)
    assert expected in " ".join(told.split())
    if any((tmp_path / "ops").rglob("*.yaml")):
        assert ".yaml:" in told
