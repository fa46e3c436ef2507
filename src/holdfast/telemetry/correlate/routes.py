"""`GET /around`: what moved around a moment, for a service, a label set or a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Query
from prometheus_client import CollectorRegistry
from pydantic_core import PydanticCustomError

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.kernel.units import parse_duration
from holdfast.telemetry.correlate.documents import AroundOut, OwnerOut, show_report
from holdfast.telemetry.correlate.engine import Correlator, Subject
from holdfast.telemetry.correlate.moment import read_moment
from holdfast.telemetry.metrics.promql import QuerySyntaxError, parse_matchers
from holdfast.telemetry.metrics.samples import MatchOp
from holdfast.telemetry.questions import measured
from holdfast.telemetry.traces.spans import NO_PARENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.catalog import Entities
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.samples import Matcher
    from holdfast.telemetry.traces.selection import TraceSource

Reader = Annotated[Identity, Depends(requires("around.read"))]
_NAMING: Final = ("service_name", "service", "job", "app")


@dataclass(frozen=True, slots=True)
class CatalogView:
    """The catalog as this room needs it; it belongs to one tenant."""

    entities: Callable[[], Entities]

    def of(self, tenant: TenantId) -> Entities | None:
        """Give the entities that a tenant sees."""
        return self.entities() if tenant == DEFAULT_TENANT else None

    def neighbours_of(self, tenant: TenantId, service: str) -> Sequence[str]:
        """Give the services next to one."""
        entities = self.of(tenant)
        try:
            if entities is None:
                return ()
            name = entities.service_name(entities.service(service).ref)
        except NotFoundError:
            return ()
        return () if name is None else (*entities.dependencies(name), *entities.dependents(name))

    def owner_of(self, tenant: TenantId, service: str) -> OwnerOut | None:
        """Give who answers for a service."""
        entities = self.of(tenant)
        if entities is None or not service:
            return None
        try:
            entity = entities.service(service)
        except NotFoundError:
            return None
        owner = entities.owner_of(entity.ref)
        return OwnerOut(entity.display_name, str(owner) if owner else None, entity.tier)


def routes(
    correlator: Correlator,
    traces: TraceSource,
    catalog: CatalogView,
    clock: Clock,
    metrics: CollectorRegistry | None = None,
) -> APIRouter:
    """Build the router."""
    router = APIRouter(tags=["around"], route_class=measured("around", metrics))

    @router.get("/around", operation_id="lookAround")
    async def look_around(
        identity: Reader,
        service: Annotated[str, Query(max_length=200, description="Its name, as its signals bear it.")] = "",
        selector: Annotated[
            str, Query(max_length=2000, description='Labels of its signals instead, such as `{job="shop/orders"}`.')
        ] = "",
        trace_id: Annotated[
            str, Query(pattern="^[0-9a-fA-F]{0,32}$", description="A trace; gives service and moment if not given.")
        ] = "",
        at: Annotated[datetime | None, Query(description="The moment; now if not given.")] = None,
        window: Annotated[str, Query(max_length=20, description="How long; a third of it after the moment.")] = "15m",
    ) -> AroundOut:
        """Give everything that moved for a service around a moment, ranked."""
        matchers = _read_selector(selector)
        also: tuple[str, ...] = ()
        if trace_id:
            service, at, also = await _of_trace(traces, identity.tenant, trace_id, service, at)
        service = service or _named(matchers)
        if not service and not matchers:
            raise InvalidError("nothing is asked about", hint="give a service, a selector or a trace_id")
        longest = timedelta(seconds=correlator.settings.max_window)
        aware = at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
        moment = read_moment(aware, _read_window(window), clock.now(), longest=longest)
        report = await correlator.look(identity.tenant, Subject(service, matchers, also), moment)
        return show_report(report, catalog.owner_of(identity.tenant, service))

    return router


async def _of_trace(
    traces: TraceSource, tenant: TenantId, trace_id: str, service: str, at: datetime | None
) -> tuple[str, datetime, tuple[str, ...]]:
    trace = await traces.trace(tenant, trace_id.lower().zfill(32))
    if trace is None:
        raise NotFoundError(f"no trace {trace_id}", hint="it may not have come yet, or its time to be kept is over")
    roots = (row for row, parent in enumerate(trace.spans.parent_ids) if parent == NO_PARENT)
    first = trace.spans[next(roots, 0)]  # the earliest root; the earliest span where none has come
    names = set(trace.spans.services)
    chosen = service or first.service
    began = datetime.fromtimestamp(first.start_ns / 1e9, UTC)
    return chosen, at or began, tuple(sorted(names - {chosen}))


def _read_selector(text: str) -> tuple[Matcher, ...]:
    try:
        return tuple(parse_matchers(text)) if text else ()
    except QuerySyntaxError as error:
        raise InvalidError(f"parameter 'selector': {error.message}", hint='such as {job="orders"}') from None


def _named(matchers: Sequence[Matcher]) -> str:
    values = {each.label: each.value for each in matchers if each.op is MatchOp.EQUAL}
    found = next((values[label] for label in _NAMING if label in values), "")
    return found.rpartition("/")[2]


def _read_window(text: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(text))
    except PydanticCustomError as error:
        raise InvalidError(f"parameter 'window': {error.message()}", hint="such as 15m") from None
