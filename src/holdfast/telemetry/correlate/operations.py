"""Calls, errors and durations of a service's operations and of the edges to its neighbours, by the metrics of spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.correlate.curves import CurveReader, Question
from holdfast.telemetry.correlate.findings import Lane, Part, PartState
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.samples import Matcher, MatchOp
from holdfast.telemetry.traces.red import CALLS, DURATION, FAILED, REQUESTS, SERVER

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.correlate.moment import Moment
    from holdfast.telemetry.metrics.browsing import SeriesBrowser

_MOST: Final = 8  # findings of one question
_LEAST_CALLS: Final = 0.02  # a second; a call a minute more or less is nothing
_LEAST_ERRORS: Final = 0.005  # of calls
_LEAST_MS: Final = 1.0
_BY: Final = "span_name, span_kind"
_FAILED_SPANS: Final = 'status_code="STATUS_CODE_ERROR"'


async def look_at_operations(part: Part, reader: CurveReader, service: str, *, has_week: bool) -> None:
    """Compare what came of the calls into and out of the service, operation by operation."""
    named, within = f"service_name={quote(service)}", f"[{reader.moment.range_s}s]"
    calls = f"sum by ({_BY}) (rate({CALLS}{{{named}}}{within}))"
    failed = f"sum by ({_BY}) (rate({CALLS}{{{named}, {_FAILED_SPANS}}}{within}))"
    buckets = f"sum by ({_BY}, le) (rate({DURATION.metric}_bucket{{{named}}}{within}))"

    def named_span(labels: Mapping[str, str]) -> str:
        return labels.get("span_name") or "other operations"

    def ask(query: str, what: str, unit: str, weight: float, *, least: float, is_count: bool, is_bad: bool) -> Question:
        def narrow(labels: Mapping[str, str]) -> str:
            name = labels.get("span_name")
            return query.replace(named, f"{named}, span_name={quote(name)}") if name else query

        return Question(
            Lane.OPERATIONS,
            service,
            query,
            lambda labels: f"{named_span(labels)}: {what.lower()}",
            lambda labels: f"{what} of {named_span(labels)}",
            unit,
            is_count=is_count,
            weight=weight,
            least=least,
            most=200,
            narrow=narrow,
            is_bad_up=is_bad,
        )

    share = f"{failed} / ({calls} > 0)"
    late = f"histogram_quantile(0.95, {buckets})"
    questions = (
        ask(share, "Failed calls", "%", 1.0, least=_LEAST_ERRORS, is_count=True, is_bad=True),
        ask(late, "The 95th percentile", "ms", 0.85, least=_LEAST_MS, is_count=False, is_bad=True),
        ask(calls, "Calls", "/s", 0.7, least=_LEAST_CALLS, is_count=True, is_bad=False),
    )
    await _ask_all(part, reader, questions, has_week=has_week)


async def look_at_neighbours(
    part: Part, reader: CurveReader, service: str, neighbours: Sequence[str], *, has_week: bool
) -> None:
    """Compare the edges to and from the service, and the errors of those at their other ends."""
    within = f"[{reader.moment.range_s}s]"
    questions = [
        question
        for end, other in (("client", "server"), ("server", "client"))
        for question in _of_edge(service, end, other, within)
    ]
    if neighbours:
        names = quote("|".join(_escaped(name) for name in neighbours))
        where = f"service_name=~{names}"
        bad = f"sum by (service_name) (rate({CALLS}{{{where}, {_FAILED_SPANS}}}{within}))"
        calls = f"(sum by (service_name) (rate({CALLS}{{{where}}}{within})) > 0)"
        questions.append(
            Question(
                Lane.NEIGHBOURS,
                service,
                f"{bad} / {calls}",
                lambda labels: f"{labels.get('service_name', '')}: failed calls",
                lambda labels: f"Failed calls of the neighbour {labels.get('service_name', '')}",
                "%",
                is_count=True,
                weight=0.8,
                least=_LEAST_ERRORS,
                is_bad_up=True,
                narrow=lambda labels: f"{bad} / {calls}".replace(
                    where, f"service_name={quote(labels.get('service_name', ''))}"
                ),
            )
        )
    await _ask_all(part, reader, questions, has_week=has_week)


def _of_edge(service: str, end: str, other: str, within: str) -> list[Question]:
    where, by = f"{end}={quote(service)}", f"sum by ({other})"
    calls, failed = f"{by} (rate({REQUESTS}{{{where}}}{within}))", f"{by} (rate({FAILED}{{{where}}}{within}))"
    late = f"histogram_quantile(0.95, sum by ({other}, le) (rate({SERVER.metric}_bucket{{{where}}}{within})))"
    way = "to" if end == "client" else "from"

    def ask(query: str, what: str, unit: str, weight: float, *, least: float, is_count: bool, is_bad: bool) -> Question:
        return Question(
            Lane.NEIGHBOURS,
            service,
            query,
            lambda labels: f"{way} {labels.get(other, '')}: {what.lower()}",
            lambda labels: f"{what} {way} {labels.get(other, '')}",
            unit,
            is_count=is_count,
            weight=weight,
            least=least,
            narrow=lambda labels: query.replace(where, f"{where}, {other}={quote(labels.get(other, ''))}"),
            is_bad_up=is_bad,
        )

    return [
        ask(f"{failed} / ({calls} > 0)", "Failed calls", "%", 0.8, least=_LEAST_ERRORS, is_count=True, is_bad=True),
        ask(late, "The 95th percentile of calls", "s", 0.65, least=_LEAST_MS / 1e3, is_count=False, is_bad=True),
        ask(calls, "Calls", "/s", 0.5, least=_LEAST_CALLS, is_count=True, is_bad=False),
    ]


async def _ask_all(part: Part, reader: CurveReader, questions: Sequence[Question], *, has_week: bool) -> None:
    refused = 0
    for question in questions:
        part.looked_at += 1
        try:
            found = await reader.findings(question, has_week=has_week)
        except HoldfastError as error:
            refused += 1
            part.cut(error.message)
            continue
        part.findings += found[:_MOST]
        if len(found) > _MOST:
            part.findings[-1] = replace(part.findings[-1], others=len(found) - _MOST)
    if refused == len(questions):
        part.state = PartState.FAILED


async def find_neighbours(browser: SeriesBrowser, tenant: TenantId, service: str, moment: Moment) -> list[str]:
    """Give who calls the service and whom it calls, by the metrics of edges."""
    times = int(moment.before.timestamp() * 1000), int(moment.end.timestamp() * 1000)
    found: set[str] = set()
    for end, other in (("client", "server"), ("server", "client")):
        matchers = Matcher("__name__", MatchOp.EQUAL, REQUESTS), Matcher(end, MatchOp.EQUAL, service)
        found.update(await browser.label_values(tenant, other, Scope((matchers,), *times)))
    return sorted(found - {service, ""})


def _escaped(name: str) -> str:
    return "".join(f"\\{sign}" if sign in r"\.+*?()|[]{}^$" else sign for sign in name)
