"""Tells whether the code of a workflow is still what a run began with: a hash of what its function says.

Comments, docstrings, layout and line numbers do not count. What the function calls is not looked into: the version of
a workflow is there for that.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any


def fingerprint(fn: Callable[..., Any]) -> str:
    """Give 16 hexadecimal digits; from the bytecode and Python's version where there is no source."""
    try:
        text = textwrap.dedent(inspect.getsource(fn))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        content = f"{sys.version_info[:2]}{list(_code(fn.__code__))}" if hasattr(fn, "__code__") else repr(fn)
    else:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                _strip(node)
        content = ast.dump(tree, include_attributes=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _strip(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    node.decorator_list = []  # the version, the queue and the timeout may change under a run
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _code(code: types.CodeType) -> Iterator[Any]:
    yield code.co_code.hex()
    yield code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)
