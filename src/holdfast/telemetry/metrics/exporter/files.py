"""Reads an exporter's file into a book, collecting every fault with its line before it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from holdfast.kernel.documents import Document, load_yaml
from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError, Place
from holdfast.kernel.secrets import Secrets, find_references
from holdfast.kernel.units import format_duration
from holdfast.telemetry.metrics.exporter.book import ExporterBook, Metric, Source
from holdfast.telemetry.metrics.exporter.databases import SqlContent, parse_url
from holdfast.telemetry.metrics.exporter.fields import Field, Item, compile_field
from holdfast.telemetry.metrics.exporter.formats import (
    Format,
    columns_format,
    json_format,
    key_values_format,
    known_columns,
    regex_format,
)
from holdfast.telemetry.metrics.exporter.shapes import ExporterShape, MetricShape, MetricType, SourceShape
from holdfast.telemetry.metrics.exporter.sources import Bounds, Content, FileContent, HttpContent, StaticContent

KINDS: Final = ("http", "file", "sql", "static")
FORMATS: Final = ("json", "regex", "key_values", "columns")
MIN_EVERY_S: Final = 0.1
# Of OpenMetrics: endings that say something about a sample, so that a family must not have them.
ENDINGS: Final = ("_total", "_created", "_bucket", "_count", "_sum", "_info", "_gcount", "_gsum")

Known = frozenset[str] | None
"""The fields that items surely have; None where only the source itself knows."""


@dataclass(slots=True)
class _Reading:
    """What has been read of a file so far, faults included."""

    document: Document[ExporterShape]
    secrets: Secrets
    folder: Path
    problems: list[InvalidError] = field(default_factory=list)

    def fault(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        self.problems.append(InvalidError(message, hint=hint, place=self.document.place(*path)))


def load_exporter(path: Path, secrets: Secrets, *, root: Path | None = None) -> ExporterBook:
    """Read the exporter's file `path`; files that it names are relative to its folder, errors name it below `root`.

    Raises:
        ConfigError: with every fault: unknown keys, wrong types, expressions that do not compile, metrics that
            contradict each other, references to secrets that nobody provides. No source is read.
    """
    document = load_yaml(path, ExporterShape, root=root)
    reading = _Reading(document, secrets, path.parent)
    sources = [_read_source(reading, index, shape) for index, shape in enumerate(document.value.sources)]
    if not sources:
        reading.fault(("sources",), "there is no source", "write one of " + ", ".join(KINDS))
    _judge_names(reading)
    if reading.problems:
        raise ConfigError(tuple(reading.problems))
    built = tuple(source for source in sources if source is not None)
    return ExporterBook(built, document.value.outbound, document.value.parallel, document.value)


def _read_source(reading: _Reading, index: int, shape: SourceShape) -> Source | None:
    at = ("sources", index)
    defaults = reading.document.value.defaults
    every_s = defaults.every if shape.every is None else shape.every
    timeout_s = defaults.timeout if shape.timeout is None else shape.timeout
    if every_s < MIN_EVERY_S:
        reading.fault((*at, "every"), f"every {format_duration(every_s)} is too often", "write 100ms or more")
    if not shape.metrics:
        reading.fault((*at, "metrics"), "there is no metric", "write name, help and value of one")
    if timeout_s <= 0:
        reading.fault((*at, "timeout"), "the timeout must be above zero")
    content, known = _read_content(reading, at, shape)
    metrics = [
        _read_metric(reading, (*at, "metrics", number), metric, known) for number, metric in enumerate(shape.metrics)
    ]
    _judge_labels(reading, at, shape)
    if content is None:
        return None
    most = defaults.max_series if shape.max_series is None else shape.max_series
    return Source(
        shape.name,
        content,
        tuple(metric for metric in metrics if metric is not None),
        tuple(sorted(shape.labels.items())),
        every_s,
        Bounds(timeout_s, defaults.max_bytes if shape.max_bytes is None else shape.max_bytes, most),
        defaults.on_error if shape.on_error is None else shape.on_error,
        defaults.keep_for if shape.keep_for is None else shape.keep_for,
    )


def _read_content(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> tuple[Content | None, Known]:
    if not _judge_kind(reading, at, shape):
        return None, None
    _verify_secrets(reading, at, shape)
    if shape.static is not None:
        names = frozenset(name for item in shape.static.items for name in item)
        return StaticContent(tuple(Item(item) for item in shape.static.items)), names
    if shape.sql is not None:
        _judge_url(reading, (*at, "sql", "url"), shape.sql.url)
        return SqlContent(shape.sql.url, shape.sql.query, reading.folder), None
    return _read_text(reading, at, shape)


def _judge_kind(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> bool:
    kinds = [name for name in KINDS if getattr(shape, name) is not None]
    formats = [name for name in FORMATS if getattr(shape, name) is not None]
    if len(kinds) != 1:
        told = f"says {' and '.join(kinds)}" if kinds else "does not say where it comes from"
        reading.fault(at, f"the source {shape.name!r} {told}", f"write one of {', '.join(KINDS)}")
        return False
    needs_format = kinds[0] in {"http", "file"}
    if needs_format and len(formats) != 1:
        told = f"is to be read as {' and '.join(formats)}" if formats else "does not say how it is read"
        reading.fault(at, f"the source {shape.name!r} {told}", f"write one of {', '.join(FORMATS)}")
        return False
    if not needs_format and formats:
        reading.fault((*at, formats[0]), f"what {kinds[0]} gives has fields already", f"remove {formats[0]}")
    return True


def _read_text(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> tuple[Content | None, Known]:
    read, known = _read_format(reading, at, shape)
    if shape.http is not None:
        _judge_http(reading, (*at, "http"), shape)
    if read is None:
        return None, None
    if shape.file is not None:
        return FileContent(reading.folder / shape.file.path, read), known
    assert shape.http is not None
    return HttpContent(shape.http, read), known


def _read_format(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> tuple[Format | None, Known]:
    try:
        if shape.json is not None:
            return json_format(shape.json), None
        if shape.regex is not None:
            return regex_format(shape.regex)
    except InvalidError as error:
        path = (*at, "regex") if shape.regex is not None else (*at, "json", "each")
        reading.fault(path, error.message, error.hint)
        return None, None
    if shape.key_values is not None:
        return key_values_format(shape.key_values), frozenset({"key", "value"}) if shape.key_values.pairs else None
    assert shape.columns is not None
    return columns_format(shape.columns), known_columns(shape.columns)


def _read_metric(reading: _Reading, at: tuple[str | int, ...], shape: MetricShape, known: Known) -> Metric | None:
    before = len(reading.problems)
    suffix = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}.get(shape.type, "")
    name = shape.name.removesuffix(suffix) if suffix else shape.name
    _judge_metric(reading, at, shape, name)
    compile_at = partial(_compile, reading, known)
    value = compile_at((*at, "value"), shape.value) if shape.value else None
    labels = [(label, compile_at((*at, "labels", label), text)) for label, text in sorted(shape.labels.items())]
    if len(reading.problems) > before:
        return None
    return Metric(
        name,
        shape.help,
        shape.type,
        shape.unit,
        value,
        tuple((label, field) for label, field in labels if field is not None),
        dict(shape.map),
        shape.scale,
        shape.parse,
        shape.default,
    )


def _compile(reading: _Reading, known: Known, at: tuple[str | int, ...], text: str) -> Field | None:
    try:
        field = compile_field(text)
    except InvalidError as error:
        reading.fault(at, error.message, error.hint)
        return None
    if known is not None and not text.startswith(("$", "@")) and text not in known:
        reading.fault(at, f"there is no field {text!r}", f"known here: {', '.join(sorted(known))}")
    return field


def _judge_metric(reading: _Reading, at: tuple[str | int, ...], shape: MetricShape, name: str) -> None:
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), "")
    if ending:
        hint = "write type: counter" if ending == "_total" else f"leave {ending} out"
        reading.fault((*at, "name"), f"a {shape.type.value} must not end with {ending}", hint)
    if shape.unit and not name.endswith(f"_{shape.unit}"):
        suggested = f"{name}_{shape.unit}{'_total' if shape.type is MetricType.COUNTER else ''}"
        reading.fault((*at, "name"), f"the name does not end with its unit {shape.unit!r}", f"call it {suggested}")
    if shape.type is MetricType.INFO and (shape.value or shape.unit):
        reading.fault(at, "an info has labels only, neither value nor unit", "remove them, or write type: gauge")
    if shape.type is not MetricType.INFO and not shape.value:
        reading.fault(at, "'value' is required", "name a field, or write a JSON path such as $.depth")
    if shape.type is MetricType.COUNTER and shape.default is not None and not shape.default >= 0:
        reading.fault((*at, "default"), "a counter is never negative", "write 0, or type: gauge")
    if shape.scale == 0:
        reading.fault((*at, "scale"), "a scale of 0 makes every value 0", "write 0.001 for milliseconds to seconds")


def _judge_labels(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> None:
    for number, metric in enumerate(shape.metrics):
        for label in sorted(set(metric.labels) & set(shape.labels)):
            place = (*at, "metrics", number, "labels", label)
            reading.fault(place, f"the label {label!r} is the source's already", "keep one of them")


def _judge_names(reading: _Reading) -> None:
    first: dict[str, int] = {}
    families: dict[str, tuple[MetricShape, Place]] = {}
    for index, source in enumerate(reading.document.value.sources):
        if first.setdefault(source.name, index) != index:
            reading.fault(("sources", index, "name"), f"a source named {source.name!r} stands above", "rename one")
        for number, metric in enumerate(source.metrics):
            at = ("sources", index, "metrics", number)
            seen, place = families.setdefault(_family(metric), (metric, reading.document.place(*at)))
            for what in ("type", "unit", "help"):
                if getattr(seen, what) != getattr(metric, what):
                    told = f"{metric.name} has another {what} at line {place.line}"
                    reading.fault((*at, what), told, "samples of one metric share type, unit and help")


def _family(metric: MetricShape) -> str:
    return metric.name.removesuffix("_total").removesuffix("_info")


def _judge_http(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> None:
    assert shape.http is not None
    auth = shape.http.auth
    if auth is not None and (auth.basic is None) == (auth.bearer is None):
        reading.fault((*at, "auth"), "auth is either basic or bearer", "write one of them")
    if not find_references(shape.http.url) and not shape.http.url.startswith(("http://", "https://")):
        reading.fault((*at, "url"), f"{shape.http.url!r} is not an http or https URL", "begin it with https://")


def _judge_url(reading: _Reading, at: tuple[str | int, ...], url: str) -> None:
    try:
        if not find_references(url):
            parse_url(url)
    except HoldfastError as error:
        reading.fault(at, error.message, error.hint)


def _verify_secrets(reading: _Reading, at: tuple[str | int, ...], shape: SourceShape) -> None:
    for path, text in _texts(shape):
        try:
            reading.secrets.verify(text)
        except InvalidError as error:
            reading.fault((*at, *path), error.message, error.hint)


def _texts(shape: SourceShape) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give every text of a source that may hold references to secrets, with its place."""
    if shape.sql is not None:
        yield ("sql", "url"), shape.sql.url
    if shape.http is None:
        return
    yield ("http", "url"), shape.http.url
    yield ("http", "body"), shape.http.body
    yield from ((("http", "headers", name), value) for name, value in shape.http.headers.items())
    auth = shape.http.auth
    if auth is not None and auth.bearer is not None:
        yield ("http", "auth", "bearer"), auth.bearer
    if auth is not None and auth.basic is not None:
        yield ("http", "auth", "basic", "username"), auth.basic.username
        yield ("http", "auth", "basic", "password"), auth.basic.password
