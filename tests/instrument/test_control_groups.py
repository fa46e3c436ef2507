"""Limits of a container, in control groups of both versions, as `watch_process` shows them."""

from __future__ import annotations

import pytest

from holdfast.instrument import watch_process

LIMITS = ("process_cpu_limit", "process_cpu_throttled_seconds_total", "process_memory_limit_bytes")

# Of what /proc/self/cgroup says, the files below the mount, and what is to be shown.
MACHINES = {
    "version 2, a container": (
        "0::/\n",
        {
            "memory.max": "536870912\n",
            "cpu.max": "150000 100000\n",
            "cpu.stat": "nr_throttled 4\nthrottled_usec 2500000\n",
        },
        (1.5, 2.5, 536870912),
    ),
    "version 2, a unit of systemd in a slice with less": (
        "0::/shop.slice/orders.service\n",
        {
            "cpu.stat": "usage_usec 12\n",
            "shop.slice/memory.max": "1000000\n",
            "shop.slice/cpu.max": "max 100000\n",
            "shop.slice/orders.service/memory.max": "2000000\n",
            "shop.slice/orders.service/cpu.max": "50000 100000\n",
            "shop.slice/orders.service/cpu.stat": "throttled_usec 7000\n",
        },
        (0.5, 0.007, 1000000),
    ),
    "version 2, of another name space": (
        "0::/../../pod\n",
        {"memory.max": "1000\n", "cpu.max": "max 100000\n"},
        (None, None, 1000),
    ),
    "version 1, a container that sees its own group only": (
        "11:memory:/docker/4f2a\n7:cpu,cpuacct:/docker/4f2a\n1:name=systemd:/docker/4f2a\n0::/\n",
        {
            "memory/memory.limit_in_bytes": "268435456\n",
            "cpu/cpu.cfs_quota_us": "200000\n",
            "cpu/cpu.cfs_period_us": "100000\n",
            "cpu/cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 1500000000\n",
        },
        (2.0, 1.5, 268435456),
    ),
    "version 1, without limits": (
        "11:memory:/\n7:cpu:/\n",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "cpu/cpu.cfs_quota_us": "-1\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
        (None, None, None),
    ),
    "none": ("", {}, (None, None, None)),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_the_group_allows(registry, figures, tmp_path, machine):
    said, files, expected = MACHINES[machine]
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(said)
    for name, text in files.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    stop = watch_process(registry, proc=tmp_path / "proc", groups=tmp_path / "groups")
    assert tuple(figures(name) for name in LIMITS) == expected
    stop()
