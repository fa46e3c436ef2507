"""What people and programs see of the host: the API, the table, the command."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest
import typer
from fastapi import FastAPI
from rich.console import Console
from typer.testing import CliRunner

from holdfast.health.host import HostReader, commands, register
from holdfast.health.host.processes import Processes
from holdfast.health.host.routes import routes
from holdfast.health.host.sampler import HostSampler
from holdfast.health.host.series import HostHistory
from holdfast.health.host.shapes import show_host
from holdfast.health.host.snapshot import Container, Disk
from holdfast.health.host.table import draw_host
from holdfast.kernel import auth
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.http import problems


class Nowhere:
    """Takes numbers and has none."""

    def record(self, *_args) -> None:
        return

    async def range(self, *_args, **_kwargs):
        return []


@pytest.fixture
def snapshot(fake_clock):
    return HostReader(fake_clock, processes=Processes(monotonic=fake_clock.monotonic)).read()


@pytest.fixture
def sampler(fake_clock):
    return HostSampler(HostReader(fake_clock), Nowhere(), fake_clock, 10.0)


@pytest.fixture
async def api(fake_clock, sampler):
    app = FastAPI()
    problems.install(app, lambda: None)
    auth.install(app, OpenGate())
    app.include_router(routes(sampler, HostHistory(Nowhere(), 10.0), fake_clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def draw(snapshot, width=100) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(draw_host(snapshot))
        return console.export_text()


async def test_the_snapshot_has_the_documented_shape(api, sampler):
    await sampler.measure()
    host = (await api.get("/host")).json()
    assert {"hostname", "os", "kernel", "boot_at", "cpu", "memory", "disks", "network", "fds", "processes"} <= set(host)
    assert {"count", "percent", "per_cpu", "load"} <= set(host["cpu"])
    assert {"total", "used", "available", "swap_total", "swap_used"} <= set(host["memory"])
    assert {"device", "mount", "fstype", "total", "used", "percent", "inodes_percent"} <= set(host["disks"][0])
    assert {"pid", "name", "user", "cpu_percent", "rss_bytes", "command"} == set(host["processes"][0])


async def test_before_the_first_reading_the_api_says_so(api):
    answer = await api.get("/host")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_chart_of_the_past_is_answered_for_the_last_hour_or_as_asked(api, sampler):
    await sampler.measure()
    assert (await api.get("/host/series", params={"metric": "load"})).json() == {
        "metric": "load",
        "unit": "processes",
        "step_s": 15.0,
        "series": [],
    }
    query = {"metric": "cpu", "start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"}
    assert (await api.get("/host/series", params=query)).json()["code"] == "invalid"
    assert (await api.get("/host/series", params={"metric": "mood"})).status_code == 422


def test_the_table_shows_everything_within_its_width(snapshot):
    drawn = draw(snapshot)
    for word in (snapshot.hostname, "memory", "load", "open files", "/"):
        assert word in drawn
    assert max(len(line) for line in drawn.splitlines()) <= 100


def test_the_table_tells_a_hung_disk_and_the_bounds_of_a_container(snapshot):
    memory = replace(snapshot.memory, total_bytes=512 * 1024**2)
    drawn = draw(
        replace(
            snapshot,
            cpu=replace(snapshot.cpu, cores=0.5, busy_ratio=0.95),
            memory=memory,
            container=Container(cpu_cores=0.5, memory_bytes=memory.total_bytes),
            disks=(Disk("server:/x", "/mnt/x", "nfs4", is_hung=True),),
        )
    )
    assert "95.0 % of 0.5 processors (limit of the container)" in drawn
    assert "512 MiB (limit of the container)" in drawn
    assert "does not answer" in drawn


def test_what_is_not_known_is_null_and_never_zero(snapshot):
    shown = show_host(replace(snapshot, fds=None, cpu=replace(snapshot.cpu, load=None)))
    assert shown.cpu.percent is None
    assert shown.fds is None
    assert shown.cpu.load == []


@pytest.fixture
def run_host(monkeypatch):
    monkeypatch.setattr(commands, "_BETWEEN_S", 0.01)
    cli = typer.Typer()
    cli.command("other")(lambda: None)
    register(cli)
    return lambda *words: CliRunner().invoke(cli, ["host", *words])


def test_the_command_prints_a_table_or_json(run_host):
    table = run_host("--processes", "3")
    assert table.exit_code == 0, table.output
    assert "processors" in table.stdout
    data = json.loads(run_host("--json").stdout)
    assert data["process_count"] > 0
    assert data["network"]


def test_watching_goes_on_until_interrupted(run_host, monkeypatch):
    naps = iter([None, None])

    def nap(_seconds):
        if next(naps, StopIteration) is StopIteration:
            raise KeyboardInterrupt

    monkeypatch.setattr(commands.time, "sleep", nap)
    shown = run_host("--json", "--watch")
    assert len(shown.stdout.splitlines()) == 2
