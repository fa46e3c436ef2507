"""Discovery: what ports say, what they are, and the checks that are written for them."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import typer
import yaml
from typer.testing import CliRunner

from holdfast.health import register_commands
from holdfast.health.checks import find_check_files, load_checks
from holdfast.health.discover import Listener, Recognised, look_at, propose, write_files
from holdfast.health.discover.listening import pick_listeners
from holdfast.health.kinds import KINDS
from holdfast.health.verdict import Verdict

PATIENCE_S = 0.3


def http(status: int, body: str = "", head: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}".encode()


async def ask(listener: Listener) -> Recognised | None:
    (found,) = await look_at([listener], PATIENCE_S)
    return found.what


MYSQL = b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(60)
MARIADB = b"\x4a\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-1\x00" + bytes(60)
AMQP = (
    b"\x01\x00\x00\x00\x00\x01\x00\x00\x0a\x00\x0a\x00\x09"
    b"\x00\x00\x00\x40\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8"
)


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", Recognised("ssh", "openssh", "9.2p1 Debian-2")),
        (b'INFO {"server_id":"x","version":"2.10.1"}\r\n', Recognised("nats", "nats", "2.10.1")),
        (MYSQL, Recognised("mysql", "mysql", "8.0.36")),
        (MARIADB, Recognised("mysql", "mariadb", "10.11.6-MariaDB-1")),
        (b"220 mail.example ESMTP Postfix\r\n", Recognised("smtp")),
        (b"220 (vsFTPd 3.0.3)\r\n", Recognised("ftp")),
        (b"* OK ready\r\n", Recognised("imap")),
        (b"hello?\n", Recognised("tcp")),
    ],
)
async def test_who_speaks_first_is_known_by_its_greeting(talk, greeting, expected):
    assert await ask(talk(greeting)) == expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({b"PING": b"+PONG\r\n"}, Recognised("redis", "redis")),
        ({b"PING": b"-NOAUTH Authentication required.\r\n"}, Recognised("redis", "redis", needs_login=True)),
        ({b"\x00\x00\x00\x08\x04\xd2": b"N"}, Recognised("postgres", "postgresql")),
        ({b"AMQP": AMQP}, Recognised("amqp", "rabbitmq", "3.10.8")),
        ({b"\x10": b"\x20\x02\x00\x00"}, Recognised("mqtt", "mqtt")),
        ({b"version": b"VERSION 1.6.18\r\n"}, Recognised("memcached", "memcached", "1.6.18")),
        ({b"PRI": b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + bytes(6)}, Recognised("grpc", "grpc")),
        ({}, None),
    ],
)
async def test_who_waits_to_be_asked_is_known_by_its_answer(talk, answers, expected):
    assert await ask(talk(answers=answers)) == expected


@pytest.mark.parametrize(
    ("answers", "product", "version"),
    [
        ({b"GET /-/healthy": http(200, "Prometheus Server is Healthy.\n")}, "prometheus", ""),
        ({b"GET /api/health": http(200, '{"database": "ok", "version": "11.1"}')}, "grafana", "11.1"),
        (
            {b"GET / ": http(200, '{"cluster_name": "c", "version": {"number": "8.14"}, "tagline": "x"}')},
            "elasticsearch",
            "8.14",
        ),
        ({b"GET /api/status": http(200, '{"version": {"number": "8.1"}, "status": {"overall": {}}}')}, "kibana", "8.1"),
    ],
)
async def test_products_behind_http_are_known_by_what_they_say_of_themselves(talk, answers, product, version):
    what = await ask(talk(answers={**answers, b"GET": http(404)}))
    assert (what.product, what.version) == (product, version)


async def test_a_web_server_is_asked_where_it_tells_its_health(talk):
    what = await ask(talk(answers={b"GET /healthz": http(200, "ok"), b"GET": http(404, head="Server: nginx/1.2\r\n")}))
    assert (what.protocol, what.version, what.paths) == ("http", "nginx 1.2", {"/healthz": 200})


async def test_a_known_process_is_not_asked_what_it_would_log(talk):
    listener = talk(answers={b"PING": b"+PONG\r\n"}, process="redis-server")
    assert (await ask(listener)).product == "redis"


@pytest.mark.parametrize("name", ["postgres", "mysql", "redis", "rabbitmq", "nats"])
async def test_the_real_products_are_recognised(request, name):
    url = urlsplit(request.getfixturevalue(f"{name}_url"))
    what = await ask(Listener(url.hostname, url.port))
    assert what.protocol == {"rabbitmq": "amqp"}.get(name, name)


async def check_for(listener: Listener):
    (proposal,) = await propose(await look_at([listener], PATIENCE_S), KINDS)
    return proposal


async def test_a_web_server_is_checked_by_its_health_address(talk):
    listener = talk(answers={b"GET /readyz": http(200), b"GET": http(404)}, process="gunicorn")
    proposal = await check_for(listener)
    assert (proposal.name, proposal.kind) == (f"gunicorn-{listener.port}", "http")
    assert proposal.section == {"url": f"http://127.0.0.1:{listener.port}/readyz"}
    assert proposal.observation.verdict is Verdict.UP


async def test_a_web_server_that_only_refuses_is_checked_for_that(talk):
    proposal = await check_for(talk(answers={b"GET": http(401)}))
    assert proposal.section["expect"] == {"status": [401]}
    assert proposal.observation.verdict is Verdict.UP


async def test_what_cannot_be_asked_more_is_watched_by_its_port(talk):
    proposal = await check_for(talk())
    assert (proposal.kind, proposal.observation.verdict) == ("tcp", Verdict.UP)


async def test_a_better_kind_that_fails_is_told_and_not_written(talk):
    proposal = await check_for(talk(greeting=b'INFO {"version":"2.10.1"}\r\n'))
    assert proposal.kind == "tcp"
    assert proposal.observation.verdict is Verdict.UP
    if "nats" in KINDS:
        assert "kind nats says more of it" in proposal.tried


async def test_files_are_valid_checks_and_never_overwritten(talk, tmp_path):
    proposals = [await check_for(talk(answers={b"GET": http(200)})), await check_for(talk(greeting=b"+OK\r\n"))]
    first = write_files(proposals, tmp_path, force=False)
    assert (len(first.new), first.kept) == (2, ())
    book = load_checks(find_check_files(tmp_path / "checks"), KINDS, root=tmp_path)
    assert {check.name for check in book.checks} == {proposal.name for proposal in proposals}
    first.new[0].write_text("# mine\n")
    again = write_files(proposals, tmp_path, force=False)
    assert (again.new, len(again.kept)) == ((), 2)
    assert first.new[0].read_text() == "# mine\n"
    assert len(write_files(proposals, tmp_path, force=True).new) == 2


def entry(ip, port, pid=None, family=socket.AF_INET):
    return SimpleNamespace(laddr=SimpleNamespace(ip=ip, port=port), pid=pid, family=family)


def test_each_port_is_listed_once_by_its_nearest_address():
    entries = [
        entry("::", 80, 1, socket.AF_INET6),
        entry("0.0.0.0", 80, 1),
        entry("192.0.2.7", 9000, 2),
        entry("::1", 6379, 3, socket.AF_INET6),
        entry("127.0.0.1", 6379, 3),
        entry("127.0.0.1", 22),
    ]
    listeners = pick_listeners(entries, lambda pid: f"process-{pid}" if pid else "")
    assert listeners == [
        Listener("127.0.0.1", 22, ""),
        Listener("127.0.0.1", 80, "process-1"),
        Listener("127.0.0.1", 6379, "process-3"),
        Listener("192.0.2.7", 9000, "process-2"),
    ]


def test_the_command_finds_tells_and_writes(talk, tmp_path):
    listener = talk(answers={b"GET": http(200)})
    cli = typer.Typer()
    cli.callback()(lambda: None)
    register_commands(cli, {}, print)
    arguments = ["discover", "--port", str(listener.port), "--patience", "0.3"]
    (found,) = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout)["found"]
    assert (found["port"], found["protocol"], found["verdict"]) == (listener.port, "http", "up")
    shown = CliRunner().invoke(cli, [*arguments, "--write", str(tmp_path)])
    assert "wrote 1 files" in shown.stdout
    (path,) = (tmp_path / "checks").iterdir()
    assert yaml.safe_load(path.read_text())["checks"][0]["kind"] == "http"
    assert "kept as they are" in CliRunner().invoke(cli, [*arguments, "--write", str(tmp_path)]).stdout
