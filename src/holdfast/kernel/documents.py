"""YAML files as code: strict, with the line of every fault. Reads files; decides nothing about what they mean.

The positions come from PyYAML's node tree; the validation from `kernel.decoding`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import yaml

from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError, InvalidError, Place

T = TypeVar("T")

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_MAX_DEPTH: Final = 64
_MAX_NODES: Final = 200_000  # aliases that refer to aliases grow without end


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """One decoded YAML document and where its parts stand."""

    value: T
    file: str
    lines: dict[decoding.Path, int]

    def place(self, *path: str | int) -> Place:
        """Give the place of a field, or of the nearest thing around it."""
        return Place(self.file, nearest_line(self.lines, path), decoding.field_path(path))


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]  # chosen at run time
    """Safe YAML that leaves dates and `on`/`off`/`yes`/`no` alone, as YAML 1.2 does."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "tTfF":
    _Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), [_first]
    )


def load_yaml(path: Path, model: type[T], *, root: Path | None = None) -> Document[T]:
    """Read the one document in `path`; an empty file reads as an empty mapping.

    Args:
        path: the file; at most 4 MiB of UTF-8.
        model: what to decode it into.
        root: errors name the file relative to this folder.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or does not fit `model`.
    """
    documents = load_yaml_all(path, model, root=root)
    if len(documents) > 1:
        fault = InvalidError("one document is expected here", hint="remove the '---' line", place=documents[1].place())
        raise ConfigError((fault,))
    return (
        documents[0]
        if documents
        else Document(decoding.decode(model, {}, file=_name(path, root)), _name(path, root), {})
    )


def load_yaml_all(path: Path, model: type[T], *, root: Path | None = None) -> tuple[Document[T], ...]:
    """Read every document in `path`; empty ones are passed over. Raises as `load_yaml`."""
    name = _name(path, root)
    documents: list[Document[T]] = []
    problems: list[InvalidError] = []
    for data, lines in _parse(read_text(path, name), name):
        try:
            value = decoding.decode(model, data, file=name, line_of=partial(nearest_line, lines))
            documents.append(Document(value, name, lines))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(documents)


def nearest_line(lines: dict[decoding.Path, int], path: decoding.Path) -> int:
    """Give the line of `path` or, where it is missing, of what holds it; 0 when nothing is known."""
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 0


def read_text(path: Path, name: str) -> str:
    """Read a small UTF-8 file.

    Raises:
        ConfigError: it is missing, unreadable, over 4 MiB or not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _unreadable(name, "is larger than 4 MiB", "split it")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(
            name, f"cannot be read: {error.strerror}", "check that it exists and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise _unreadable(name, f"is not UTF-8 text (byte {error.start})", "is it half-written or binary?") from error


def _unreadable(name: str, what: str, hint: str) -> ConfigError:
    return ConfigError((InvalidError(f"the file {what}", hint=hint, place=Place(name)),))


def _name(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)


def _parse(text: str, name: str) -> Iterator[tuple[Any, dict[decoding.Path, int]]]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            lines: dict[decoding.Path, int] = {}
            _index(node, (), lines, name)
            data = loader.construct_document(node)
            if data is not None:
                yield data, lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = f"not valid YAML: {getattr(error, 'problem', None) or error}"
        place = Place(name, mark.line + 1 if mark else 0)
        hint = "is the file half-written?" if mark and mark.line + 1 >= text.count("\n") else ""
        raise ConfigError((InvalidError(message, hint=hint, place=place),)) from error
    finally:
        loader.dispose()


def _index(node: Any, path: decoding.Path, lines: dict[decoding.Path, int], name: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > _MAX_DEPTH or len(lines) > _MAX_NODES:
        raise ConfigError(
            (InvalidError("nested too deeply or too large", place=Place(name, node.start_mark.line + 1)),)
        )
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen and key.value != "<<":
                place = Place(name, key.start_mark.line + 1, decoding.field_path((*path, key.value)))
                raise ConfigError((InvalidError(f"the key {key.value!r} stands here twice", place=place),))
            seen.add(key.value)
            lines[(*path, key.value)] = key.start_mark.line + 1
            _index(value, (*path, key.value), lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _index(item, (*path, index), lines, name)
