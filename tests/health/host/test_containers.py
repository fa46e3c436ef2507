"""In a container the control group's limits are the real bounds; elsewhere they say nothing of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.health.host.containers import ControlGroups
from holdfast.health.host.reading import bound_memory
from holdfast.health.host.snapshot import Container, Memory

MIB = 1024**2


@pytest.fixture
def groups(tmp_path):
    """A cgroup v2 tree as the kernel shows it."""

    def build(own: str, files: dict[str, str], *, is_marked: bool = False) -> ControlGroups:
        root, marker = tmp_path / "cgroup", tmp_path / "marker"
        for name, text in {"cgroup.controllers": "cpu memory\n", **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "self").write_text(f"0::{own}\n")
        if is_marked:
            marker.touch()
        return ControlGroups(root, tmp_path / "self", (marker,))

    return build


def test_a_container_in_its_own_namespace_sees_its_limits(groups):
    container, account = groups(
        "/",
        {
            "memory.max": f"{512 * MIB}\n",
            "memory.current": f"{300 * MIB}\n",
            "memory.stat": f"anon 1\ninactive_file {100 * MIB}\n",
            "cpu.max": "150000 100000\n",
            "cpu.stat": "usage_usec 2500000\nnr_periods 10\nnr_throttled 4\n",
        },
    ).read()
    assert container == Container(cpu_cores=1.5, memory_bytes=512 * MIB, memory_used_bytes=200 * MIB)
    assert (account.used_s, account.periods, account.throttled) == (2.5, 10, 4)


def test_the_tightest_limit_on_the_way_up_counts(groups):
    container, _ = groups(
        "/kubepods/pod1/app",
        {
            "kubepods/memory.max": f"{900 * MIB}",
            "kubepods/pod1/memory.max": f"{400 * MIB}",
            "kubepods/pod1/memory.current": f"{10 * MIB}",
            "kubepods/pod1/app/memory.max": "max",
            "kubepods/pod1/app/cpu.max": "max 100000",
            "kubepods/cpu.max": "400000 100000",
        },
        is_marked=True,
    ).read()
    assert container == Container(cpu_cores=4.0, memory_bytes=400 * MIB, memory_used_bytes=10 * MIB)


def test_a_container_without_limits_has_the_machines(groups):
    assert groups("/", {"memory.max": "max", "cpu.max": "max 100000"}).read()[0] == Container()


def test_a_service_managers_limits_are_not_those_of_the_machine(groups):
    bounded = groups("/system.slice/holdfast.service", {"system.slice/holdfast.service/memory.max": "1000"})
    assert bounded.read()[0] == Container()


def test_the_host_itself_has_no_limits_in_its_root(groups):
    assert groups("/", {}).read()[0] == Container()


@pytest.mark.parametrize("garbage", ["", "max", "-1", "12 13 14", "\x00", "1e9"])
def test_half_written_and_odd_files_read_as_no_limit(groups, garbage):
    container, _ = groups("/", {"memory.max": garbage, "cpu.max": garbage, "memory.current": garbage}).read()
    assert container == Container()


def test_a_machine_without_control_groups_v2_has_no_container(tmp_path):
    assert ControlGroups(tmp_path / "none", Path("/nowhere"), ()).read()[0] == Container()


def test_the_memory_of_a_container_is_its_limit_and_never_more_than_the_machine_has_left():
    machine = Memory(total_bytes=16_000, available_bytes=1_000, used_bytes=15_000)
    bounded = bound_memory(machine, Container(memory_bytes=4_000, memory_used_bytes=500))
    assert (bounded.total_bytes, bounded.available_bytes, bounded.used_bytes) == (4_000, 1_000, 3_000)
    assert bound_memory(machine, Container(memory_bytes=99_000, memory_used_bytes=1)) == machine
