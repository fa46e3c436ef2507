"""What signals a workflow's code waits for, read from its source, so that an approval can be answered with a form.

Only `ctx.signal("name", type=Name)` in the function itself is seen, with a type that its module knows. Whatever else a
workflow waits for is answered with JSON, and the engine checks it all the same.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any


@functools.lru_cache(maxsize=1024)
def signal_types(fn: Callable[..., Any]) -> dict[str, Any]:
    """Give the types of the signals that `fn` names, by their names; none where the source cannot be read.

    A name that stands there with several types, or once without one, is left out: nobody could tell which is meant.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    except (OSError, TypeError, SyntaxError):
        return {}
    known = getattr(inspect.unwrap(fn), "__globals__", {})
    known = {**vars(builtins), **known}
    kinds: dict[str, set[str]] = {}
    for name, kind in _signals(tree):
        kinds.setdefault(name, set()).add(kind)
    return {name: known[kind] for name, (kind, *others) in kinds.items() if not others and kind in known}


def _signals(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "signal"):
            continue
        kinds = [ast.unparse(word.value) for word in node.keywords if word.arg == "type"]
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            yield node.args[0].value, kinds[0] if kinds else ""
