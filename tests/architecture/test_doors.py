"""A room is entered by its door, and the door says what is behind it."""

from __future__ import annotations

import ast

import pytest

from architecture.sources import PACKAGE, house_modules

PACKAGES = [module for module in house_modules() if module.is_package and module.path.parent.name != "migrations"]
KERNEL = "holdfast.kernel"
# Doors beside the door: what needs an extra, or belongs to tests only, must not cost whoever imports the room.
SIDE_DOORS = tuple(
    f"holdfast.resilience.{name}" for name in ("testing", "locks", "leaders", "redis", "sql", "http", "concurrency")
)


def read_all(module):
    """Give the names in a module's `__all__`, or None without one."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return ast.literal_eval(node.value)
    return None


DOORS = {
    module.name: read_all(module) or [] for module in house_modules() if module in PACKAGES or module.name in SIDE_DOORS
}


def find_room(name):
    """Give the room that a module belongs to; each part of the kernel is one of its own."""
    parts = name.split(".")
    return ".".join(parts[: 3 if name.startswith(f"{KERNEL}.") else 2])


def find_imports(module):
    """Give each import of our own modules: its line, the module it names, and the names it takes from there."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "holdfast":
            yield node.lineno, node.module, [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "holdfast":
                    yield node.lineno, alias.name, []


def find_trespass(module_name, target, names):
    """Tell why an import goes around a door, or return None."""
    if target in {"holdfast", KERNEL} or find_room(target) == find_room(module_name):
        return None
    if target != find_room(target) and target not in SIDE_DOORS:
        return f"reaches into {target}; its door is {find_room(target)}"
    hidden = [name for name in names if target in DOORS and name not in DOORS[target]]
    hidden += [name for name in names if name.startswith("_") and name not in hidden]
    return f"takes {', '.join(hidden)}, which {target} does not offer in __all__" if hidden else None


@pytest.mark.parametrize("module", PACKAGES, ids=lambda module: module.name)
def test_a_door_says_what_it_owns_and_lists_what_it_offers(module):
    assert ast.get_docstring(module.tree), "the docstring says what the package owns and what it refuses"
    offered = read_all(module)
    assert offered is not None, "no __all__"
    assert len(set(offered)) == len(offered)


def test_rooms_import_each_others_doors_only():
    trespasses = [
        f"{module.place}:{line} {fault}"
        for module in house_modules()
        for line, target, names in find_imports(module)
        if (fault := find_trespass(module.name, target, names))
    ]
    assert not trespasses, "\n".join(trespasses)


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
