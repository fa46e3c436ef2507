from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import pytest

from holdfast.health.host import disks
from holdfast.health.host.disks import Disks, choose_mounts


@dataclass
class Mount:
    mountpoint: str
    fstype: str = "ext4"
    device: str = "/dev/sda1"
    opts: str = "rw"


@pytest.fixture
def mounts(monkeypatch):
    listed: list[Mount] = []
    monkeypatch.setattr(disks.psutil, "disk_partitions", lambda **_: listed)
    return listed


def stat(blocks=1000, free=400, available=300, files=100, files_free=25):
    return os.statvfs_result((4096, 4096, blocks, free, available, files, files_free, files_free, 0, 255))


def test_sizes_are_told_as_df_does(mounts):
    mounts.append(Mount("/", opts="ro,relatime"))
    (disk,) = Disks(lambda _path: stat()).read()
    assert (disk.total_bytes, disk.used_bytes, disk.free_bytes) == (4_096_000, 600 * 4096, 300 * 4096)
    assert disk.used_ratio == pytest.approx(600 / 900)
    assert disk.inodes_ratio == 0.75
    assert disk.is_read_only


def test_a_file_system_without_inodes_has_no_share_of_them(mounts):
    mounts.append(Mount("/", fstype="btrfs"))
    (disk,) = Disks(lambda _path: stat(files=0, files_free=0)).read()
    assert disk.inodes_ratio is None


def test_the_kernels_own_images_and_repeated_mounts_are_left_out(tmp_path):
    inner = str(tmp_path)
    chosen = choose_mounts(
        [
            Mount("/proc", "proc", "proc"),
            Mount("/run", "tmpfs", "tmpfs"),
            Mount("/snap/core/1", "squashfs", "/dev/loop1"),
            Mount(inner, "ext4", "/dev/sdb1"),
            Mount("/", "ext4", "/dev/sdb1"),
            Mount("/etc/hostname", "ext4", "/dev/sdc1"),
        ]
    )
    assert [mount.mountpoint for mount in chosen] == ["/"]


def test_the_root_of_a_container_is_a_disk_too():
    assert len(choose_mounts([Mount("/", "overlay", "overlay")])) == 1


def test_a_mount_that_we_may_not_look_at_or_that_is_gone_is_left_out(mounts):
    def refuse(_path):
        raise PermissionError

    mounts.append(Mount("/"))
    assert Disks(refuse).read() == ()


def test_a_mount_that_hangs_is_told_as_hung_without_holding_the_others_up_and_is_asked_only_once(mounts, monkeypatch):
    monkeypatch.setattr(disks, "_PATIENCE_S", 0.01)
    answer, asked = threading.Event(), []

    def statvfs(path):
        asked.append(path)
        if path == "/mnt/nfs":
            answer.wait(10)
        return stat()

    mounts += [Mount("/"), Mount("/mnt/nfs", "nfs4", "server:/export")]
    reader = Disks(statvfs)
    for _ in range(3):
        root, remote = reader.read()
        assert (root.is_hung, remote.is_hung, remote.total_bytes) == (False, True, 0)
    assert asked.count("/mnt/nfs") == 1
    answer.set()
    reader._asked["/mnt/nfs"].done.wait(10)
    assert [disk.is_hung for disk in reader.read()] == [False, False]
