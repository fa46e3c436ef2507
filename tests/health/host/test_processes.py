from __future__ import annotations

import contextlib
from types import SimpleNamespace

import psutil
import pytest

from holdfast.health.host.processes import TOP, Processes, mask_command


class FakeProcess:
    """One process, as psutil shows it; `cpu_s` grows as a test says."""

    def __init__(self, pid: int, *, cpu_s: float = 0.0, rss: int = 1, started: float = 1.0, fails: str = "") -> None:
        self.pid, self.cpu_s, self.rss, self.started, self.fails = pid, cpu_s, rss, started, fails

    def _value(self, name, value):
        if self.fails == name:
            raise psutil.AccessDenied(self.pid) if name in {"username", "cmdline"} else psutil.NoSuchProcess(self.pid)
        return value

    def oneshot(self):
        return contextlib.nullcontext()

    def cpu_times(self):
        return self._value("cpu_times", SimpleNamespace(user=self.cpu_s, system=0.0))

    def memory_info(self):
        return SimpleNamespace(rss=self.rss)

    def create_time(self):
        return self.started

    def name(self):
        return self._value("name", f"p{self.pid}")

    def username(self):
        return self._value("username", "ada")

    def cmdline(self):
        return self._value("cmdline", [f"p{self.pid}", "--serve"])


@pytest.fixture
def machine():
    state = SimpleNamespace(processes=[], now_s=0.0)
    state.reader = Processes(lambda: state.processes, lambda: state.now_s)
    return state


def test_the_share_is_what_was_used_between_two_scans(machine):
    machine.processes = [FakeProcess(1, cpu_s=100.0), FakeProcess(2, cpu_s=5.0)]
    assert [process.cpu_ratio for process in machine.reader.read()] == [None, None]
    machine.processes[1].cpu_s = 20.0
    machine.now_s = 10.0
    top = machine.reader.read()
    assert [(process.pid, process.cpu_ratio) for process in top] == [(2, 1.5), (1, 0.0)]


def test_a_new_process_counts_from_its_birth_even_under_an_old_number(machine):
    machine.processes = [FakeProcess(1, cpu_s=50.0)]
    machine.reader.read()
    machine.processes = [FakeProcess(1, cpu_s=2.0, started=9.0)]
    machine.now_s = 10.0
    assert machine.reader.read()[0].cpu_ratio == pytest.approx(0.2)


def test_the_largest_are_among_the_top_even_when_idle(machine):
    machine.processes = [FakeProcess(pid) for pid in range(100)] + [FakeProcess(500, rss=10**9)]
    machine.reader.read()
    machine.now_s = 10.0
    for process in machine.processes[:100]:
        process.cpu_s = 1.0
    top = machine.reader.read()
    assert len(top) == TOP
    assert 500 in {process.pid for process in top}


@pytest.mark.parametrize("failure", ["cpu_times", "name"])
def test_a_process_that_vanishes_while_we_look_is_left_out(machine, failure):
    machine.processes = [FakeProcess(1, fails=failure), FakeProcess(2)]
    assert [process.pid for process in machine.reader.read()] == [2]


def test_a_process_of_somebody_else_is_shown_as_far_as_we_may_see(machine):
    machine.processes = [FakeProcess(1, fails="cmdline"), FakeProcess(2, fails="username")]
    shown = {process.pid: process for process in machine.reader.read()}
    assert (shown[1].command, shown[2].user) == ("p1", "")


def test_a_machine_with_very_many_processes_is_scanned_less_often(machine, monkeypatch):
    cpu_s = iter(range(100))
    monkeypatch.setattr("holdfast.health.host.processes.time.thread_time", lambda: next(cpu_s))
    scans = []
    machine.reader = Processes(lambda: scans.append(1) or [], lambda: machine.now_s)
    for machine.now_s in (0.0, 1.0, 10.0, 100.0, 200.0, 202.0):
        machine.reader.read()
    assert len(scans) == 3  # a scan that takes a second of processor time may come every 200 s


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["app", "--password", "hunter2", "-v"], "app --password *** -v"),
        (["app", "--db-password=hunter2"], "app --db-password=***"),
        (["app", "API_TOKEN=x"], "app API_TOKEN=***"),
        (["psql", "postgres://ada:hunter2@db/x"], "psql postgres://ada:***@db/x"),
        (["curl", "https://a.example/x:y@z"], "curl https://a.example/x:y@z"),
        (["ssh", "-i", "key.pem"], "ssh -i key.pem"),
        ([], ""),
    ],
)
def test_what_looks_like_a_secret_is_masked_in_command_lines(words, shown):
    assert mask_command(words) == shown


def test_a_long_command_line_is_cut():
    assert len(mask_command(["x" * 1000])) == 200
