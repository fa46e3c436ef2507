"""`detected_labels`, `detected_fields` and `detected_field/<name>/values` of Loki's HTTP API.

Fields are those of structured metadata and those that JSON and logfmt show in the newest lines of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.api.envelope import plain
from holdfast.telemetry.logs.api.parameters import HOUR_NS, read_limit, read_range
from holdfast.telemetry.logs.logql import parse, parse_selector
from holdfast.telemetry.logs.logql.nodes import JsonParser, LogfmtParser, LogSelector
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_number, parse_size_bytes
from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, SUFFIX
from holdfast.telemetry.logs.pipeline.parsing import label_name
from holdfast.telemetry.logs.querying import LogEngine, Span
from holdfast.telemetry.logs.selection import StreamScope
from holdfast.telemetry.metrics.api import Parameters
from holdfast.telemetry.metrics.promql.nodes import Span as Place

if TYPE_CHECKING:
    from holdfast.telemetry.logs.querying import Line
    from holdfast.telemetry.logs.selection import RecordSource

Reader = Annotated[Identity, Depends(requires("logs.read"))]
METHODS: Final = ["GET", "POST"]
_BACK_NS: Final = 6 * HOUR_NS
_LINES: Final = 1000
_HERE: Final = Place(0, 0)
_INT: Final = re.compile(r"-?[0-9]{1,18}")
_TRUTHS: Final = frozenset({"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"})
_MOST_VALUES: Final = 10_000


@dataclass(slots=True)
class Field:
    """A field that was found: its values, where JSON has it, and which parsers show it; none for metadata."""

    values: dict[str, None] = field(default_factory=dict)
    parsers: dict[str, None] = field(default_factory=dict)
    path: tuple[str, ...] = ()

    def add(self, value: str, parser: str) -> None:
        """Take a value."""
        if len(self.values) < _MOST_VALUES:
            self.values[value] = None
        if parser:
            self.parsers[parser] = None

    @property
    def type(self) -> str:
        """The type that all values have; `string` where they differ."""
        kinds = {type_of(value) for value in self.values}
        return kinds.pop() if len(kinds) == 1 else "float" if kinds == {"int", "float"} else "string"


def type_of(value: str) -> str:
    """Give the narrowest type of a text, in Loki's words."""
    if _INT.fullmatch(value):
        return "int"
    if parse_number(value) is not None:
        return "float"
    if value in _TRUTHS:
        return "boolean"
    if parse_duration_ns(value) is not None:
        return "duration"
    return "bytes" if value[:1].isdigit() and parse_size_bytes(value) is not None else "string"


@dataclass(frozen=True, slots=True)
class DetectedRoutes:
    """The handlers, over the source and the engine of LogQL."""

    source: RecordSource
    engine: LogEngine

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/detected_labels", self.labels, methods=METHODS)
        router.add_api_route("/detected_fields", self.fields, methods=METHODS)
        router.add_api_route("/detected_field/{name}/values", self.values, methods=METHODS)

    async def labels(self, request: Request, identity: Reader) -> Response:
        """Give the labels of streams with how many values each has."""
        given = await Parameters.of(request)
        span, text = read_range(given, back_ns=_BACK_NS), given.text("query")
        selectors = (parse_selector(text),) if text else ()
        streams = await self.source.streams(identity.tenant, StreamScope(selectors, span.start_ns, span.end_ns))
        values: dict[str, set[str]] = {}
        for labels in streams:
            for name, value in labels:
                values.setdefault(name, set()).add(value)
        rows = [{"label": name, "cardinality": len(found)} for name, found in sorted(values.items())]
        return plain({"detectedLabels": rows})

    async def fields(self, request: Request, identity: Reader) -> Response:
        """Give the fields of the newest lines."""
        given = await Parameters.of(request)
        limit = read_limit(given, 1000)
        found = await self._find(identity, given)
        rows: list[Mapping[str, Any]] = [
            {
                "label": name,
                "type": one.type,
                "cardinality": len(one.values),
                "parsers": list(one.parsers) or None,
                **({"jsonPath": list(one.path)} if one.path else {}),
            }
            for name, one in sorted(found.items())
        ]
        return plain({"fields": rows[:limit], "limit": limit})

    async def values(self, request: Request, identity: Reader, name: str) -> Response:
        """Give the values of a field in the newest lines."""
        given = await Parameters.of(request)
        limit = read_limit(given, 1000)
        found = (await self._find(identity, given)).get(name, Field())
        return plain({"values": sorted(found.values)[:limit], "limit": limit})

    async def _find(self, identity: Identity, given: Parameters) -> dict[str, Field]:
        span, expr = read_range(given), parse(given.text("query"))
        if not isinstance(expr, LogSelector):
            raise InvalidError("only log selector is supported", hint="leave out the aggregation")
        most = min(read_limit(given, _LINES, name="line_limit"), _LINES)
        answer = await self.engine.lines(identity.tenant, expr, Span(span.start_ns, span.end_ns), limit=most)
        found: dict[str, Field] = {}
        for stream in answer.streams:
            for line in stream.lines:
                _take(found, line, stream.origin)
        return found


def _take(found: dict[str, Field], line: Line, stream: Mapping[str, str]) -> None:
    """Add the fields of a line: those that came with it or that the query has parsed, and those that it shows."""
    for name, value in {**line.metadata, **line.parsed}.items():
        if name not in {ERROR, DETAILS}:
            found.setdefault(name, Field()).add(value, "")
    for parser, labels in parsed(line.text, stream):
        for name, value in labels.items():
            found.setdefault(name, Field()).add(value, parser)
        if parser == "json" and any(not found[name].path for name in labels):
            for name, path in paths_of(line.text, stream).items():
                if name in labels:
                    found[name].path = found[name].path or path


_JSON: Final = Pipeline((JsonParser(span=_HERE),))
_LOGFMT: Final = Pipeline((LogfmtParser(span=_HERE),))


def parsed(line: str, stream: Mapping[str, str]) -> Iterable[tuple[str, Mapping[str, str]]]:
    """Give what a line shows to JSON, or to logfmt where that is no JSON and has pairs."""
    entry = Entry(0, line, stream)
    if line.lstrip().startswith("{"):
        _JSON.apply(entry)
        if not entry.error:
            return [("json", entry.parsed)]
    elif "=" in line:
        _LOGFMT.apply(entry)
        return [("logfmt", entry.parsed)]
    return []


def paths_of(line: str, stream: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Give the keys, from the outermost, under which JSON has what becomes each label."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, tuple[str, ...], Any]] = [("", (), document)]
    while waiting:
        prefix, keys, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [(label_name(key, prefix), (*keys, key), inner) for key, inner in value.items()]
        elif keys:
            found.setdefault(prefix + SUFFIX if prefix in stream else prefix, keys)
    return found
