"""The metrics of a service around a moment: counters by their rate, gauges by their level, histograms by their mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.correlate.curves import CurveReader, Question
from holdfast.telemetry.correlate.findings import Lane, Part, PartState
from holdfast.telemetry.correlate.moment import WEEK, Moment
from holdfast.telemetry.correlate.wording import speaks_of_errors
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.quoting import quote
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.browsing import SeriesBrowser

_OWN: Final = ("traces_span_metrics_", "traces_service_graph_")  # the lanes of operations and neighbours show these
_SKIPPED: Final = ("_bucket", "_created", "_info", "_timestamp_seconds", "_timestamp")
_COUNTED: Final = ("_total", "_count", "_sum")
_STARTED: Final = "process_start_time_seconds"
_UNITS: Final = (("_bytes", "bytes"), ("_milliseconds", "ms"), ("_seconds", "s"), ("_ratio", ""))


@dataclass(frozen=True, slots=True)
class Own:
    """A metric of the service: by which matchers its series are found, how many there are, and of which type it is."""

    name: str
    matchers: tuple[Matcher, ...]
    series: int
    type: str

    def selector(self, name: str = "") -> str:
        """Give it in PromQL."""
        inside = ", ".join(f"{each.label}{each.op}{quote(each.value)}" for each in self.matchers)
        return f"{name or self.name}{{{inside}}}"


async def look_at_metrics(
    part: Part, reader: CurveReader, own: Sequence[Own], service: str, *, most_series: int, has_week: bool
) -> None:
    """Compare metrics one after the other, those that speak of errors first; what is found goes to the part."""
    refused: dict[str, str] = {}
    for metric in own:
        question = ask_about(metric, service, reader.moment, most_series)
        if question is None:
            continue
        part.looked_at += 1
        try:
            found = await reader.findings(question, has_week=has_week)
        except HoldfastError as error:
            refused[metric.name] = error.message
            continue
        if found:
            part.findings.append(replace(found[0], others=len(found) - 1))
    if refused:
        name, why = next(iter(refused.items()))
        part.cut(f"{len(refused)} metrics could not be compared, such as {name}: {why}")
    if refused and len(refused) == part.looked_at:
        part.state = PartState.FAILED


def ask_about(metric: Own, service: str, moment: Moment, most: int) -> Question | None:
    """Give the question about a metric; None for what tells nothing over time."""
    name, within = metric.name, f"[{moment.range_s}s]"
    selector = metric.selector()
    is_many = metric.series > most
    weight = 0.85 if speaks_of_errors(name) else 0.6
    if _tells_nothing(metric):
        return None
    if name == _STARTED:
        query, unit, weight, joined = f"changes({selector}{within})", "", 0.95, "max"
    elif metric.type == "histogram" and not name.endswith(_COUNTED):
        query, unit, joined = f"histogram_avg(rate({selector}{within}))", _unit(name), "avg"
    elif name.endswith("_sum"):
        family = name.removesuffix("_sum")
        parts = f"rate({selector}{within})", f"rate({metric.selector(f'{family}_count')}{within})"
        query, unit, weight, joined = f"{parts[0]} / {parts[1]}", _unit(family), 0.7, ""
        query = f"sum({parts[0]}) / sum({parts[1]})" if is_many else query
    elif metric.type == "counter" or name.endswith(_COUNTED):
        is_bytes = _unit(name.removesuffix("_total")) == "bytes"
        query, unit, joined = f"rate({selector}{within})", "bytes" if is_bytes else "/s", "sum"
    else:
        query, unit, joined = selector, _unit(name), "avg"
    query = f"{joined}({query})" if is_many and joined else query
    return _question(metric, service, query, unit, weight=weight, is_count=joined in {"sum", "max"})


def _tells_nothing(metric: Own) -> bool:
    """Tell whether it is shown by another lane, by another metric of its family, or never moves."""
    name = metric.name
    is_odd_sum = name.endswith("_sum") and metric.type not in {"histogram", "summary"}
    is_told_elsewhere = name.startswith(_OWN) or name.endswith(_SKIPPED)
    return is_told_elsewhere or is_odd_sum or metric.type in {"info", "stateset"}


def _question(metric: Own, service: str, query: str, unit: str, *, weight: float, is_count: bool = False) -> Question:
    named = {each.label for each in metric.matchers if each.op is MatchOp.EQUAL}

    def show(labels: Mapping[str, str]) -> str:
        shown = [f"{label}={quote(value)}" for label, value in labels.items() if _is_shown(label, named)]
        return f"{metric.name}{{{', '.join(shown)}}}" if shown else metric.name

    subject = _subject(metric)
    return Question(
        Lane.METRICS,
        service,
        query,
        show,
        lambda labels: subject.format(show(labels)) if "{}" in subject else subject,
        unit,
        is_count=is_count,
        weight=weight,
        is_bad_up=speaks_of_errors(metric.name),
    )


def _subject(metric: Own) -> str:
    return "The process start time (restarts)" if metric.name == _STARTED else "{}"


def _is_shown(label: str, named: set[str]) -> bool:
    return label != METRIC_NAME and label not in named and label not in {"instance", "job", "service_name"}


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "")


@dataclass(frozen=True, slots=True)
class MetricFinder:
    """Finds which metrics are a service's."""

    browser: SeriesBrowser
    labels: Sequence[str]

    async def find(
        self, tenant: TenantId, service: str, given: tuple[Matcher, ...], moment: Moment
    ) -> tuple[list[Own], bool]:
        """Give the metrics of a service, or of given matchers; and whether some were there last week."""
        selectors = [given] if given else [_names(label, service) for label in self.labels]
        scope = Scope(tuple(selectors), _ms(moment.before), _ms(moment.end))
        types = {each.family: each.type for each in await self.browser.metadata(tenant)}
        found: dict[str, Own] = {}
        for selector in selectors:
            labels = await self.browser.series(tenant, Scope((selector,), scope.start_ms, scope.end_ms))
            for name, count in _count(labels).items():
                found.setdefault(name, Own(name, selector, count, _type(name, types)))
        week = Scope(scope.selectors, _ms(moment.start - WEEK), _ms(moment.end - WEEK), limit=1)
        has_week = bool(await self.browser.series(tenant, week))
        return sorted(found.values(), key=lambda metric: (not speaks_of_errors(metric.name), metric.name)), has_week


def _names(label: str, service: str) -> tuple[Matcher, ...]:
    if label == "job":
        escaped = "".join(f"\\{sign}" if sign in r"\.+*?()|[]{}^$" else sign for sign in service)
        return (Matcher(label, MatchOp.MATCHES, f"(.+/)?{escaped}"),)
    return (Matcher(label, MatchOp.EQUAL, service),)


def _count(series: Sequence[Labels]) -> Counter[str]:
    return Counter(value for labels in series for name, value in labels if name == METRIC_NAME)


def _type(name: str, types: Mapping[str, str]) -> str:
    candidates = (name, *(name.removesuffix(ending) for ending in ("_total", "_count", "_sum", "_bucket")))
    return next((types[each] for each in candidates if each in types), "")


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
