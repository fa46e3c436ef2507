"""What stands in the ops folder and cannot be read is a fault of its own; nothing of it is taken for missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.ops import inspect_all
from holdfast.kernel.wiring import OpsFolder


def told(path: Path) -> list[str]:
    return [str(fault) for fault in inspect_all(path, ()).problems]


@pytest.fixture
def stranger():
    """Another user than root, who may read everything; the process is that user until it is over."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    yield
    os.seteuid(0)


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "services").symlink_to("services")
    (tmp_path / "checks" / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "checks" / "gone.yml").symlink_to("nowhere")
    (tmp_path / "checks" / ".#edited.yaml").symlink_to("ada@host.7")
    (tmp_path / "README").symlink_to("nowhere")
    (tmp_path / "checks" / "up").symlink_to("..")
    loop = "it cannot be read: Too many levels of symbolic links (mend or remove the link)"
    assert sorted(told(tmp_path)) == [
        "checks/gone.yml: the link leads nowhere (mend or remove the link)",
        f"checks/loop.yaml: {loop}",
        f"services: {loop}",
    ]


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    file, loop, gone = (tmp_path / name for name in ("file", "loop", "gone"))
    file.write_text("x")
    loop.symlink_to(loop)
    gone.symlink_to("nowhere")
    assert told(tmp_path / "missing") == []
    assert told(file) == [f"{file}: this is no folder (name the folder that it is in)"]
    assert told(loop)[0].startswith(f"{loop}: it cannot be read: Too many levels")
    assert told(gone)[0].startswith(f"{gone}: the link leads nowhere")


def test_folders_without_rights_are_told(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks").chmod(0)
    request.getfixturevalue("stranger")
    [fault] = told(tmp_path)
    assert fault.endswith("it cannot be read: Permission denied (let the user that runs Holdfast read it)")


def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "checks").write_text("checks: []")
    folder = OpsFolder(tmp_path)
    for pattern in ("checks/*.yaml", "checks/**/*.yaml"):
        with pytest.raises(ConfigError, match=r"checks: this is a file \(make it a folder: checks/\)"):
            folder.files(pattern)
    assert folder.files("services/*.yaml") == []
