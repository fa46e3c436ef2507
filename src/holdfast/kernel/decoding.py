"""From plain data (YAML, TOML, JSON) to frozen, validated dataclasses, with every fault named by place and fix.

Knows pydantic's error shapes, `wording` their words, so that no other module has to; where a field's line comes from is
the caller's knowledge.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.wording import word

MOST_FAULTS: Final = 100  # that are told at once; each looks for the nearest known key
_MOST_KEY: Final = 100  # letters of an unknown key that are told
T = TypeVar("T")
Path = tuple[str | int, ...]
LineOf = Callable[[Path], int]


def decode(model: type[T], data: Any, *, file: str = "", line_of: LineOf | None = None, at: Path = ()) -> T:
    """Validate `data` against `model`, a dataclass or any type that pydantic knows.

    Raises:
        ConfigError: with one `InvalidError` per fault, of the first 100, each with file, line, field and, for unknown
            keys, the nearest known one.
    """
    try:
        decoded: T = adapter(model).validate_python(data)  # type: ignore[arg-type]  # every type is hashable
    except ValidationError as error:
        faults = error.errors(include_url=False)[:MOST_FAULTS]
        raise ConfigError(tuple(_problem(model, fault, file, line_of, at) for fault in faults)) from None
    return decoded


@lru_cache(maxsize=512)
def adapter(model: Any) -> TypeAdapter[Any]:
    """Give the compiled validator of `model`; building one costs milliseconds, using one microseconds."""
    return TypeAdapter(model)


def field_path(path: Iterable[str | int]) -> str:
    """Write a path as people do: `checks[2].http.url`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{_short(step)}" if text else _short(step)
    return text


def _short(key: object) -> str:
    text = str(key)
    return text if len(text) <= _MOST_KEY else f"{text[:_MOST_KEY]}..."


def suggest(given: str, known: Iterable[str]) -> str:
    """Give `did you mean ...?`, the list of what is known, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(names)}" if names and len(names) <= 30 else ""


def _problem(model: Any, fault: Any, file: str, line_of: LineOf | None, at: Path) -> InvalidError:
    path: Path = tuple(step for step in fault["loc"] if not _is_union_branch(step))
    message, hint = str(fault["msg"]), ""
    if fault["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        key = str(fault["loc"][-1])  # as it was written, even where it looks like a branch of a union
        above = path[:-1] if path and path[-1] == fault["loc"][-1] else path
        message, hint = f"unknown key {_short(key)!r}", suggest(_short(key), _known_keys(model, above))
    elif fault["type"] in {"missing", "missing_argument"}:
        message = f"{path[-1]!r} is required" if path else "a value is required"
    elif fault["type"] == "value_error":
        message = message.removeprefix("Value error, ")
    elif fault["type"] not in {"duration", "size"}:
        message, hint = word(fault["type"], message, fault.get("ctx", {}), fault["input"])
    whole = (*at, *path)
    line = line_of(whole) if line_of else 0
    return InvalidError(message, hint=hint, place=Place(file, line, field_path(whole)))


def _is_union_branch(step: str | int) -> bool:
    return isinstance(step, str) and ("[" in step or step in {"constrained-str", "is-instance"})


def _known_keys(model: Any, path: Path) -> set[str]:
    """Follow `path` through the types of `model` down to the dataclass whose key was unknown."""
    found = [model]
    for step in path:
        found = [inner for kind in found for inner in _step(kind, step)]
    return {
        field.name
        for kind in found
        for shape in _shapes(kind)
        if dataclasses.is_dataclass(shape)
        for field in dataclasses.fields(shape)
    }


def _step(kind: Any, step: str | int) -> list[Any]:
    results: list[Any] = []
    for shape in _shapes(kind):
        if dataclasses.is_dataclass(shape) and isinstance(step, str):
            hints = typing.get_type_hints(shape, include_extras=False)
            results += [hints[step]] if step in hints else []
        elif typing.get_args(shape):
            results.append(typing.get_args(shape)[-1 if isinstance(step, str) else 0])
    return results


def _shapes(kind: Any) -> list[Any]:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _shapes(typing.get_args(kind)[0])
    if origin in {typing.Union, types.UnionType}:
        return [shape for part in typing.get_args(kind) for shape in _shapes(part)]
    return [kind]
