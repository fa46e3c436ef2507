"""Label values out of a function's call: from its arguments by name, their parts, or its result.

A path is a parameter's name, or `return`, followed by attributes or keys: `order.currency`, `return.status`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

RESULT: Final = "return"
Part = str | Callable[..., object]
"""A path, or a function of the same arguments as the one that is watched."""


class CallParts:
    """Reads parts of the calls of one function."""

    def __init__(self, fn: Callable[..., Any], parts: Mapping[str, Part]) -> None:
        self._signature = inspect.signature(fn)
        self._positions = {name: index for index, name in enumerate(self._signature.parameters)}
        self._parts = dict(parts)
        for label, part in self._parts.items():
            first = part.partition(".")[0] if isinstance(part, str) else RESULT
            if first != RESULT and first not in self._positions:
                known = ", ".join([*self._positions, RESULT])
                named = getattr(fn, "__qualname__", type(fn).__name__)
                raise ValueError(f"{label}={part!r}: {named} has no parameter {first!r}; it has: {known}")

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: object) -> dict[str, Any]:
        """Give the parts of one call, by name; what is not there is the empty string."""
        return {name: self._read(part, args, kwargs, result) for name, part in self._parts.items()}

    def _read(self, part: Part, args: tuple[Any, ...], kwargs: dict[str, Any], result: object) -> Any:
        if callable(part):
            return part(*args, **kwargs)
        first, _, rest = part.partition(".")
        value = result if first == RESULT else self._argument(first, args, kwargs)
        for step in rest.split(".") if rest else ():
            value = value.get(step, "") if isinstance(value, Mapping) else getattr(value, step, "")
        return value

    def _argument(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name in kwargs:
            return kwargs[name]
        position = self._positions[name]
        parameter = self._signature.parameters[name]
        if position < len(args) and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            return args[position]
        return "" if parameter.default is parameter.empty else parameter.default
