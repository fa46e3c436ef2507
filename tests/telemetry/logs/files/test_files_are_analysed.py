"""Files of every format, whole and packed, and hostile ones: what is found in them without a server."""

from __future__ import annotations

import bz2
import gzip
import json
import random
import re

import pytest
from backports import zstd
from rich.console import Console
from typer.testing import CliRunner

from holdfast.cli.main import cli
from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.telemetry.logs.files import analysing, blocks, tally, writing
from holdfast.telemetry.logs.files.findings import find
from holdfast.telemetry.logs.files.formats import recognise

COMBINED = (
    '10.0.0.{n} - - [10/Oct/2025:13:{m:02d}:36 +0000] "GET /orders/{i} HTTP/1.1" {s} 17 "-" "curl/8 (x; \\"y\\")" {t}'
)
PYTHON = """\
2026-01-31 12:00:00,123 INFO shop.orders placed order 17
2026-01-31 12:01:00,456 ERROR shop.orders cannot place order 18
Traceback (most recent call last):
  File "shop.py", line 12, in place
    raise KeyError(18)
KeyError: 18

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "shop.py", line 20, in place
    raise shop.OrderError("no")
shop.OrderError: no
2026-01-31 12:02:00,000 WARNING shop.orders slow order 19
"""
JAVA = """\
2026-01-31 12:00:00.123  INFO 1 --- [main] o.s.Shop : started in 3 s
2026-01-31 12:00:01.123 ERROR 1 --- [http-1] o.s.Shop : order 7 failed
org.shop.OrderException: order 7
\tat org.shop.Place.run(Place.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.sql.SQLTimeoutException: 30 s
\tat org.shop.Db.query(Db.java:99)
\t... 12 more
2026-01-31 12:00:02.123  WARN 1 --- [http-1] o.s.Shop : slow
"""
CRI = """\
2026-01-31T12:00:00.123456789Z stdout F INFO placed order 1
2026-01-31T12:00:01.123456789Z stderr P ERROR cannot place
2026-01-31T12:00:01.123456799Z stderr P  order 2 of
2026-01-31T12:00:01.123456999Z stderr F  customer 3
2026-01-31T12:00:02.123456789Z stdout F INFO placed order 4
"""


@pytest.fixture
def analysed(tmp_path):
    def analyse(text, name="a.log", **more):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return find(analysing.analyse([path], **more))

    return analyse


def names(rows):
    return {row.name: row.count for row in rows}


def access(count, status=lambda i: 200, took=lambda i: "0.100"):
    return "".join(
        COMBINED.format(n=i % 3, m=i * 40 // count, i=i, s=status(i), t=took(i)) + "\n" for i in range(count)
    )


def test_access_logs_give_clients_paths_statuses_and_percentiles(analysed):
    found = analysed(access(300, lambda i: 500 if i % 10 == 0 else 200, lambda i: f"{i / 1000:.3f}"))
    assert set(found.files.values()) == {"access"}
    assert (found.lines, found.records, found.unread) == (300, 300, 0)
    assert names(found.statuses) == {"200": 270, "500": 30}
    assert names(found.clients) == {"10.0.0.0": 100, "10.0.0.1": 100, "10.0.0.2": 100}
    assert found.error_rate == pytest.approx(0.1)
    (path,) = found.paths
    assert (path.path, path.requests, path.errors) == ("/orders/<_>", 300, 30)
    assert path.slow.p50_s == pytest.approx(0.150, rel=0.02)
    assert found.slow.p95_s == pytest.approx(0.285, rel=0.02)
    assert found.slow.max_s == 0.299
    assert {each.pattern: each.count for each in found.patterns} == {
        "GET /orders/<_> 200": 270,
        "GET /orders/<_> 500": 30,
    }
    assert (found.first_at.isoformat(), found.last_at.minute) == ("2025-10-10T13:00:00+00:00", 39)


def test_microseconds_of_apache_are_seconds(analysed):
    assert analysed(access(60, took=lambda i: "250000")).slow.max_s == 0.25


def test_lines_that_are_no_requests_are_counted_and_shown(analysed):
    found = analysed(access(60) + "what is this\n" + access(3))
    assert (found.records, found.unread, found.unread_samples) == (63, 1, ["what is this"])


def test_common_format_has_no_agent(analysed):
    line = '1.2.3.4 - bob [10/Oct/2025:13:55:36 -0700] "POST /a?x=1 HTTP/1.0" 201 2326\n'
    found = analysed(line * 20)
    assert (names(found.statuses), names(found.methods), found.slow) == ({"201": 20}, {"POST": 20}, None)
    assert found.paths[0].path == "/a"


def test_json_gives_levels_messages_and_requests(analysed):
    rows = [
        {"ts": 1_769_860_800 + i, "level": "error" if i % 4 == 0 else "info", "msg": f"order {i} placed",
         "path": f"/orders/{i}", "status": 503 if i % 4 == 0 else 200, "duration_ms": 20, "remote_addr": "1.1.1.1"}
        for i in range(40)
    ]  # fmt: skip
    found = analysed("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    assert set(found.files.values()) == {"json"}
    assert (found.records, found.unread) == (40, 1)
    assert names(found.levels) == {"info": 30, "error": 10}
    assert {each.pattern for each in found.patterns} == {"order <_> placed"}
    assert (found.paths[0].path, found.paths[0].errors) == ("/orders/<_>", 10)
    assert found.slow.p50_s == pytest.approx(0.02, rel=0.02)
    assert found.first_at.isoformat() == "2026-01-31T12:00:00+00:00"


def test_logfmt_gives_levels_and_messages(analysed):
    lines = [f'ts=2026-01-31T12:00:0{i}Z level=warn msg="slow order {i}" took=1{i}ms' for i in range(9)]
    found = analysed("\n".join(lines))
    assert (set(found.files.values()), names(found.levels)) == ({"logfmt"}, {"warn": 9})
    assert {each.pattern: each.count for each in found.patterns} == {"slow order <_>": 9}
    assert found.slow.count == 9


def test_syslog_has_its_level_in_the_priority(analysed):
    old = "<11>Jan 31 12:00:00 web sshd[17]: connection lost 5\n<14>Jan 31 12:00:00 web sshd[17]: hello 7\n"
    new = "<11>1 2026-01-31T12:00:00Z web app 17 ID1 - connection lost 5\n"
    assert names(analysed(old * 5).levels) == {"error": 5, "info": 5}
    found = analysed(new * 5, "new.log")
    assert (names(found.levels), set(found.files.values())) == ({"error": 5}, {"syslog-5424"})


def test_python_tracebacks_are_part_of_their_record(analysed):
    found = analysed(PYTHON * 3)
    assert set(found.files.values()) == {"python"}
    assert (found.lines, found.records) == (42, 9)
    assert names(found.levels) == {"info": 3, "error": 3, "warn": 3}
    assert names(found.exceptions) == {"shop.OrderError": 3}
    assert any(each.pattern.endswith("cannot place order <_> shop.OrderError") for each in found.patterns)


def test_java_stack_traces_are_part_of_their_record(analysed):
    found = analysed(JAVA * 2)
    assert set(found.files.values()) == {"java"}
    assert found.records == 6
    assert names(found.levels) == {"info": 2, "error": 2, "warn": 2}
    assert names(found.exceptions) == {"java.sql.SQLTimeoutException": 2}


def test_kubernetes_lines_are_unwrapped_and_parts_joined(analysed):
    found = analysed(CRI)
    assert (set(found.files.values()), found.records) == ({"cri"}, 3)
    assert names(found.levels) == {"info": 2, "error": 1}
    assert any(each.pattern.endswith("ERROR cannot place order <_> of customer <_>") for each in found.patterns)


def test_json_inside_kubernetes_lines_is_read(analysed):
    found = analysed('2026-01-31T12:00:00.1Z stdout F {"level":"error","msg":"lost 5"}\n' * 4)
    assert (names(found.levels), found.patterns[0].pattern) == ({"error": 4}, "lost <_>")


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, bz2.compress])
def test_packed_files_are_read(analysed, pack):
    assert analysed(pack(access(100).encode())).records == 100


def test_what_is_new_gone_and_rare_is_told(analysed):
    lines = [f"INFO old request {i} came in" for i in range(600)]
    lines[250] = "WARN a thing that never happens"
    lines[450:600:5] = ["ERROR fresh failure of disk 7"] * 30
    found = analysed("\n".join(lines))
    assert [(each.news, each.level, each.pattern) for each in found.changed] == [
        ("new", "error", "ERROR fresh failure of disk <_>")
    ]
    assert [each.sample for each in found.rare] == ["WARN a thing that never happens"]


def test_a_burst_is_told_with_its_minute(analysed):
    lines = [f"2026-01-31 12:{m:02d}:00 INFO tick {i}" for m in range(20) for i in range(200 if m == 7 else 5)]
    (burst,) = analysed("\n".join(lines)).bursts
    assert (burst.begin.minute, burst.minutes, burst.records, burst.usual_per_minute) == (7, 1, 200, 5)


def test_ids_make_no_patterns_of_their_own(analysed):
    rng = random.Random(5)
    found = analysed(
        "".join(f"INFO request {rng.getrandbits(128):032x} took {rng.random():.3f}\n" for _ in range(3000))
    )
    assert {each.pattern: each.count for each in found.patterns} == {"INFO request <_> took <_>": 3000}


def test_equal_counts_are_told_by_name(analysed):
    lines = access(90, lambda _: 200).splitlines(keepends=True)
    forth, back = (analysed("".join(each)) for each in (lines, reversed(lines)))
    assert len({each.count for each in forth.clients}) == 1
    assert [each.name for each in forth.clients] == [each.name for each in back.clients]
    assert [each.name for each in forth.clients] == sorted(each.name for each in forth.clients)


def test_processes_find_what_one_finds(tmp_path, monkeypatch):
    path = tmp_path / "a.log"
    path.write_text(access(5000, lambda i: 500 if i % 7 == 0 else 200) + PYTHON)
    monkeypatch.setattr(analysing, "_PIECE", 100_000)
    one, two = (find(analysing.analyse([path], processes=count)) for count in (1, 2))
    assert one == two
    assert one.lines == 5014


def test_pieces_and_blocks_cut_between_records(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(PYTHON * 500)
    pieces = blocks.cut([path], 5000)
    assert len(pieces) > 10
    read = [block.data for piece in pieces for block in blocks.read_blocks(piece)]
    assert b"".join(read).decode() == PYTHON * 500
    assert all(data.startswith(b"2026") for data in read)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n\n",
        b"x",
        b"caf\xe9 \xff\xfe ERROR broken\n" * 50,
        b"INFO ok\n" + b"y" * (10 << 20) + b"\nINFO ok\n",
        b"\r\nINFO a\r\n" * 10,
        b'"' * 5000 + b"\n",
        b'1.1.1.1 - - [10/Oct/2025:13:55:36 +0000] "\xff\xfe" 200 1 "-" "-"\n' * 10,
        b'1.1.1.1 - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 999999999999999999999 1\n' * 10,
        b"{" * 5000 + b"}\n",
        b'{"level":{"a":[]},"msg":5,"status":true,"duration":"x","ts":1e400}\n' * 3,
        b"Traceback (most recent call last):\n" * 100,
    ],
)
def test_hostile_input_is_survived_and_counted(analysed, data):
    found = analysed(data)
    assert found.lines >= found.unread
    assert found.bytes <= len(data) + 1
    assert writing.page(found).startswith("<!doctype html>")
    assert writing.markdown(found).startswith("# Log analysis")
    assert json.loads(writing.json_text(found))["lines"] == found.lines


def test_a_line_of_ten_megabytes_is_cut(analysed):
    found = analysed(b"INFO ok\n" + b"y" * (10 << 20) + b"\nINFO ok\n")
    assert (found.cut, names(found.levels)["info"]) == (1, 2)


def test_binary_files_are_refused_by_name(analysed):
    with pytest.raises(InvalidError) as told:
        analysed(bytes(range(256)) * 100, "a.bin")
    assert told.value.place.file.endswith("a.bin")


def test_broken_archives_are_refused_by_name(analysed):
    with pytest.raises(InvalidError, match="cannot be read"):
        analysed(gzip.compress(access(9000).encode())[:-9000], "b.gz")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFoundError, match="nothing"):
        analysing.analyse([tmp_path / "nothing.log"])
    with pytest.raises(InvalidError, match="no file"):
        analysing.analyse([tmp_path])


def test_hostile_words_rule_neither_page_nor_terminal(analysed):
    found = analysed("ERROR <script>alert(1)</script> | `x` \x1b[2J\n" * 3)
    assert "<script>alert" not in writing.page(found)
    assert "<script>" not in writing.markdown(found)
    console = Console(width=200, record=True, quiet=True)
    writing.print_findings(console, found)
    assert "\x1b[2J" not in console.export_text()


def test_the_command_prints_and_writes(tmp_path):
    path = tmp_path / "access.log"
    path.write_text(access(300))
    written = ["--markdown", str(tmp_path / "a.md"), "--html", str(tmp_path / "a.html")]
    told = CliRunner().invoke(cli, ["logs", "analyze", str(path), *written])
    assert told.exit_code == 0, told.exception
    assert "300 lines" in told.stdout
    assert "## Status codes" in (tmp_path / "a.md").read_text()
    assert "<svg" in (tmp_path / "a.html").read_text()
    as_json = CliRunner().invoke(cli, ["logs", "analyze", str(path), "--json"])
    assert json.loads(as_json.stdout)["records"] == 300


def test_what_comes_from_stdin_is_read_like_a_file():
    told = CliRunner().invoke(cli, ["logs", "analyze", "-", "--json"], input=access(300))
    assert (json.loads(told.stdout)["records"], json.loads(told.stdout)["files"]) == (300, {"-": "access"})


def test_what_is_counted_by_and_large_is_told(analysed, monkeypatch):
    monkeypatch.setattr(tally, "MOST_VALUES", 40)
    lines = "".join(f'10.0.0.{i} - - [10/Oct/2025:13:00:00 +0000] "GET / HTTP/1.1" 200 1\n' for i in range(100))
    (told,) = analysed(lines).inexact
    assert re.match(r"clients: \d\d requests of rare ones", told)


@pytest.mark.parametrize("line", [b"", b"just words", b"a=b", b"[1, 2]"])
def test_what_has_no_format_is_plain(line):
    assert recognise([line]) == "plain"
