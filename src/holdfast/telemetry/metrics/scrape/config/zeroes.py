"""What a key without a value means: in Go the zero of its type, which is not always the default.

`honor_timestamps:` alone is false, `replacement:` alone the empty text. Walks a tree beside the model that it will be
decoded into; what the model does not know stays, to be refused there.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_OTHER: Final = object()


def settled(model: Any, data: Any) -> Any:
    """Give `data` with every None that `model` knows replaced by its zero, or left out where that is the default."""
    model = _bare(model)
    if isinstance(model, type) and dataclasses.is_dataclass(model) and isinstance(data, dict):
        known = _fields(model)
        found = {name: _given(known[name], value) if name in known else value for name, value in data.items()}
        return {name: value for name, value in found.items() if value is not _OTHER}
    inner = typing.get_args(model)
    if isinstance(data, list) and inner:
        return [_item(inner[0], each) for each in data]
    if isinstance(data, dict) and len(inner) == 2:
        return {name: _item(inner[1], each) for name, each in data.items() if each is not None or inner[1] is str}
    return data


def _given(field: tuple[Any, Any], value: Any) -> Any:
    kind, default = field
    if value is not None:
        return settled(kind, value)
    if not isinstance(default, str | bool | int | float) or not default:
        return _OTHER
    return "" if isinstance(default, str) else type(default)()


def _item(kind: Any, value: Any) -> Any:
    return "" if value is None and _bare(kind) is str else settled(kind, value)


@lru_cache(maxsize=128)
def _fields(model: type) -> Mapping[str, tuple[Any, Any]]:
    hints = typing.get_type_hints(model)
    return {one.name: (hints[one.name], one.default) for one in dataclasses.fields(model)}


def _bare(kind: Any) -> Any:
    """Give a type without what is said about it, and without None."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _bare(typing.get_args(kind)[0])
    if origin in {typing.Union, types.UnionType}:
        return next((_bare(one) for one in typing.get_args(kind) if one is not types.NoneType), kind)
    return kind
