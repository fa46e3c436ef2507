"""What the API says of services and teams; see `views` for how it comes together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from holdfast.health.verdict import Verdict
from holdfast.health.views import CheckSummary, UptimeWindows


@dataclass(frozen=True, slots=True)
class LinkOut:
    """A hyperlink."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class ReasonOut:
    """Why a service is not up: a check of its own, or a service that it needs; the other is null."""

    check: str | None
    service: str | None
    verdict: Verdict
    message: str


@dataclass(frozen=True, slots=True)
class CountsOut:
    """How many checks say what."""

    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class MomentOut:
    """The worst health that was seen in the stretch that begins at `at`; `unknown` where nobody watched."""

    at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What lists and pages say of a service. `is_catalogued` is false for one that only checks name."""

    name: str
    title: str
    kind: str
    type: str
    owner: str
    system: str
    tier: str
    lifecycle: str
    links: list[LinkOut]
    tags: list[str]
    health: Verdict
    health_since: datetime | None
    maintenance: bool
    reasons: list[ReasonOut]
    uptime: UptimeWindows
    depends_on: list[str]
    dependents: list[str]
    recent: list[MomentOut]
    is_catalogued: bool


@dataclass(frozen=True, slots=True)
class ServiceSummary(ServiceFacts):
    """A service in a list; `checks` counts them."""

    checks: CountsOut


@dataclass(frozen=True, slots=True)
class ServiceList:
    """Services by name; all of them are on one page."""

    items: list[ServiceSummary]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class RelationOut:
    """One end of a relation; `service` is the target's name among services, null where it is none."""

    type: str
    target: str
    service: str | None


@dataclass(frozen=True, slots=True)
class NodeOut:
    """A service in the graph."""

    name: str
    title: str
    kind: str
    type: str
    system: str
    tier: str
    health: Verdict


@dataclass(frozen=True, slots=True)
class EdgeOut:
    """`from` needs `to`: it depends on it, or consumes an API that it provides (`type`)."""

    from_: Annotated[str, Field(serialization_alias="from")]
    to: str
    type: str


@dataclass(frozen=True, slots=True)
class ServiceDetail(ServiceFacts):
    """One service with all that is known of it.

    `apis` are those that it provides, `impact` is every service that an outage of it touches, `defined_at` the line of
    its descriptor.
    """

    namespace: str
    description: str
    labels: dict[str, str]
    annotations: dict[str, str]
    relations: list[RelationOut]
    apis: list[str]
    checks: list[CheckSummary]
    check_counts: CountsOut
    impact: list[str]
    defined_at: str


@dataclass(frozen=True, slots=True)
class GraphOut:
    """Services and what they need."""

    nodes: list[NodeOut]
    edges: list[EdgeOut]


@dataclass(frozen=True, slots=True)
class MemberOut:
    """A person in a team."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class TeamOut:
    """A group, its people, and the services that it answers for; `health` counts those services."""

    name: str
    title: str
    type: str
    description: str
    email: str
    parent: str
    children: list[str]
    members: list[MemberOut]
    services: list[str]
    health: CountsOut
    is_catalogued: bool


@dataclass(frozen=True, slots=True)
class TeamList:
    """Teams by name; all of them are on one page."""

    items: list[TeamOut]
    next: str | None = None
