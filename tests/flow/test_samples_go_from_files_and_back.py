"""What is imported is stored, wherever an import broke off, and what is exported imports again and pleases promtool."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures import servers
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.telemetry.metrics import Matcher, MatchOp
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.transfer import (
    Destination,
    Exported,
    Format,
    commands,
    fetch,
    import_file,
    importing,
)
from holdfast.telemetry.metrics.transfer.exporting import Writable
from holdfast.telemetry.metrics.transfer.rows import Row

T0 = 1_700_000_000
OPENMETRICS = "# TYPE hits counter\n# HELP hits Hits.\n" + "".join(
    f'hits_total{{job="a",path="/{number}"}} {number + second} {T0 + second}.5\n'
    for number in range(3)
    for second in range(40)
)
DUMP = f'{{__name__="up", job="a b"}} 1 {T0}000\n{{__name__="up", job="a b"}} NaN {T0}001\n'
CSV = f"metric,timestamp_ms,value,job\nup,{T0}000,1,a b\nup,{T0}001,NaN,a b\n"
ISO_CSV = "name,timestamp,value,job\nup,2023-11-14T22:13:20Z,1,a b\nup,1700000000.001,NaN,a b\n"


async def stored(url: str, name: str, tenant: str = "") -> dict[Any, list[tuple[int, str]]]:
    """Give what the server holds of a metric."""

    def read() -> dict[Any, list[tuple[int, str]]]:
        with Destination(url, tenant=tenant) as source:
            matchers = [Matcher("__name__", MatchOp.EQUAL, name)]
            found = fetch(source, matchers, (0, 2 * T0 * 1000), Exported())
            return {labels: [(ts_ms, repr(value)) for ts_ms, value in samples] for labels, samples, *_ in found}

    return await asyncio.to_thread(read)


async def bring(url: str, file: Path, kind: Format, tenant: str = "", **more: Any) -> Any:
    """Import a file."""

    def work() -> Any:
        with Destination(url, tenant=tenant, **more) as destination:
            return import_file(file, kind, destination, tenant=tenant)

    return await asyncio.to_thread(work)


@pytest.fixture
def run(holdfast_command: Path) -> Callable[..., Any]:
    """Run the command line; give what it printed."""
    return partial(run_program, str(holdfast_command))


async def run_program(*command: str) -> Any:
    """Run a program; give what it printed."""
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, timeout=60)


async def test_an_import_that_broke_off_goes_on_where_it_was(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 25)
    file = tmp_path / "hits.om"
    file.write_text(OPENMETRICS + "# EOF\n")
    async with serving() as url:
        with Destination(url) as destination:
            sent: list[Any] = []
            send = destination.send

            def break_off(rows: Any) -> Any:
                if len(sent) == 2:
                    raise UnavailableError("the network is gone")
                sent.append(rows)
                return send(rows)

            destination.send = break_off  # type: ignore[method-assign]  # a network that fails
            with pytest.raises(UnavailableError):
                await asyncio.to_thread(import_file, file, Format.OPENMETRICS, destination)
        assert sum(map(len, (await stored(url, "hits_total")).values())) == 50
        report = await bring(url, file, Format.OPENMETRICS)
        assert (report.samples, report.refused) == (120, 0)
        assert report.resumed_at > 0
        left = await asyncio.to_thread(os.listdir, tmp_path)
        assert not [name for name in left if "holdfast-import" in name]
        found = await stored(url, "hits_total")
        assert len(found) == 3
        series = found[("__name__", "hits_total"), ("job", "a"), ("path", "/2")]
        assert series == [((T0 + second) * 1000 + 500, f"{2.0 + second}") for second in range(40)]
        again = await bring(url, file, Format.OPENMETRICS)
        assert (again.samples, again.resumed_at) == (120, 0)
        assert await stored(url, "hits_total") == found, "what is sent twice is there once"


def test_an_import_that_goes_on_remembers_what_was_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 50)
    file = tmp_path / "hits.om"
    file.write_text(OPENMETRICS + "# EOF\n")
    answers: list[Any] = [(40, "too many series"), UnavailableError("the network is gone"), (49, "again"), (20, "")]

    def send(rows: Any) -> tuple[int, str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        stored, reason = answer
        return min(stored, len(rows)), reason

    with Destination("http://127.0.0.1:1") as destination:
        destination.send = send  # type: ignore[method-assign]  # a network that fails, and a server that refuses
        with pytest.raises(UnavailableError):
            import_file(file, Format.OPENMETRICS, destination)
        report = import_file(file, Format.OPENMETRICS, destination)
    assert (report.samples, report.refused) == (109, 11)
    assert report.resumed_at > 0


async def test_what_stands_before_a_fault_is_stored_and_told(
    serving: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "first.prom").write_text(DUMP)
    (tmp_path / "cut.om").write_text(OPENMETRICS)
    async with serving() as url:
        done = await run("import", str(tmp_path / "first.prom"), str(tmp_path / "cut.om"), "--url", url)
        assert sum(map(len, (await stored(url, "hits_total")).values())) == 120
    assert done.returncode == 2
    assert "first.prom: 2 samples" in done.stdout
    assert "cut.om: line 122: the file ends without '# EOF', so it is cut off; 120 samples" in done.stderr


async def test_dumps_and_csv_hold_the_same(serving: Any, tmp_path: Path) -> None:
    files = {"a.prom": DUMP, "b.csv": CSV, "c.csv": ISO_CSV}
    expected = {(("__name__", "up"), ("job", "a b")): [(T0 * 1000, "1.0"), (T0 * 1000 + 1, "nan")]}
    async with serving() as url:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            kind = Format.CSV if name.endswith("csv") else Format.PROMETHEUS
            report = await bring(url, tmp_path / name, kind, tenant=name[0])
            assert report.samples == 2
            assert await stored(url, "up", tenant=name[0]) == expected


async def test_parquet_and_openmetrics_make_the_round_trip_by_command(
    serving: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hits.om").write_text(OPENMETRICS + "# EOF")
    async with serving() as url:
        done = await run("import", str(tmp_path / "hits.om"), "--url", url, "--json")
        assert json.loads(done.stdout)[0]["samples"] == 120, done.stderr
        found = await stored(url, "hits_total")
        for kind in ("parquet", "openmetrics"):
            output = tmp_path / f"out.{kind}"
            words = ("--match", "hits_total", "--format", kind, "-o", str(output), "--url", url, "--json")
            done = await run("export", *words)
            assert json.loads(done.stdout)["samples"] == 120, done.stderr
            done = await run("import", str(output), "--url", url, "--tenant", kind)
            assert done.returncode == 0, done.stderr
            assert await stored(url, "hits_total", tenant=kind) == found
        window = ("--start", str(T0 + 10), "--end", "2023-11-14T22:13:40Z")
        done = await run("export", "--match", 'hits_total{path="/1"}', *window, "--url", url)
        lines = done.stdout.splitlines()
        assert (len(lines), lines[-1]) == (11, "# EOF")
        assert lines[0] == f'hits_total{{job="a",path="/1"}} 11 {T0 + 10}.500'


async def test_exemplars_and_names_with_dots_make_the_round_trip_by_openmetrics(
    serving: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    lines = [
        f'{{"http.hits_total","http.path"="/a"}} 1 {T0}',
        f'{{"http.hits_total","http.path"="/a"}} 2 {T0 + 5} # {{"span.id"="e",trace_id="abc"}} 0.5 {T0 + 4}.250',
        f'{{"http.hits_total","http.path"="/a"}} 3 {T0 + 9} # {{trace_id="d"}} 0.25 {T0 + 9}',
    ]
    (tmp_path / "hits.om").write_text("\n".join([*lines, "# EOF\n"]))
    async with serving() as url:
        await bring(url, tmp_path / "hits.om", Format.OPENMETRICS)
        for match in ('{"http.hits_total"}', '{"http.path"=~"/.*"}'):
            done = await run("export", "--match", match, "--url", url)
            assert done.stdout.splitlines() == [*lines, "# EOF"], done.stderr


async def test_native_histograms_make_the_round_trip_by_parquet(
    serving: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    exponential = Histogram(3, 12.0, 3.5, 0.001, 2.0, Buckets(-2, (1.0, 3.0, 0.0, 2.0)), Buckets(0, (4.0,)))
    custom = Histogram(CUSTOM_SCHEMA, 3.0, 4.0, positive=Buckets(0, (1.0, 2.0)), custom_values=(0.5,))
    gauge = replace(exponential, hint=ResetHint.GAUGE)
    held = [(T0 * 1000 + place, each) for place, each in enumerate((exponential, custom, gauge))]
    labels = (("__name__", "h"), ("job", "a"))
    rows = [Row(labels, ts_ms, 0.0, 0, histogram=each) for ts_ms, each in held]
    rows.append(Row(labels, T0 * 1000 + 9, 7.0, 0))
    output = tmp_path / "h.parquet"
    async with serving() as url:
        with Destination(url) as destination:
            assert await asyncio.to_thread(destination.send, rows) == (4, "")
        done = await run("export", "--match", "h", "-o", str(output), "--url", url, "--json")
        assert json.loads(done.stdout)["samples"] == 4, done.stderr
        done = await run("import", str(output), "--url", url, "--tenant", "other", "--json")
        assert json.loads(done.stdout)[0]["samples"] == 4, done.stderr

        def read() -> Any:
            with Destination(url, tenant="other") as source:
                matchers = [Matcher("__name__", MatchOp.EQUAL, "h")]
                return list(fetch(source, matchers, (0, 2 * T0 * 1000), Exported(), Writable.PARQUET))

        assert await asyncio.to_thread(read) == [(labels, [(T0 * 1000 + 9, 7.0)], held, {})]
        done = await run("export", "--match", "h", "--url", url)
        assert "3 native histograms have no form in this file; Parquet has one" in done.stderr


@pytest.mark.service
async def test_promtool_makes_blocks_of_an_export(serving: Any, run: Callable[..., Any], tmp_path: Path) -> None:
    promtool = servers.require_program("promtool")
    (tmp_path / "hits.om").write_text(OPENMETRICS + "# EOF\n")
    async with serving() as url:
        await bring(url, tmp_path / "hits.om", Format.OPENMETRICS)
        done = await run("export", "--match", '{job="a"}', "-o", str(tmp_path / "out.om"), "--url", url)
        assert done.returncode == 0, done.stderr
    blocks = tmp_path / "blocks"
    command = ["tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "out.om"), str(blocks)]
    assert (await run_program(promtool, *command)).returncode == 0
    (blocks / "wal").mkdir()
    dumped = (await run_program(promtool, "tsdb", "dump", str(blocks))).stdout
    assert len(dumped.splitlines()) == 120
    assert '{__name__="hits_total", job="a", path="/0"}' in dumped


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.om", "hits_total 1\n", r"a.om: line 1: the sample has no timestamp"),
        ("a.om", "a 1 1\n{x 3 4\n", r"line 2: this is no sample"),
        ("a.prom", 'a{x="1"} z 5\n', r"line 1"),
        ("a.csv", "metric,value\na,1\n", r"a.csv:1: the columns timestamp are missing"),
        ("a.csv", "metric,timestamp,value\na,yesterday,1\n", r"a.csv:2"),
        ("a.csv", "metric,timestamp,value\na,1\n", r"a.csv:2: the row has 2 fields"),
        ("a.csv", "metric,timestamp,value\na,inf,1\n", r"a.csv:2: 'inf' is no timestamp"),
        ("a.csv", "metric,timestamp,value\na,1e300,1\n", r"beyond the year 9999"),
        ("a.csv", "metric,timestamp,value\na,1,one\n", r"'one' is no number"),
        ("a.csv", "metric,timestamp,value,value\na,1,1,2\n", r"columns value stand twice"),
        ("a.csv", b"metric,timestamp,value,x\na,1,1,\xf6\n", r"not UTF-8 text .*save it as UTF-8"),
        ("a.csv", f"metric,timestamp,value\n{'a' * 200_000},1,1\n", r"a.csv:2: field larger"),
        ("a.csv", "metric,timestamp,value\n".encode("utf-16"), r"it is UTF-16 text"),
        ("a.om", gzip.compress(b"a 1 1\n", mtime=0), r"packed with gzip .*gunzip"),
        ("a.om", "a 1 +Inf\n", r"line 1: '\+Inf' is no timestamp"),
        ("a.om", "a 1 1700000000\na 1 17", r"line 2: the last line has no end"),
        ("a.om", b"# HELP a \xe9\n", r"line 1: this is not UTF-8 text"),
        (
            "a.om",
            "a 1 1\n",
            r"line 1: the file ends without '# EOF'.*; 1 samples before it are stored \(.*add the line",
        ),
        ("a.om", "a 1 1\n# EOF\n\nb 1 1\n", r"line 2: more stands behind '# EOF'.*; 1 samples .*part files"),
        ("a.om", "", r"line 1: the file ends without"),
        ("a.prom", "a 1 5 6 7\n", r"line 1: this is no sample"),
        ("a.parquet", "a 1 5\n", r"a.parquet: it cannot be read"),
        ("a.parquet", "", r"a.parquet: it cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_place(tmp_path: Path, name: str, text: str | bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    kind = importing.format_of(file, None)
    with Destination("http://127.0.0.1:1") as destination, pytest.raises(InvalidError) as caught:
        destination.send = lambda rows: (len(rows), "")  # type: ignore[method-assign]  # nothing is sent
        import_file(file, kind, destination)
    assert re.search(words, str(caught.value))


def test_an_export_that_breaks_off_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "out.om"
    file.write_text("before")
    with pytest.raises(UnavailableError), commands._whole(file) as fresh:
        fresh.write_text("half of it")
        raise UnavailableError("the server is gone")
    assert [each.name for each in tmp_path.iterdir()] == ["out.om"]
    assert file.read_text() == "before"
    with pytest.raises(InvalidError, match=r"out.om/x: it cannot be written"), commands._whole(file / "x") as fresh:
        fresh.write_text("whole")
