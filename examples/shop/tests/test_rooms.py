"""The shop's own floors: services are strangers to each other, and what is generated or committed is current."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shop.settings import ServiceName

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "src" / "shop"
SHARED = {"api", "chassis", "storage", "peers", "wire"}
# What a service's package may import of the shop besides itself.
ALLOWED = SHARED | {"settings"}


def imports_of(path: Path) -> set[str]:
    """Return every `shop.x...` that a module imports, lazily or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shop."):
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("shop.")}
    return found


@pytest.mark.parametrize("service", [*ServiceName, "traffic"])
def test_a_service_knows_no_other_service(service: str) -> None:
    for path in (SHOP / service).rglob("*.py"):
        strangers = {name for name in imports_of(path) if name.split(".")[1] not in ALLOWED | {service}}
        assert not strangers, f"{path}: {strangers}"


@pytest.mark.parametrize(
    ("room", "below"), [("chassis", set()), ("storage", {"chassis"}), ("peers", {"chassis"}), ("api", {"chassis"})]
)
def test_what_is_shared_knows_no_service(room: str, below: set[str]) -> None:
    for path in (SHOP / room).rglob("*.py"):
        assert {name.split(".")[1] for name in imports_of(path)} <= below | {room, "settings"}, path


def test_others_come_in_through_the_door() -> None:
    for path in SHOP.rglob("*.py"):
        own = path.relative_to(SHOP).parts[0]
        for name in imports_of(path):
            parts = name.split(".")
            if parts[1] in SHARED - {"wire"} and parts[1] != own:
                assert len(parts) == 2, f"{path} imports {name}: import from shop.{parts[1]}"


def test_a_service_process_does_not_pay_for_what_it_does_not_use(tmp_path: Path) -> None:
    """Without their URLs neither Redis, NATS, PostgreSQL nor the exporters are imported."""
    code = (
        "import sys, pathlib\n"
        "from importlib import import_module\n"
        "from shop.settings import Settings, ServiceName\n"
        f"settings = Settings(pathlib.Path({str(tmp_path)!r}))\n"
        "[import_module(f'shop.{name}').build(settings) for name in ServiceName]\n"
        "heavy = {'redis', 'nats', 'psycopg', 'requests', 'opentelemetry.exporter'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT.parents[1] / "src")])}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_committed_grpc_code_is_generated_from_the_proto(tmp_path: Path) -> None:
    out = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'proto'}", *out]
    subprocess.run([*protoc, str(ROOT / "proto" / "shop" / "wire" / "inventory.proto")], check=True)
    for made in (tmp_path / "shop" / "wire").iterdir():
        assert made.read_text() == (SHOP / "wire" / made.name).read_text(), f"{made.name}: run proto/generate.sh"
