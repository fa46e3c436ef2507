"""The source tree as the rules of the house see it: every module parsed once, with its place."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "holdfast"
GENERATED = ("examples/shop/src/shop/wire/",)
CODE_FOLDERS = ("src", "tests", "examples", "benchmarks", "docs")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path

    @property
    def place(self) -> str:
        """The path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def name(self) -> str:
        """The dotted name, for modules under src."""
        parts = self.path.relative_to(ROOT / "src").with_suffix("").parts
        return ".".join(parts[:-1] if self.is_package else parts)

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Give every function and method, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@cache
def all_modules() -> tuple[Module, ...]:
    """Give every Python file that people write."""
    found = [path for folder in CODE_FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    modules = (Module(path) for path in [*found, ROOT / "conftest.py"])
    return tuple(module for module in modules if not module.place.startswith(GENERATED))


@cache
def house_modules() -> tuple[Module, ...]:
    """Give the modules of the package itself."""
    return tuple(module for module in all_modules() if module.path.is_relative_to(PACKAGE))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Give every file that is, or is about to be, in the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file())
