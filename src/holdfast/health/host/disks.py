"""Mounted file systems worth watching, and how full each is; one that hangs (a dead NFS server) hurts nobody else.

`statvfs` on a hung mount (a server that is gone, a dying disk) blocks its thread for ever, so every mount is asked in a
thread of its own, and not again until it has answered.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import psutil

from holdfast.health.host.snapshot import Disk

# Disk-backed by nature, whatever /proc/filesystems says; the rest of its `nodev` types are the kernel's own.
_KEPT: Final = frozenset({"zfs", "btrfs", "xfs", "ext4", "virtiofs", "9p", "apfs", "bcachefs"})
_REMOTE: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "fuse.ceph", "9p", "afs", "lustre"}
)
_PASSED_OVER: Final = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs"})  # full by design
_PATIENCE_S: Final = 1.0
MAX_DISKS: Final = 64


class Mount(Protocol):
    """What psutil says of a mount."""

    @property
    def device(self) -> str: ...  # noqa: D102 - psutil's own names
    @property
    def mountpoint(self) -> str: ...  # noqa: D102
    @property
    def fstype(self) -> str: ...  # noqa: D102
    @property
    def opts(self) -> str: ...  # noqa: D102


class Disks:
    """Reads all mounts, keeping in mind which of them have not answered yet."""

    def __init__(self, statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> None:
        self._statvfs = statvfs
        self._asked: dict[str, _Question] = {}

    def read(self) -> tuple[Disk, ...]:
        """Give every file system once, whatever the number of its mounts; at most 64."""
        found = []
        for mount in choose_mounts(psutil.disk_partitions(all=True)):
            disk = Disk(
                device=mount.device,
                mount=mount.mountpoint,
                fstype=mount.fstype,
                is_read_only="ro" in mount.opts.split(","),
            )
            measured = self._ask(disk)
            if measured is not None:
                found.append(measured)
        return tuple(found)

    def _measure(self, disk: Disk) -> Disk | None:
        """Fill the sizes in; None for one that we may not look at, is gone, or has no size."""
        try:
            stat = self._statvfs(disk.mount)
        except OSError:
            return None
        if stat.f_blocks == 0:
            return None
        block = stat.f_frsize
        return replace(
            disk,
            total_bytes=stat.f_blocks * block,
            used_bytes=(stat.f_blocks - stat.f_bfree) * block,
            free_bytes=stat.f_bavail * block,
            inodes_ratio=1 - stat.f_ffree / stat.f_files if stat.f_files else None,
        )

    def _ask(self, disk: Disk) -> Disk | None:
        """Measure in a thread; while the thread hangs, say so at once instead of starting another."""
        question = self._asked.get(disk.mount)
        if question is None:
            question = self._asked[disk.mount] = _Question(disk, self._measure)
        if not question.done.wait(_PATIENCE_S if question.is_new else 0.0):
            question.is_new = False
            return replace(disk, is_hung=True)
        del self._asked[disk.mount]
        return question.answer


@dataclass(slots=True)
class _Question:
    """One measurement on its way."""

    disk: Disk
    measure: Callable[[Disk], Disk | None]
    answer: Disk | None = None
    is_new: bool = True
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread(target=self._run, name=f"statvfs {self.disk.mount}", daemon=True).start()

    def _run(self) -> None:
        self.answer = self.measure(self.disk)
        self.done.set()


def choose_mounts(mounts: Iterable[Mount]) -> list[Mount]:
    """Leave the kernel's own file systems, images that are full by design, and repeated mounts out."""
    physical = _physical_types()
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        kind = mount.fstype
        is_wanted = kind in physical or kind in _KEPT or kind in _REMOTE or kind.startswith("fuse.")
        is_root = mount.mountpoint == "/"  # a container's root is an overlay, and still the disk that fills up
        if not (is_wanted or is_root) or kind in _PASSED_OVER or kind == "fuse.gvfsd-fuse":
            continue
        may_hang = kind in _REMOTE or kind.startswith("fuse.")
        if not may_hang and not os.path.isdir(mount.mountpoint):  # noqa: PTH112 - containers mount single files
            continue
        key = mount.device if mount.device.startswith("/") else mount.mountpoint
        if key not in chosen or len(mount.mountpoint) < len(chosen[key].mountpoint):
            chosen[key] = mount
    return sorted(chosen.values(), key=lambda mount: mount.mountpoint)[:MAX_DISKS]


def _physical_types() -> frozenset[str]:
    """Give the types that the kernel keeps on block devices; none where it does not say."""
    try:
        with open("/proc/filesystems", encoding="ascii") as file:  # noqa: PTH123 - a fixed name of the kernel
            return frozenset(line.strip() for line in file if not line.startswith("nodev"))
    except OSError:
        return frozenset()
