"""Full disks, crashes, buckets that are away, and processes that never use a bucket."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.kernel.blobs import Blobs, BlobSettings, FolderStore, open_blobs
from holdfast.kernel.errors import ConflictError, InvalidError, StorageFullError, UnavailableError


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    blobs = Blobs(FolderStore(tmp_path))

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFullError):
        await blobs.put("runs/a", b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_the_file_is_flushed_before_it_is_seen_and_its_folders_after(tmp_path, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (order.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real_fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda old, new: (order.append("rename"), real_replace(old, new)))
    await Blobs(FolderStore(tmp_path / "blobs")).put("runs/default/a", b"x")
    at = order.index("rename")
    assert [place for place in order[:at] if ".incoming" in place]
    assert {str(tmp_path / "blobs" / "runs" / "default"), str(tmp_path / "blobs" / "runs")} <= set(order[at:])


async def test_what_a_crash_left_half_written_is_cleared(tmp_path):
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "half").write_bytes(b"x")
    blobs = Blobs(FolderStore(tmp_path))
    await blobs.put("runs/a", b"x")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a"]
    assert [stored.key async for stored in blobs.list()] == ["runs/a"]


async def test_the_last_blob_takes_its_empty_folders_with_it(tmp_path):
    blobs = Blobs(FolderStore(tmp_path))
    await blobs.put("runs/default/a/b", b"x")
    await blobs.delete("runs/default/a/b")
    assert [path.name for path in tmp_path.iterdir()] == [".incoming"]


async def test_a_key_inside_another_blobs_key_is_refused_by_the_folder(tmp_path):
    blobs = Blobs(FolderStore(tmp_path))
    await blobs.put("runs/a", b"x")
    with pytest.raises(ConflictError, match="runs/a/b"):
        await blobs.put("runs/a/b", b"x")
    assert await blobs.get("runs/a") == b"x"


async def test_a_bucket_that_refuses_is_told_with_its_setting(bucket, bucket_store):
    bucket.is_down = True
    with pytest.raises(UnavailableError, match=r"s3://blobs/team.*\[blobs\]") as caught:
        await Blobs(bucket_store).put("runs/a", b"x")
    assert "secret" not in str(caught.value).replace("credentials", "")


async def test_a_bucket_holds_blobs_below_its_path(bucket, bucket_store):
    await Blobs(bucket_store).put("runs/a", b"x")
    assert bucket.objects == {"team/runs/a": b"x"}


def test_a_url_of_no_store_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(InvalidError, match=r"ftp.*s3://bucket/path"):
        open_blobs(BlobSettings(url="ftp://host/x"), tmp_path)


def test_a_folder_of_blobs_loads_no_client_of_buckets(tmp_path):
    script = (
        "import asyncio, sys, pathlib\n"
        "from holdfast.kernel.blobs import BlobSettings, open_blobs\n"
        f"blobs = open_blobs(BlobSettings(), pathlib.Path({str(tmp_path)!r}))\n"
        "asyncio.run(blobs.put('runs/a', b'x'))\n"
        "sys.exit('obstore' in sys.modules)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, timeout=60, check=False).returncode == 0
