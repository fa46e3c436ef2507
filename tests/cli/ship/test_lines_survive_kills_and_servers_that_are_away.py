"""`holdfast ship` as a process: killed at any moment, with a server that refuses or is gone, no line is lost."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from fixtures.forks import Forked
from holdfast.cli.ship.spool import Spool
from holdfast.kernel.errors import ConflictError, InvalidError


class LokiStandIn(http.server.ThreadingHTTPServer):
    """Takes pushes as Loki does; `refusals` are statuses that it gives first."""

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.records = []
        self.refusals = []
        self.repeats = []
        self.pushes = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def lines(self):
        return [record[2] for record in self.records]

    def end(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.pushes += 1
        self.server.repeats.append(self.headers.get("x-holdfast-repeated"))
        if self.server.refusals:
            self.send_response(self.server.refusals.pop(0))
            self.send_header("retry-after", "0")
        else:
            for stream in json.loads(gzip.decompress(body))["streams"]:
                labels = tuple(sorted(stream["stream"].items()))
                self.server.records += [
                    (labels, ts, line, tuple(sorted(pairs.items()))) for ts, line, pairs in stream["values"]
                ]
            self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def loki():
    server = LokiStandIn()
    yield server
    server.end()


def start(loki_url, state, *arguments):
    environ = {**os.environ, "HOLDFAST_TOKEN": "hf_x"}
    return Forked("ship", "--to", loki_url, "--state", str(state), *arguments, stderr=subprocess.PIPE, env=environ)


def finish(loki_url, state, *arguments, code=0):
    process = start(loki_url, state, "--once", *arguments)
    told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code, told
    return told


def wait_for(condition):
    while not condition():
        time.sleep(0.02)


@pytest.mark.slow
def test_no_line_is_lost_by_kills(tmp_path, loki):
    log, state = tmp_path / "shop.log", tmp_path / "state"
    chance, written = random.Random(7), 0
    for _ in range(6):
        process = start(loki.url, state, str(tmp_path / "shop.log*"))
        pushes = loki.pushes
        for _ in range(chance.randrange(5, 30)):
            with log.open("a") as file:
                file.writelines(f"line {written + number}\n" for number in range(100))
            written += 100
            time.sleep(chance.random() * 0.02)
        wait_for(lambda seen=pushes: loki.pushes > seen)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if chance.random() < 0.5:
            log.rename(tmp_path / f"shop.log.{written}")
    finish(loki.url, state, str(tmp_path / "shop.log*"))

    distinct = set(loki.records)  # what was sent again is the same to the byte, so the server drops it
    assert sorted(record[2] for record in distinct) == sorted(f"line {number}" for number in range(written))


@pytest.mark.slow
def test_a_server_that_refuses_gets_it_later(tmp_path, loki):
    (tmp_path / "a.log").write_text("one\ntwo\n")
    loki.refusals = [503, 429, 401, 500]
    told = finish(loki.url, tmp_path / "state", str(tmp_path / "a.log"))

    assert loki.lines() == ["one", "two"]
    assert "401" in told
    assert loki.repeats == [None, "true", "true", "true", "true"]
    finish(loki.url, tmp_path / "state", str(tmp_path / "a.log"))
    assert loki.lines() == ["one", "two"]


@pytest.mark.slow
def test_lines_wait_on_the_disk_while_the_server_is_away(tmp_path):
    gone = LokiStandIn()
    gone.end()
    log, state = tmp_path / "a.log", tmp_path / "state"
    log.write_text("one\n")
    process = start(gone.url, state, str(log))
    assert "does not answer" in process.stderr.readline().decode()  # only what was tried is sent again
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    log.unlink()

    back = LokiStandIn(gone.server_address[1])
    told = finish(back.url, state, str(log), code=2)
    assert f"{log}: there is no such file" in told
    assert back.lines() == ["one"]
    assert back.repeats == ["true"]
    back.end()


@pytest.mark.slow
def test_what_cannot_be_read_is_told_once_the_rest_is_shipped(tmp_path, loki):
    (tmp_path / "a.log").write_text("one\n")
    (tmp_path / "loop.log").symlink_to(tmp_path / "loop.log")
    names = [str(tmp_path / name) for name in ("gone.log", "loop.log", "", "*.txt", "a.log")]
    told = finish(loki.url, tmp_path / "state", *names, code=2)

    assert loki.lines() == ["one"]
    for name, words in zip(
        names, ("no such file", "symbolic links", "it is a folder", "no file matches"), strict=False
    ):
        assert f"error: {name.rstrip('/')}: " in told
        assert words in told


JOURNALCTL = """#!{python}
import json, sys, time
after = next((each.split("=")[1] for each in sys.argv if each.startswith("--after-cursor=")), "c0")
for number in range(int(after[1:]) + 1, 6):
    print(json.dumps({{
        "__CURSOR": f"c{{number}}", "__REALTIME_TIMESTAMP": str(1700000000000000 + number), "PRIORITY": "3",
        "_SYSTEMD_UNIT": "shop.service", "_HOSTNAME": "web-1", "_PID": "7",
        "MESSAGE": f"entry {{number}}" if number % 2 else [104, 105],
    }}), flush=True)
print("-- no JSON", flush=True)
time.sleep({lives})
"""


@pytest.mark.slow
@pytest.mark.parametrize("lives", [0, 60])
def test_the_journal_is_followed_by_its_cursor(tmp_path, loki, lives):
    program, state = tmp_path / "journalctl", tmp_path / "state"
    program.write_text(JOURNALCTL.format(python=sys.executable, lives=lives))
    program.chmod(0o755)
    for _ in range(2):
        process = start(loki.url, state, "--journald", "--journalctl", str(program))
        wait_for(lambda: len(loki.records) >= 5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert loki.lines() == ["entry 1", "hi", "entry 3", "hi", "entry 5"]
    labels, ts, _, pairs = loki.records[0]
    assert (labels, ts) == ((("service_name", "shop"),), "1700000000000001000")
    assert dict(pairs) == {"host_name": "web-1", "process_pid": "7", "detected_level": "error"}


def test_the_spool_keeps_batches_and_positions_over_a_restart(tmp_path):
    spool = Spool(tmp_path, 10_000)
    spool.append(b"one", {"journald": {"cursor": "1"}})
    spool.append(b"two", {"journald": {"cursor": "2"}})
    spool.drop(spool.oldest()[0])
    (tmp_path / "0000000000000009.batch.tmp").write_bytes(b"torn")
    spool.close()

    spool = Spool(tmp_path, 10_000)
    number, body = spool.oldest()
    assert (gzip.decompress(body), spool.positions, len(spool)) == (b"two", {"journald": {"cursor": "2"}}, 1)
    spool.drop(number)
    spool.close()
    again = Spool(tmp_path, 10_000)
    assert (again.positions, again.oldest()) == ({"journald": {"cursor": "2"}}, None)
    again.append(b"three", {"journald": {"cursor": "3"}})
    assert again.oldest()[0] > number
    again.close()


def test_the_spool_is_bounded_and_of_one_process(tmp_path):
    spool = Spool(tmp_path, 200)
    assert not spool.is_full
    spool.append(os.urandom(300), {})
    assert spool.is_full
    with pytest.raises(ConflictError, match="another process"):
        Spool(tmp_path, 200)
    spool.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("positions.json", "{"),
        ("positions.json", "[]"),
        ("positions.json", '{"number": 1, "positions": {"1:2": 5}}'),
        (
            "positions.json",
            '{"number": 1, "positions": {"1:2": {"path": "a", "head": "x", "head_length": -1, "offset": 0}}}',
        ),
        ("0000000000000001.batch", ""),
        ("0000000000000001.batch", "[5]\nx"),
        ("0000000000000001.batch", "junk\nx"),
    ],
)
def test_broken_positions_are_told_by_file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "somebody-elses.batch").write_text("is left alone")
    for _ in range(2):  # the folder is free again
        with pytest.raises(InvalidError, match=name):
            Spool(tmp_path, 200)
