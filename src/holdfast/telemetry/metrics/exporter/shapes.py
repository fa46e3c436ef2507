"""The shape of an exporter's file, field by field, as pydantic validates it. What fields mean together: `files`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, ConfigDict, Field

from holdfast.kernel.http import OutboundSettings
from holdfast.kernel.units import Duration, Size

_STRICT: Final = ConfigDict(extra="forbid", populate_by_name=True)
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_TAKEN: Final = frozenset({"le", "quantile"})  # they make parts of histograms and summaries


class MetricType(StrEnum):
    """What a metric is, in the words of OpenMetrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    UNKNOWN = "unknown"


class Parse(StrEnum):
    """How a value's text is read: a number, `1h30m`, `10MiB`, or an ISO 8601 date and time (seconds since 1970)."""

    NUMBER = "number"
    DURATION = "duration"
    SIZE = "size"
    TIMESTAMP = "timestamp"


class OnError(StrEnum):
    """What becomes of the last good values when a source fails."""

    DROP = "drop"
    KEEP = "keep"


def _check_metric(text: str) -> str:
    if not _METRIC.fullmatch(text):
        raise ValueError(f"{text!r} is not a metric's name: write letters, digits and '_', such as shop_queue_depth")
    if text.startswith("exporter_"):
        raise ValueError(f"{text!r}: names that begin with exporter_ are the exporter's own")
    return text


def _check_label(text: str) -> str:
    if not _LABEL.fullmatch(text) or text.startswith("__") or text in _TAKEN:
        raise ValueError(f"{text!r} is not a label's name: write letters, digits and '_', not first '__', not le")
    return text


MetricName = Annotated[str, AfterValidator(_check_metric)]
LabelName = Annotated[str, AfterValidator(_check_label)]
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """`auth.basic:` of an HTTP source."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    username: Text
    password: str = ""


@dataclass(frozen=True, slots=True)
class Auth:
    """`auth:` of an HTTP source; one of the two."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    basic: BasicAuth | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class HttpShape:
    """`http:`: an answer of a server is what is read."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    url: Text
    method: Annotated[str, Field(pattern=r"^(GET|POST|PUT|QUERY)$")] = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    auth: Auth | None = None
    statuses: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()


@dataclass(frozen=True, slots=True)
class FileShape:
    """`file:`: a file is what is read."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    path: Text


@dataclass(frozen=True, slots=True)
class SqlShape:
    """`sql:`: rows of a query are what is read; its columns are the fields."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    url: Text
    query: Text


@dataclass(frozen=True, slots=True)
class StaticShape:
    """`static:`: the file itself says it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    items: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class JsonShape:
    """`json:`: each match of the JSON path `each` is an item."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    each: str = "$"


@dataclass(frozen=True, slots=True)
class KeyValuesShape:
    """`key_values:`: lines such as `key=value`; one item with all keys or, with `pairs`, a `key` and a `value` each."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    separator: Text = "="
    comment: str = "#"
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class ColumnsShape:
    """`columns:`: a table; without `names` its first line has them. Without a separator, blanks part the columns."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    separator: Annotated[str, Field(max_length=1)] = ""
    names: tuple[str, ...] = ()
    skip: Annotated[int, Field(ge=0)] = 0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class MetricShape:
    """One entry of `metrics:`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: MetricName
    help: Text
    type: MetricType = MetricType.GAUGE
    unit: str = ""
    value: str = ""
    labels: dict[LabelName, str] = field(default_factory=dict)
    map: dict[str, float] = field(default_factory=dict)
    scale: float = 1.0
    parse: Parse = Parse.NUMBER
    default: float | None = None


@dataclass(frozen=True, slots=True)
class DefaultsShape:
    """`defaults:`: what sources mean when they say nothing."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    every: Duration = 30.0
    timeout: Duration = 10.0
    on_error: OnError = OnError.DROP
    keep_for: Duration = 600.0
    max_bytes: Size = 10_000_000
    max_series: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


@dataclass(frozen=True, slots=True)
class SourceShape:
    """One entry of `sources:`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]
    metrics: tuple[MetricShape, ...]
    http: HttpShape | None = None
    file: FileShape | None = None
    sql: SqlShape | None = None
    static: StaticShape | None = None
    json: JsonShape | None = None
    regex: str | None = None
    key_values: KeyValuesShape | None = None
    columns: ColumnsShape | None = None
    labels: dict[LabelName, str] = field(default_factory=dict)
    every: Duration | None = None
    timeout: Duration | None = None
    on_error: OnError | None = None
    keep_for: Duration | None = None
    max_bytes: Size | None = None
    max_series: Annotated[int | None, Field(ge=1, le=1_000_000)] = None


@dataclass(frozen=True, slots=True)
class ExporterShape:
    """A whole file."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    sources: tuple[SourceShape, ...]
    defaults: DefaultsShape = DefaultsShape()
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    parallel: Annotated[int, Field(ge=1, le=100)] = 10
