"""The words of metrics: a sample goes in, a series with its points comes out, matchers choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Sample(NamedTuple):
    """One value of one series; a tuple, because a million of them pass through every few seconds."""

    name: str
    labels: Mapping[str, str]
    at: datetime
    value: float


class Point(NamedTuple):
    """One value of a series that is known from around it."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """What a query gives: one label set, without the name, and its points by time."""

    name: str
    labels: Mapping[str, str]
    points: tuple[Point, ...]

    @property
    def last(self) -> Point:
        """The newest point."""
        return self.points[-1]


class MatchOp(StrEnum):
    """How a matcher compares, as Prometheus writes it; expressions are RE2 and match the whole value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that a series does not have counts as empty."""

    label: str
    op: MatchOp
    value: str
