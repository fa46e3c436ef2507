"""YAML files as code: strict, with the line of every fault. Reads files; decides nothing about what they mean.

The positions come from PyYAML's node tree; the validation from `kernel.decoding`.
"""

from __future__ import annotations

import contextlib
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
_NEVER: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAX_DEPTH: Final = 64
_SAFE_DEPTH: Final = 5000  # levels for which the stack of a thread has room
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

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 -- PyYAML's signature
        """Make a value of a node; what does not fit its tag is a fault of YAML, with its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            said = f"{node.value[:40]!r}" if isinstance(node, yaml.ScalarNode) else "this"
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(None, None, f"{said} is no {kind}", node.start_mark) from error


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
        line = error.object[: error.start].count(b"\n") + 1
        what = f"is not UTF-8 text (byte {error.start})"
        raise _unreadable(name, what, "save it as UTF-8; is it half-written or binary?", line) from error


def _unreadable(name: str, what: str, hint: str, line: int = 0) -> ConfigError:
    return ConfigError((InvalidError(f"the file {what}", hint=hint, place=Place(name, line)),))


def demand_readable(text: str, name: str) -> None:
    """Refuse a text that no YAML reader is to try: with characters that have no place in it, or nested too deeply.

    libyaml composes by recursion and does not bound it: a megabyte of `[` ends the process.

    Raises:
        ConfigError: with the line of the first fault.
    """
    found = _NEVER.search(text)
    if found is not None:
        place = Place(name, text.count("\n", 0, found.start()) + 1)
        said = f"the character {found[0]!r} has no place in a text"
        raise ConfigError((InvalidError(said, hint="remove it; is the file half-written or binary?", place=place),))
    # Each level takes a bracket, or at least a column for each two of them; few texts need to be looked at.
    if text.count("[") + text.count("{") + 2 * max(map(len, text.split("\n"))) > _SAFE_DEPTH:
        _demand_shallow(text, name)


def _demand_shallow(text: str, name: str) -> None:
    depth = 0
    with contextlib.suppress(yaml.YAMLError):  # told with its line by whoever reads it
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH and event.start_mark is not None:
                raise ConfigError((_too_deep(name, event.start_mark.line + 1),))


def _too_deep(name: str, line: int) -> InvalidError:
    hint = f"at most {_MAX_DEPTH} levels, and {_MAX_NODES} parts"
    return InvalidError("nested too deeply or too large", hint=hint, place=Place(name, line))


def _name(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)


def _parse(text: str, name: str) -> Iterator[tuple[Any, dict[decoding.Path, int]]]:
    demand_readable(text, name)
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
        raise ConfigError((yaml_fault(error, text, name),)) from error
    finally:
        loader.dispose()


def yaml_fault(error: yaml.YAMLError, text: str, name: str) -> InvalidError:
    """Say what is no YAML in `text`, at which line, and how it is mended where that is known."""
    mark = getattr(error, "problem_mark", None)
    message = f"not valid YAML: {getattr(error, 'problem', None) or error}"
    if mark is None:
        return InvalidError(message, place=Place(name))
    line = (text.split("\n")[mark.line : mark.line + 1] or [""])[0]
    is_cut = mark.line + 1 >= text.count("\n") and not isinstance(error, yaml.constructor.ConstructorError)
    hint = "is the file half-written?" if is_cut else ""
    if message.endswith("but found another document"):
        message, hint = "one document is expected here", "remove the '---' line"
    if line.lstrip(" ").startswith("\t"):
        hint = "indent with blanks, not with tabs"
    return InvalidError(message, hint=hint, place=Place(name, mark.line + 1))


def _index(node: Any, path: decoding.Path, lines: dict[decoding.Path, int], name: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > _MAX_DEPTH or len(lines) > _MAX_NODES:
        raise ConfigError((_too_deep(name, node.start_mark.line + 1),))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                place = Place(name, key.start_mark.line + 1, decoding.field_path(path))
                raise ConfigError((InvalidError("a key is no text", hint="put it in quotes", place=place),))
            if key.value in seen and key.value != "<<":
                place = Place(name, key.start_mark.line + 1, decoding.field_path((*path, key.value)))
                raise ConfigError((InvalidError(f"the key {key.value!r} stands here twice", place=place),))
            seen.add(key.value)
            lines[(*path, key.value)] = key.start_mark.line + 1
            _index(value, (*path, key.value), lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _index(item, (*path, index), lines, name)
