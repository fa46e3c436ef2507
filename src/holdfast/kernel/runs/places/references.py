"""Names a function so that another process finds it, and tells those who cannot be named what to do."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from holdfast.kernel.runs.places.errors import StepPlaceError


@dataclass(frozen=True, slots=True)
class FunctionName:
    """`main` is the script's file when the function stands in the program's own main module."""

    module: str
    name: str
    main: str = ""


def name_function(function: Callable[..., Any], step: str) -> FunctionName:
    """Give the name under which `function` is imported.

    Raises:
        StepPlaceError: it is a lambda, a method of an object, or made inside another function.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not module or not name or "<" in name or inspect.ismethod(function):
        raise _unreachable(step, name or repr(function)[:80])
    loaded = sys.modules.get(module)
    found: Any = loaded
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function:
        raise _unreachable(step, name)
    if module != "__main__":
        return FunctionName(module, name)
    script = getattr(loaded, "__file__", None)
    if not script:
        raise _unreachable(step, f"{name}, which was typed into an interactive session")
    return FunctionName(module, name, str(script))


def _unreachable(step: str, name: str) -> StepPlaceError:
    return StepPlaceError(
        f"step {step}: another process cannot import {name}",
        hint="give a function that stands at the top of a module, and its data as arguments; or place='thread'",
    )
