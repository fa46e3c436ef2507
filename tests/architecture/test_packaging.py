"""What is shipped, what it is built from, and what must never stand in the repository."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile

import pytest
from hatchling.builders.wheel import WheelBuilder

from architecture.sources import PACKAGE, ROOT, tracked_files

PYPROJECT = (ROOT / "pyproject.toml").read_text()
LOCKS = ("requirements/dev.lock", "requirements/node.lock")

# Put together here, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("py" + "pi", "org"),
        ("python" + "hosted", "org"),
        ("npm" + "js", "org"),
        ("npm" + "js", "com"),
        ("deb", "debian", "org"),
        ("yarnpkg", "com"),
    )
)
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:" + "|".join(("wor" + "k", "hom" + "e/[a-z]", "Use" + "rs", "far" + "m")) + ")/"
)


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    """Names of the files in a wheel built from the tree, without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_package_its_types_and_its_licence(wheel_names):
    assert {"holdfast/__init__.py", "holdfast/py.typed"} <= set(wheel_names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel_names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in wheel_names)


def test_the_wheel_holds_nothing_else(wheel_names):
    foreign = [name for name in wheel_names if not name.startswith(("holdfast/", "holdfast-0."))]
    assert not foreign, "\n".join(foreign)
    assert not [
        name
        for name in wheel_names
        if "/test" in name.replace("/testing/", "").replace("/testing.py", "")
        or name.endswith((".pyc", ".ts", ".tsx", ".map"))
    ]


def test_the_wheel_holds_every_migration_and_data_file(wheel_names):
    wanted = {path.relative_to(PACKAGE.parent).as_posix() for path in tracked_files() if path.is_relative_to(PACKAGE)}
    assert wanted <= set(wheel_names)


def test_the_wheel_holds_the_console_when_it_is_built(wheel_names):
    if not (PACKAGE / "web" / "console" / "index.html").exists():
        pytest.skip("the console is not built; `make ui` builds it")
    assert "holdfast/web/console/index.html" in wheel_names
    assert [name for name in wheel_names if name.startswith("holdfast/web/console/assets/")]


def test_every_dependency_has_its_reason_on_its_line():
    project = tomllib.loads(PYPROJECT)["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (requirement for group in groups for requirement in group):
        if not requirement.startswith("holdfast["):
            assert re.search(rf'^\s*"{re.escape(requirement)}",\s*# \w+', PYPROJECT, re.MULTILINE), requirement


def test_every_rule_that_is_switched_off_has_its_reason_on_its_line():
    everywhere = PYPROJECT.split("\nignore = [", 1)[1].split("\n]", 1)[0]
    in_places = PYPROJECT.split("[tool.ruff.lint.per-file-ignores]\n", 1)[1].split("\n[", 1)[0]
    lines = [*everywhere.splitlines(), *in_places.splitlines()]
    silent = [line for line in lines if line.strip(" ]") and "#" not in line and not line.endswith("[")]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_registry(lock):
    text = (ROOT / lock).read_text()
    pins = [block for block in re.split(r"\n(?=[a-z0-9])", text) if "==" in block.split("\n", 1)[0]]
    assert pins
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", text)


def test_the_lock_holds_every_dependency():
    locked = {
        match.lower() for match in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / LOCKS[0]).read_text(), re.MULTILINE)
    }
    project = tomllib.loads(PYPROJECT)["project"]
    wanted = [
        *project["dependencies"],
        *(item for group in project["optional-dependencies"].values() for item in group),
    ]
    names = {re.split(r"[\s<>=!~;\[]", item, maxsplit=1)[0].lower() for item in wanted} - {"holdfast"}
    assert names - locked == set()


def test_the_lock_of_the_console_names_no_registry():
    lock = ROOT / "ui" / "package-lock.json"
    if not lock.exists():
        pytest.skip("there is no console here")
    packages = json.loads(lock.read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and not package.get("integrity")] == []


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine():
    faults = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", "ignore")
        place = path.relative_to(ROOT).as_posix()
        faults += [f"{place}: {host}" for host in REGISTRY_HOSTS if host in text]
        faults += [f"{place}: {found.group()}" for found in MACHINE_PATHS.finditer(text)]
    assert not faults, "\n".join(faults)
