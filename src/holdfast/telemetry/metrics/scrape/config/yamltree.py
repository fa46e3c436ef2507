"""YAML as Go reads it into text fields: every scalar keeps its letters (`regex: 1` is "1"), and each part its line.

The model that a tree is decoded into says what is a number, and what a key without a value means. Reads one document;
knows nothing of Prometheus.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import yaml

from holdfast.kernel import decoding
from holdfast.kernel.documents import demand_readable, nearest_line, yaml_fault
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.telemetry.metrics.scrape.config.zeroes import settled

_MAX_DEPTH: Final = 64
_MAX_NODES: Final = 500_000
_NOTHING: Final = {"", "~", "null", "Null", "NULL"}


T = TypeVar("T")


class Quoted(str):
    """A text that stands in quotes or in a block: never a truth or a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """One document: mappings, lists, texts and None, with the line of every part."""

    file: str
    value: Any
    lines: dict[decoding.Path, int]

    def place(self, *path: str | int) -> Place:
        """Give the place of a part, or of the nearest thing around it."""
        return Place(self.file, nearest_line(self.lines, path), decoding.field_path(path))

    def line_of(self, path: decoding.Path) -> int:
        """Give the line of a part, or of the nearest thing around it."""
        return nearest_line(self.lines, path)

    def decode(self, model: type[T], data: Any, *at: str | int) -> T:
        """Decode a part of the document; raises `ConfigError` with every fault, each with its place."""
        return decoding.decode(model, settled(model, data), file=self.file, line_of=self.line_of, at=at)

    def fault(self, message: str, *path: str | int, hint: str = "") -> InvalidError:
        """Give an error at a part."""
        return InvalidError(message, hint=hint, place=self.place(*path))


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]  # chosen at run time
    """Only for its composer, and for the merging of `<<` keys; `merged` counts what merging has brought."""

    merged = 0


def read_tree(text: str, file: str) -> Tree:
    """Read one document; an empty one is an empty mapping.

    Raises:
        ConfigError: not YAML, more than one document, a key twice, too deep, or bytes that are no text.
    """
    demand_readable(text, file)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[decoding.Path, int] = {}
        value = _walk(loader, node, (), lines, file) if node is not None else {}
    except yaml.YAMLError as error:
        raise ConfigError((yaml_fault(error, text, file),)) from None
    finally:
        loader.dispose()
    return Tree(file, {} if value is None else value, lines)


def _walk(loader: _Loader, node: Any, path: decoding.Path, lines: dict[decoding.Path, int], file: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > _MAX_DEPTH or len(lines) > _MAX_NODES:
        raise ConfigError((_too_deep(file, line),))
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines, file)
    if isinstance(node, yaml.SequenceNode):
        return [_walk(loader, item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    return _scalar(node, path, file)


def _mapping(loader: _Loader, node: Any, path: decoding.Path, lines: dict[decoding.Path, int], file: str) -> Any:
    own = Counter(key.value for key, _ in node.value if not isinstance(key.value, list))
    doubled = {key for key, times in own.items() if times > 1 and key != "<<"}
    if doubled:
        key = min(doubled)
        spot = max(k.start_mark.line for k, _ in node.value if k.value == key) + 1
        fault = InvalidError(f"the key {key!r} stands here twice", place=Place(file, spot, decoding.field_path(path)))
        raise ConfigError((fault,))
    loader.merged += _count_merged(node)
    if loader.merged > _MAX_NODES:  # mappings that merge others that merge others grow without end
        raise ConfigError((_too_deep(file, node.start_mark.line + 1),))
    loader.flatten_mapping(node)
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = _scalar(key, path, file) if isinstance(key, yaml.ScalarNode) else None
        if name is None:
            place = Place(file, key.start_mark.line + 1, decoding.field_path(path))
            raise ConfigError((InvalidError("a key that is no text", place=place),))
        lines[(*path, name)] = key.start_mark.line + 1
        found[name] = _walk(loader, value, (*path, name), lines, file)
    return found


def _count_merged(node: Any, above: tuple[Any, ...] = ()) -> int:
    """Count the pairs that `<<` brings into a mapping; those that stand before it in the file are merged already."""
    merging = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
    sources = [each for value in merging for each in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
    within = (*above, node)
    return sum(
        len(each.value) + _count_merged(each, within)
        for each in sources
        if isinstance(each, yaml.MappingNode) and each not in within
    )


def _too_deep(file: str, line: int) -> InvalidError:
    hint = f"at most {_MAX_DEPTH} levels, and {_MAX_NODES} parts"
    return InvalidError("nested too deeply or too large", hint=hint, place=Place(file, line))


def _scalar(node: Any, path: decoding.Path, file: str) -> str | None:
    if node.tag == "tag:yaml.org,2002:binary":
        try:
            return base64.b64decode(node.value, validate=True).decode()
        except ValueError:  # of base64 or of UTF-8
            place = Place(file, node.start_mark.line + 1, decoding.field_path(path))
            raise ConfigError((InvalidError("not UTF-8 text", place=place),)) from None
    if node.tag == "tag:yaml.org,2002:null" or (not node.style and node.value in _NOTHING):
        return None
    return Quoted(node.value) if node.style else str(node.value)
