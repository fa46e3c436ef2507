"""What signals a workflow's code waits for, read from its source, so that an approval can be answered with a form.

Only `ctx.signal("name", type=Name)` in the function itself is seen, with a type that its module knows. Whatever else a
workflow waits for is answered with JSON, and the engine checks it all the same.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any


def signal_types(fn: Callable[..., Any]) -> dict[str, Any]:
    """Give the types of the signals that `fn` names, by their names; none where the source cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    except (OSError, TypeError, SyntaxError):
        return {}
    known = getattr(inspect.unwrap(fn), "__globals__", {})
    return {name: known[kind] for name, kind in _signals(tree) if kind in known}


def _signals(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "signal"):
            continue
        kinds = [word.value.id for word in node.keywords if word.arg == "type" and isinstance(word.value, ast.Name)]
        if kinds and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            yield node.args[0].value, kinds[0]
