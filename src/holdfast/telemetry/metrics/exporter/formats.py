"""From bytes to items: JSON, a regular expression, keys and values, columns. Knows nothing of where bytes come from."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.exporter.errors import SourceError
from holdfast.telemetry.metrics.exporter.fields import Item, compile_path
from holdfast.telemetry.metrics.exporter.shapes import ColumnsShape, JsonShape, KeyValuesShape

Format = Callable[[bytes], Iterable[Item]]
"""Raises `SourceError` for what cannot be read."""

_MOST_REGEX_BYTES: Final = 64 * 1024 * 1024


def json_format(shape: JsonShape) -> Format:
    """Read a JSON document; each match of the path is an item."""
    path = None if shape.each == "$" else compile_path(shape.each)

    def read(body: bytes) -> Iterator[Item]:
        try:
            document = orjson.loads(body.removeprefix(codecs.BOM_UTF8))
        except orjson.JSONDecodeError as error:
            raise SourceError("parse", f"not JSON: {error}") from None
        if path is None:
            yield Item(document)
            return
        if not isinstance(document, (dict, list)):  # the library takes text for a document once more
            return
        for match in path.finditer(document):
            yield Item(match.obj, str(match.parts[-1]) if match.parts else "")

    return read


def regex_format(pattern: str) -> tuple[Format, frozenset[str]]:
    """Read text with a regular expression of RE2, whose time is linear; each match is an item of its named groups.

    `^` and `$` stand at lines. Gives the names of the groups too.

    Raises:
        InvalidError: it is not one, or names no group.
    """
    import re2  # noqa: PLC0415 -- loaded by the first file that has one

    try:
        options = re2.Options()
        options.max_mem = _MOST_REGEX_BYTES
        options.log_errors = False
        compiled = re2.compile(f"(?m){pattern}", options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        hint = "it is RE2's syntax: no look-around, no back-references"
        raise InvalidError(f"not a regular expression: {said}", hint=hint) from None
    names = frozenset(compiled.groupindex)
    if not names:
        raise InvalidError("it has no named group", hint=r"name what is read: (?P<used>\d+)")

    def read(body: bytes) -> Iterator[Item]:
        for match in compiled.finditer(_decode(body)):
            yield Item({name: text for name, text in match.groupdict().items() if text is not None})

    return read, names


def key_values_format(shape: KeyValuesShape) -> Format:
    """Read lines of a key, a separator and a value."""

    def read(body: bytes) -> Iterator[Item]:
        found: dict[str, str] = {}
        for line in _lines(body, shape.comment):
            key, separator, value = line.partition(shape.separator)
            if separator:
                found.setdefault(key.strip(), value.strip())
        if shape.pairs:
            yield from (Item({"key": key, "value": value}, key) for key, value in found.items())
        else:
            yield Item(found)

    return read


def columns_format(shape: ColumnsShape) -> Format:
    """Read a table."""

    def read(body: bytes) -> Iterator[Item]:
        lines = list(_lines(body, shape.comment))[shape.skip :]
        try:
            rows: list[list[str]] = (
                list(csv.reader(lines, delimiter=shape.separator, skipinitialspace=True))
                if shape.separator
                else [line.split() for line in lines]
            )
        except csv.Error as error:
            raise SourceError("parse", f"not a table: {error}") from None
        names = list(shape.names) or (rows.pop(0) if rows else [])
        for row in rows:
            yield Item(dict(zip(names, (cell.strip() for cell in row), strict=False)))

    return read


def _lines(body: bytes, comment: str) -> Iterator[str]:
    for line in _decode(body).splitlines():
        if line.strip() and not (comment and line.lstrip().startswith(comment)):
            yield line


def _decode(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")


def known_columns(shape: ColumnsShape) -> frozenset[str] | None:
    """Give the names that fields may have; None where only the table itself knows."""
    return frozenset(shape.names) or None
