"""What a dashboard is: rows of panels, each with its queries, and variables that they share.

The document is what the console edits, files hold and imports give. It says what to show and nothing of how to draw it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

MAX_PANELS: Final = 500
_STRICT: Final = ConfigDict(extra="forbid")

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=20_000)]
Word = Annotated[str, Field(max_length=200)]
Pattern = Annotated[str, Field(max_length=2000)]


class PanelKind(StrEnum):
    """How a panel shows its queries."""

    TIMESERIES = "timeseries"
    STAT = "stat"
    GAUGE = "gauge"
    BAR = "bar"
    TABLE = "table"
    HEATMAP = "heatmap"
    TEXT = "text"


class VariableKind(StrEnum):
    """Where the values of a variable come from."""

    QUERY = "query"
    CUSTOM = "custom"
    INTERVAL = "interval"
    TEXT = "text"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query of a panel; `legend` may hold `{{label}}`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    expr: Text
    legend: Word = ""
    instant: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `value` on, the status is this one: `up`, `degraded`, `down` or `unknown`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    value: float
    status: Annotated[str, Field(pattern="^(up|degraded|down|unknown)$")]


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture; `span` counts twelfths of the page's width, `height` rows of 40 pixels.

    `options` are of its kind: `text` of a text, `stacked`, `exemplars` and `events` of curves, `min` and `max` of a
    gauge or bars.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: Id
    kind: PanelKind
    title: Annotated[str, Field(max_length=200)] = ""
    description: Text = ""
    span: Annotated[int, Field(ge=1, le=12)] = 6
    height: Annotated[int, Field(ge=1, le=40)] = 7
    unit: Word = ""
    decimals: Annotated[int, Field(ge=0, le=12)] | None = None
    queries: Annotated[tuple[Query, ...], Field(max_length=26)] = ()
    thresholds: Annotated[tuple[Threshold, ...], Field(max_length=20)] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    title: Annotated[str, Field(max_length=200)] = ""
    collapsed: bool = False
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that queries use as `$name`; `query` is `label_values(...)`, PromQL or text, by its kind.

    Of the values of a query, `regex` keeps those that match, or the part in its first group (JavaScript's form, also
    between slashes with flags). `all_value` stands for all of them, in the place of a pattern of each.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    kind: VariableKind
    label: Word = ""
    query: Text = ""
    options: Annotated[tuple[Word, ...], Field(max_length=1000)] = ()
    multi: bool = False
    include_all: bool = False
    default: Word = ""
    regex: Pattern = ""
    all_value: Pattern = ""


Span = TypedDict("Span", {"from": Annotated[str, Field(pattern=r"^(\d+(ms|[smhdwy]))+$")]})
"""What a dashboard shows when it opens: the last `from`, such as `6h`."""


@dataclass(frozen=True, slots=True)
class Document:
    """A dashboard; `exemplars` and `events` say whether curves show them, where their panel does not say no."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    title: Title
    description: Text = ""
    folder: Word = ""
    tags: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    time: Span = field(default_factory=lambda: Span({"from": "1h"}))
    refresh: Annotated[str, Field(pattern=r"^((\d+(ms|[smhdwy]))+)?$")] = ""
    exemplars: bool = True
    events: bool = True
    variables: Annotated[tuple[Variable, ...], Field(max_length=50)] = ()
    rows: Annotated[tuple[Row, ...], Field(max_length=100)] = ()
