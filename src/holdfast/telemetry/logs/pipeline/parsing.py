"""Parsers of lines as stages: each takes labels from the line; what cannot be read is noted, and the line goes on."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import orjson

from holdfast.telemetry.logs.logql.expressions import compile_expression
from holdfast.telemetry.logs.logql.nodes import JsonParser, LogfmtParser, PatternParser, RegexpParser, UnpackParser
from holdfast.telemetry.logs.pipeline.entries import JSON_ERROR, Entry, Step
from holdfast.telemetry.logs.pipeline.json_paths import paths_step
from holdfast.telemetry.logs.pipeline.json_scanning import Form, JsonScanError, members
from holdfast.telemetry.logs.pipeline.logfmt import LogfmtError, check_path, pairs
from holdfast.telemetry.logs.pipeline.patterns import parse_pattern

LOGFMT_ERROR: Final = "LogfmtParserErr"
PACKED_LINE: Final = "_entry"
_NO_OBJECT: Final = "expecting json object(6), but it is not"  # the number is that of Loki's library for an object
_ODD: Final = re.compile("[^a-zA-Z0-9_]")
_DEEPEST: Final = 64


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    """Give the name of a label for the key of a field: letters, digits and `_`, no digit first."""
    cleaned = _ODD.sub("_", name.strip())
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


def label_name(key: str, prefix: str = "") -> str:
    """Give the name of a label for a key of JSON, below the label of what it stands in."""
    return _inner_name(prefix, key) if prefix else clean_name(key)


@lru_cache(maxsize=4096)
def _inner_name(prefix: str, name: str) -> str:
    return f"{prefix}_{_ODD.sub('_', name.strip())}"


def json_step(stage: JsonParser) -> Step:
    """Give the step of `| json`."""
    return paths_step(stage.fields) if stage.fields else take_all


def take_all(entry: Entry) -> bool:
    """Make labels of all properties of a line."""
    try:
        document = orjson.loads(entry.line)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or not _flatten(entry, document, entry.line):
        try:
            _scan(entry, entry.line, 0, "", 0)
        except JsonScanError as error:
            entry.fail(JSON_ERROR, str(error))
    return True


def _flatten(entry: Entry, document: dict[str, Any], line: str) -> bool:
    """Take the properties of a document; False, and none is taken, if the line must be looked at more closely.

    That is so if a number may be written otherwise than Python writes it, or if a key may stand there twice.
    """
    found: dict[str, str] = {}
    keys = _gather(document, "", 0, found)
    if keys < 0 or keys != line.count('":') + line.count('" :') or "\ufffd" in line:
        return False
    if "-0" in line and "0" in found.values():
        return False
    entry.extract(found)
    return True


def _gather(document: dict[str, Any], prefix: str, depth: int, found: dict[str, str]) -> int:
    """Gather labels; give how many keys there are, negative if the line must be looked at more closely."""
    count = len(document)
    for key, value in document.items():
        kind = type(value)
        if kind is str:
            found.setdefault(_inner_name(prefix, key) if prefix else clean_name(key), value)
        elif kind is int:
            found.setdefault(_inner_name(prefix, key) if prefix else clean_name(key), str(value))
        elif kind is bool:
            found.setdefault(_inner_name(prefix, key) if prefix else clean_name(key), "true" if value else "false")
        elif kind is dict:
            if depth >= _DEEPEST:
                return -1
            inner = _gather(value, _inner_name(prefix, key) if prefix else clean_name(key), depth + 1, found)
            if inner < 0:
                return -1
            count += inner
        elif kind is list:
            count += _keys_inside(value)
        elif kind is float:
            return -1
    return count


def _keys_inside(value: Any) -> int:
    """Count keys at any depth, for lists are passed over."""
    if isinstance(value, dict):
        return len(value) + sum(map(_keys_inside, value.values()))
    return sum(map(_keys_inside, value)) if isinstance(value, list) else 0


def _scan(entry: Entry, line: str, at: int, prefix: str, depth: int) -> None:
    for key, value in members(line, at):
        name = _inner_name(prefix, key) if prefix else clean_name(key)
        if value.form is Form.OBJECT:
            if depth < _DEEPEST:
                _scan(entry, line, value.start, name, depth + 1)
        elif value.form is not Form.ARRAY and not value.is_null:
            entry.put_parsed(name, value.text)


def logfmt_step(stage: LogfmtParser) -> Step:
    """Give the step of `| logfmt`.

    Raises:
        ValueError: a field names no key.
    """
    return _logfmt_fields(stage) if stage.fields else _logfmt_all(stage)


def _logfmt_all(stage: LogfmtParser) -> Step:
    def take(entry: Entry) -> bool:
        try:
            for key, value in pairs(entry.line, is_strict=stage.is_strict):
                if value or stage.keeps_empty:
                    entry.put_parsed(clean_name(key), value.replace("\ufffd", " "))
        except LogfmtError as error:
            entry.fail(LOGFMT_ERROR, str(error))
        return True

    return take


def _logfmt_fields(stage: LogfmtParser) -> Step:
    wanted: dict[str, list[str]] = {}
    for field in stage.fields:
        wanted.setdefault(check_path(field.path), []).append(field.label)

    def take(entry: Entry) -> bool:
        found: dict[str, str] = {}
        try:
            for key, value in pairs(entry.line, is_strict=stage.is_strict):
                for name in {key, clean_name(key)}:
                    for label in wanted.get(name, ()):
                        found.setdefault(label, value)
        except LogfmtError as error:
            entry.fail(LOGFMT_ERROR, str(error))
        for field in stage.fields:
            if field.label in found:
                entry.put_parsed(field.label, found[field.label])
            elif not entry.came_with(field.label):
                entry.put_parsed(field.label, "")
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


def groups_of(stage: RegexpParser) -> dict[str, int]:
    """Give the named groups of `| regexp` with their places, from 1."""
    return dict(compile_expression(stage.pattern)[0].groupindex)


def captures_of(stage: PatternParser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the literals of `| pattern` and the names of the captures between them."""
    pattern = parse_pattern(stage.pattern, is_filter=False)
    return pattern.literals, pattern.names


def unpack_step(_: UnpackParser) -> Step:
    """Give the step of `| unpack`: texts become labels, if the line is an object that holds a packed line."""

    def take(entry: Entry) -> bool:
        if not entry.line:
            return True
        if not entry.line.startswith("{"):
            entry.fail(JSON_ERROR, _NO_OBJECT)
            return True
        try:
            texts = [(key, value.text) for key, value in members(entry.line) if value.form is Form.STRING]
        except JsonScanError as error:
            entry.fail(JSON_ERROR, str(error))
            return True
        packed = [text for key, text in texts if key == PACKED_LINE]
        if packed:
            entry.line = packed[-1]
            for key, text in texts:
                if key != PACKED_LINE:
                    entry.put_parsed(clean_name(key), text)
        return True

    return take
