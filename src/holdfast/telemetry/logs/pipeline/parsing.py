"""Parsers of lines as stages: each takes labels from the line; what cannot be read is noted, and the line goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import orjson

from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import JsonParser, LogfmtParser, PatternParser, RegexpParser, UnpackParser
from holdfast.telemetry.logs.pipeline.entries import SUFFIX, Entry
from holdfast.telemetry.logs.pipeline.json_paths import find, parse_path, shown
from holdfast.telemetry.logs.pipeline.logfmt import LogfmtError, pairs
from holdfast.telemetry.logs.pipeline.patterns import parse_pattern

Step = Callable[[Entry], bool]  # changes an entry; tells whether its line stays

JSON_ERROR: Final = "JSONParserErr"
LOGFMT_ERROR: Final = "LogfmtParserErr"
PACKED_LINE: Final = "_entry"
_ODD: Final = re.compile("[^a-zA-Z0-9_]")
_DEEPEST: Final = 64


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    """Give the name of a label for the key of a field: letters, digits and `_`, no digit first."""
    cleaned = _ODD.sub("_", name.strip())
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


@lru_cache(maxsize=4096)
def _inner_name(prefix: str, name: str) -> str:
    return f"{prefix}_{_ODD.sub('_', name)}"


def read_json(line: str) -> Any:
    """Read a line with numbers as they are written, for `1.50` is not `1.5` to whoever compares texts.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(line, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def _has_fraction(document: dict[str, Any], depth: int) -> bool:
    """Tell whether a number of a document may have been written otherwise than Python writes it."""
    for value in document.values():
        if isinstance(value, float) or (
            isinstance(value, dict) and depth < _DEEPEST and _has_fraction(value, depth + 1)
        ):
            return True
    return False


def _read_object(line: str) -> dict[str, Any] | None:
    """Read a line that should be an object, quickly where that gives the same; None if it is another value."""
    try:
        document: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        document = read_json(line)  # which takes what orjson does not, such as NaN and lone surrogates
    if isinstance(document, dict) and _has_fraction(document, 0):
        document = read_json(line)
    return document if isinstance(document, dict) else None


def json_step(stage: JsonParser) -> Step:
    """Give the step of `| json`.

    Raises:
        ValueError: a path of it is none.
    """
    if stage.fields:
        paths = [(field.label, parse_path(field.path)) for field in stage.fields]

        def take_paths(entry: Entry) -> bool:
            if not entry.line:
                return True
            try:
                document = read_json(entry.line)
            except (ValueError, RecursionError) as error:
                entry.fail(JSON_ERROR, str(error))
                document = None
            for label, path in paths:
                entry.put_parsed(label, find(document, path) or "")
            return True

        return take_paths

    def take_all(entry: Entry) -> bool:
        try:
            document = _read_object(entry.line)
            if document is None:
                entry.fail(JSON_ERROR, "expecting json object, but it is not")
            else:
                _flatten(entry, document, "", 0)
        except (ValueError, RecursionError) as error:
            entry.fail(JSON_ERROR, str(error))
        return True

    return take_all


def _flatten(entry: Entry, document: dict[str, Any], prefix: str, depth: int) -> None:
    stream, parsed = entry.stream, entry.parsed
    for key, value in document.items():
        if value is None or isinstance(value, list):
            continue
        name = _inner_name(prefix, key) if prefix else clean_name(key)
        if isinstance(value, dict):
            if depth < _DEEPEST:
                _flatten(entry, value, name, depth + 1)
            continue
        parsed[name + SUFFIX if name in stream else name] = value if isinstance(value, str) else shown(value)


def logfmt_step(stage: LogfmtParser) -> Step:
    """Give the step of `| logfmt`."""
    wanted = {field.path: field.label for field in stage.fields}

    def take(entry: Entry) -> bool:
        for label in wanted.values():
            if label not in entry.stream:
                entry.put(label, "")
        try:
            for key, value in pairs(entry.line, is_strict=stage.is_strict):
                name = clean_name(key)
                if wanted:
                    if name in wanted:
                        entry.put_parsed(wanted[name], value)
                elif name and (value or stage.keeps_empty):
                    entry.put_parsed(name, value)
        except LogfmtError as error:
            entry.fail(LOGFMT_ERROR, str(error))
        return True

    return take


def regexp_step(stage: RegexpParser) -> Step:
    """Give the step of `| regexp`."""
    expression, problem = compile_expression(stage.pattern)
    if problem:
        raise ValueError(problem)
    names = {index: name for name, index in expression.groupindex.items()}

    def take(entry: Entry) -> bool:
        match = expression.search(entry.line)
        if match is not None:
            for index, name in names.items():
                entry.put_parsed(name, match.group(index) or "")
        return True

    return take


def pattern_step(stage: PatternParser) -> Step:
    """Give the step of `| pattern`.

    Raises:
        ValueError: it is no pattern.
    """
    pattern = parse_pattern(stage.pattern, is_filter=False)

    def take(entry: Entry) -> bool:
        for name, value in pattern.captures(entry.line):
            entry.put_parsed(name, value)
        return True

    return take


def unpack_step(_: UnpackParser) -> Step:
    """Give the step of `| unpack`: only texts become labels, and only if the line is a JSON object."""

    def take(entry: Entry) -> bool:
        if not entry.line:
            return True
        try:
            document = orjson.loads(entry.line)
        except orjson.JSONDecodeError as error:
            entry.fail(JSON_ERROR, str(error))
            return True
        if not isinstance(document, dict):
            entry.fail(JSON_ERROR, "expecting json object, but it is not")
            return True
        for key, value in document.items():
            if key == PACKED_LINE and isinstance(value, str):
                entry.line = value
            elif isinstance(value, str):
                entry.put_parsed(clean_name(key), shown(value))
        return True

    return take
