"""A folder that is somebody else's, damaged, or no store at all: said with its place and the way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from holdfast.kernel.errors import ConflictError, HoldfastError, InvalidError, UnavailableError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.secrets import Secret
from holdfast.store import Store, StoreSettings
from holdfast.store.folder import LOCK_FILE, FolderLock
from store.samples import SAMPLES, SCHEMA, rows

HOLD = """
import pathlib, sys
from holdfast.store.folder import FolderLock
FolderLock.take(pathlib.Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "columns")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(
        command, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, **pipes
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        yield other
        other.kill()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    store = Store(StoreSettings(linger=0.0), folder=folder)
    await store.register(SCHEMA)
    async with store:
        yield store


async def refused(folder: Path) -> None:
    async with opened(folder):
        pytest.fail("the store opened")


async def written(folder: Path) -> None:
    """Leave a closed store with three parts in one table."""
    async with opened(folder) as store:
        for value in range(3):
            await store.writer(SAMPLES).write(rows([value]), tenant=DEFAULT_TENANT)


async def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path, holder):
    with pytest.raises(ConflictError, match=rf"in use by process {holder.pid}.*stop process {holder.pid}"):
        await refused(tmp_path / "columns")


async def test_a_process_that_was_killed_leaves_no_lock_behind(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(timeout=30)
    async with opened(tmp_path / "columns"):
        assert (tmp_path / "columns" / LOCK_FILE).read_text() == f"{os.getpid()}\n"


async def test_two_stores_of_one_process_share_a_folder_but_not_two_folders(tmp_path):
    async with opened(tmp_path / "one"), opened(tmp_path / "one"):
        with pytest.raises(ConflictError, match="one folder per process"):
            await refused(tmp_path / "two")
    async with opened(tmp_path / "two"):
        pass


async def test_a_store_that_fails_to_open_gives_the_folder_back(tmp_path):
    folder = tmp_path / "columns"
    await written(folder)
    [file] = folder.rglob("samples.sql")
    text = file.read_text()
    file.write_text("")
    with pytest.raises(UnavailableError):
        await refused(folder)
    file.write_text(text)
    FolderLock.take(folder).release()
    async with opened(folder):
        pass


async def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "columns").write_text("")
    with pytest.raises(InvalidError, match="columns: the store needs a folder"):
        await refused(tmp_path / "columns")


async def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InvalidError, match=r"something else than a store, such as thesis\.tex"):
        await refused(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["thesis.tex"]


async def test_a_folder_that_cannot_be_made_says_why():
    with pytest.raises(UnavailableError, match="/proc/holdfast: the store's folder cannot be used"):
        await refused(Path("/proc/holdfast"))


@pytest.mark.parametrize("leave", [0, 3, 60])
@pytest.mark.parametrize("file", ["samples.sql", "holdfast.sql"])
async def test_a_cut_description_is_named(tmp_path, file, leave):
    folder = tmp_path / "columns"
    await written(folder)
    [damaged] = folder.rglob(file)
    damaged.write_bytes(damaged.read_bytes()[:leave].rstrip())
    with pytest.raises(
        UnavailableError, match=rf"{file}: the store's description of a table is damaged.*from a backup"
    ):
        await refused(folder)


async def test_a_description_that_is_no_sql_is_refused_by_the_engine(tmp_path, capfd):
    folder = tmp_path / "columns"
    await written(folder)
    [damaged] = folder.rglob("samples.sql")
    damaged.write_text("ATTACH TABLE something 'else\n")
    with pytest.raises(UnavailableError, match=f"the store in {folder} fails.*standard error"):
        await refused(folder)
    assert "samples.sql" in capfd.readouterr().err


async def test_a_cut_part_is_put_aside_and_told_and_the_rest_is_served(tmp_path):
    folder = tmp_path / "columns"
    await written(folder)
    table = next(path for path in folder.glob("data/holdfast/samples")).resolve()
    part = next(table.glob("*/data.bin"))
    part.write_bytes(part.read_bytes()[:10])
    with capture_logs() as lines:
        async with opened(folder) as store:
            sql = "SELECT count() AS n FROM samples WHERE tenant = {tenant:String}"
            found = (await store.query(sql, tenant=DEFAULT_TENANT))["n"].to_pylist()
    assert found == [2]
    assert [(line["event"], line["table"], line["parts"]) for line in lines] == [("store.parts_broken", "samples", 1)]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://host/db", "write chdb:///folder or clickhouse://"),
        ("clickhouse://host:port/db", "malformed.*special characters"),
        ("clickhouse://host/some-db", "is no name"),
        ("chdb://", "write chdb:///folder"),
    ],
)
async def test_a_url_that_is_none_is_refused_without_being_repeated(url, message):
    with pytest.raises(HoldfastError, match=message) as caught:
        await Store(StoreSettings(url=Secret(url.replace("://", "://user:hunter2@")))).open()
    assert "hunter2" not in str(caught.value)
