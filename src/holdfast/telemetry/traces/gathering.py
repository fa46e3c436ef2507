"""Gathers spans one after the other into columns, for doors through which few come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.traces.columns import Pairs, Texts
from holdfast.telemetry.traces.spans import Spans

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels


@dataclass(slots=True)
class Gathering:
    """Columns that grow. `add` takes what every span has; attributes are put between `add` and the next one."""

    trace_ids: list[bytes] = field(default_factory=list)
    span_ids: list[bytes] = field(default_factory=list)
    parent_ids: list[bytes] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    starts_ns: list[int] = field(default_factory=list)
    durations_ns: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    status_messages: list[str] = field(default_factory=list)
    pairs: list[Mapping[str, tuple[str, str]]] = field(default_factory=list)
    resources: list[Labels] = field(default_factory=list)
    resource_refs: list[int] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    trace_states: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def resource(self, attributes: Mapping[str, str]) -> int:
        """Take a resource and give its place."""
        self.resources.append(labels_of(attributes))
        return len(self.resources) - 1

    def attributes(self, pairs: Mapping[str, tuple[str, str]]) -> None:
        """Take the attributes of the span that is next: a text and the letter of its type by name."""
        self.pairs.append(pairs)

    def done(self) -> Spans:
        """Give the columns."""
        return Spans(
            self.trace_ids,
            self.span_ids,
            self.parent_ids,
            Texts.of(self.services),
            Texts.of(self.names),
            np.array(self.kinds, np.uint8),
            np.array(self.starts_ns, np.int64),
            np.array(self.durations_ns, np.int64),
            np.array(self.statuses, np.uint8),
            Texts.of(self.status_messages),
            Pairs.of(self.pairs),
            self.resources,
            np.array(self.resource_refs, np.int32),
            Texts.of(self.scopes),
            Texts.of(self.events),
            Texts.of(self.links),
            Texts.of(self.trace_states),
            np.array(self.weights, np.float64),
        )


def written(value: Any) -> tuple[str, str]:
    """Give a value as text, with the letter of its type."""
    match value:
        case str():
            return value, "s"
        case bool():
            return ("true" if value else "false"), "b"
        case int():
            return str(value), "i"
        case float():
            return repr(value), "d"
        case None:
            return "", "s"
        case _:
            return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode(), "j"
