"""Things that may happen in few places only: reading the environment, and catching everything."""

from __future__ import annotations

import ast
import re

from architecture.sources import house_modules

MAY_READ_ENVIRONMENT = (
    "src/holdfast/kernel/settings",
    "src/holdfast/kernel/secrets",
    "src/holdfast/kernel/runs/places/guard.py",  # a program of its own: it hands its environment on to a step's process
    "src/holdfast/cli/",
)
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
FENCE = re.compile(r"#.*\b(fence\b.*\b(request|job|channel|plugin)\b|(request|job|channel|plugin) fence\b)")
BROAD = {"Exception", "BaseException"}


def touches_environment(node):
    """Tell whether a node is `os.environ` and its like, or imports one."""
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in ENVIRONMENT
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and bool(ENVIRONMENT & {alias.name for alias in node.names})
    return False


def is_broad(handler):
    """Tell whether an `except` catches everything."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)


def passes_on(handler):
    """Tell whether an `except` always ends by raising what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_settings_secrets_and_the_command_read_the_environment():
    readers = [
        f"{module.place}:{node.lineno}"
        for module in house_modules()
        if not module.place.startswith(MAY_READ_ENVIRONMENT)
        for node in ast.walk(module.tree)
        if touches_environment(node)
    ]
    assert not readers, "\n".join(readers)


def test_everything_is_caught_at_marked_fences_only():
    unmarked = [
        f"{module.place}:{node.lineno}"
        for module in house_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and is_broad(node)
        and not passes_on(node)
        and not FENCE.search(module.lines[node.lineno - 1])
    ]
    assert not unmarked, "\n".join(unmarked)
