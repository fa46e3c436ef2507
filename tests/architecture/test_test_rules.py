"""The rules that tests themselves live by: they stay on this machine; a missing server is never silent."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import services
from fixtures.network import NetworkRefusedError


def test_a_test_cannot_connect_to_another_machine():
    with socket.socket() as probe, pytest.raises(NetworkRefusedError, match=r"192\.0\.2\.1"):
        probe.connect(("192.0.2.1", 80))


def test_a_test_cannot_send_a_datagram_to_another_machine():
    with socket.socket(type=socket.SOCK_DGRAM) as probe, pytest.raises(NetworkRefusedError):
        probe.sendto(b"x", ("192.0.2.1", 53))


def test_a_test_cannot_look_a_public_name_up():
    with pytest.raises(NetworkRefusedError, match=r"www\.wikipedia\.org"):
        socket.getaddrinfo("www.wikipedia.org", 443)


def test_reserved_names_fail_as_they_do_everywhere():
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 443)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_a_missing_server_skips_and_says_which(monkeypatch):
    monkeypatch.delenv("HOLDFAST_TEST_SERVICES", raising=False)
    monkeypatch.setenv("HOLDFAST_TEST_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(pytest.skip.Exception, match=r"redis does not answer at 127\.0\.0\.1:1"):
        services.require_service("redis")


def test_a_missing_server_fails_where_servers_are_required(monkeypatch):
    monkeypatch.setenv("HOLDFAST_TEST_SERVICES", "require")
    monkeypatch.setenv("HOLDFAST_TEST_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(pytest.fail.Exception, match="HOLDFAST_TEST_REDIS_URL"):
        services.require_service("redis")


def test_a_postgres_database_of_a_test_is_empty(postgres_database_url):
    import psycopg  # noqa: PLC0415 -- only this test needs the driver

    with psycopg.connect(postgres_database_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


FAILS_AND_HANGS = """
import asyncio, pytest

@pytest.fixture
async def gate():
    yield
    await asyncio.Event().wait()

@pytest.fixture
async def second_gate():
    yield
    await asyncio.Event().wait()

async def test_that_fails(gate, second_gate):
    assert False

def test_that_comes_after():
    pass
"""


def test_fixtures_that_hang_after_a_failed_test_are_named_and_the_next_test_runs(tmp_path):
    (tmp_path / "test_hung.py").write_text(FAILS_AND_HANGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\ntimeout = 1\nfaulthandler_timeout = 60\n")
    options = ["-p", "fixtures.hung_teardowns", "-p", "no:randomly", "-p", "no:cacheprovider", "-rA", "--tb=no"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "ERROR test_hung.py::test_that_fails - " in run.stdout
    assert "PASSED test_hung.py::test_that_comes_after" in run.stdout
