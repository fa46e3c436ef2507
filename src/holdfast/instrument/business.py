"""Metrics of what a program is for, by decorator: orders placed, money taken, how long a quote took, carts open.

Works on functions of every kind: plain, async, generators, methods. A label's values come from the call's arguments and
are bounded; a watch that fails never fails the call.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from holdfast import journal
from holdfast.instrument.arguments import CallParts, Part
from holdfast.instrument.around import F, Open, stand_around
from holdfast.instrument.labels import OTHER, BoundedLabel, writable
from holdfast.instrument.registries import PerRegistry, count_folded
from holdfast.instrument.tracing import current_exemplar

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

MOST_VALUES: Final = 50
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60)


@dataclass(slots=True)
class Family:
    """One metric that decorators share, with the bound of each of its labels."""

    metric: Any
    kind: type
    names: tuple[str, ...]
    bounds: dict[str, BoundedLabel] = field(default_factory=dict)

    def child(self, values: Mapping[str, object]) -> Any:
        """Give the child of these label values, folded where there are too many."""
        if not self.names:
            return self.metric
        return self.metric.labels(*(self.bounds[name].admit(str(values[name])) for name in self.names))


class Families:
    """The metrics made by decorators in one registry, by name: two functions may count into the same."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._made: dict[str, Family] = {}
        self._alone = threading.Lock()
        self._tell = functools.partial(count_folded, registry)
        self._settings: dict[str, Any] = {"registry": registry}
        count_folded(registry, "business")  # the metric stands in the registry before its first use

    def get(self, kind: type, name: str, text: str, labels: Sequence[str], most: int, **settings: Any) -> Family:
        """Give the metric `name`, made if it is new.

        Raises:
            ValueError: it exists, as another kind or with other labels.
        """
        with self._alone:
            found = self._made.get(name)
            if found is None:
                metric = kind(name, text, tuple(labels), **settings, **self._settings)
                bounds = {label: BoundedLabel(most, self._tell(f"{name}:{label}")) for label in labels}
                found = self._made[name] = Family(metric, kind, tuple(labels), bounds)
        if (found.kind, found.names) != (kind, tuple(labels)):
            raise ValueError(
                f"{name} exists as a {found.kind.__name__} with the labels {found.names}; choose another name"
            )
        return found


_FAMILIES: Final = PerRegistry(Families)


def counted(
    name: str,
    text: str,
    *,
    labels: Mapping[str, Part] | None = None,
    amount: Part | None = None,
    errors: bool = False,
    most: int = MOST_VALUES,
    registry: CollectorRegistry = REGISTRY,
) -> Callable[[F], F]:
    """Count the calls that return: `@counted("orders", "Orders placed.", labels={"currency": "order.currency"})`.

    Args:
        name: the counter's, without `_total`.
        text: its help.
        labels: label names and where their values come from: a path such as `order.currency` or `return.status`, or a
            function of the same arguments.
        amount: what each call adds, as a path or function (`"order.total"` for revenue); 1 if not given.
        errors: count the calls that raise instead.
        most: different values of each label; the rest are counted as "other".
        registry: where.
    """
    family = _FAMILIES(registry).get(Counter, name, text, tuple(labels or {}), most)
    parts = {**(labels or {}), **({_AMOUNT: amount} if amount is not None else {})}

    def note(values: dict[str, Any], _duration_s: float, *, is_error: bool) -> None:
        if is_error is errors:
            added = float(values.get(_AMOUNT, 1))
            if not math.isfinite(added):
                raise ValueError(f"{added} would stay in the sum for ever")
            family.child(values).inc(added, current_exemplar())

    return lambda fn: _watch(fn, parts, note)


def timed(
    name: str,
    text: str,
    *,
    labels: Mapping[str, Part] | None = None,
    buckets: Sequence[float] = BUCKETS_S,
    most: int = MOST_VALUES,
    registry: CollectorRegistry = REGISTRY,
) -> Callable[[F], F]:
    """Time calls, by label and `outcome` (`ok`, `error`): `@timed("quote_duration_seconds", "Time of a quote.")`.

    `name` ends in `_seconds`; `labels` and `most` are as in `counted`.
    """
    if not name.endswith("_seconds"):
        raise ValueError(f"{name!r} is measured in seconds; call it {name}_seconds")
    family = _FAMILIES(registry).get(Histogram, name, text, (*(labels or {}), "outcome"), most, buckets=buckets)

    def note(values: dict[str, Any], duration_s: float, *, is_error: bool) -> None:
        values["outcome"] = "error" if is_error else "ok"
        family.child(values).observe(duration_s, current_exemplar())

    return lambda fn: _watch(fn, labels or {}, note)


def in_progress(name: str, text: str, *, registry: CollectorRegistry = REGISTRY) -> Callable[[F], F]:
    """Show how many calls are under way: `@in_progress("exports_in_progress", "Exports being written.")`."""
    gauge: Gauge = _FAMILIES(registry).get(Gauge, name, text, (), 1, multiprocess_mode="livesum").metric

    return lambda fn: stand_around(fn, lambda _: lambda _args, _kwargs: _UnderWay(gauge))


def gauge_of(
    name: str, text: str, *, label: str = "", most: int = MOST_VALUES, registry: CollectorRegistry = REGISTRY
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Show what a function gives when somebody looks: `@gauge_of("carts_open", "Carts with something in them.")`.

    With `label`, it gives a mapping from that label's values to numbers; the first `most` are shown, the rest summed
    as "other". A function that raises shows nothing, and is counted in `instrument_gauge_failures_total`.
    """
    failures = _FAILURES(registry).labels(name)

    def decorate(read: Callable[[], Any]) -> Callable[[], Any]:
        registry.register(
            ReadGauge(name, text, label, read, Bound(most, failures, count_folded(registry, f"{name}:{label}")))
        )
        return read

    return decorate


@dataclass(frozen=True, slots=True)
class Bound:
    """What a gauge keeps to, and whom it tells when it does not."""

    most: int
    failures: Counter
    tell_folded: Callable[[], None]


class ReadGauge(Collector):
    """A gauge whose function is called at each look."""

    def __init__(self, name: str, text: str, label: str, read: Callable[[], Any], bound: Bound) -> None:
        self._family = functools.partial(GaugeMetricFamily, name, text, labels=[label] if label else None)
        self._has_label = bool(label)
        self._read = read
        self._bound = bound

    def describe(self) -> Iterable[Metric]:
        """Give the family, without samples."""
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        """Call the function."""
        family = self._family()
        try:
            found = self._read()
            values = [(key, float(value)) for key, value in found.items()] if self._has_label else [("", float(found))]
        except Exception:  # noqa: BLE001 -- the fence of a plugin: one broken gauge must not hide all other metrics
            self._bound.failures.inc()
            return [family]
        shown: dict[str, float] = {}
        for place, (key, value) in enumerate(values):
            text = writable(str(key)) if place < self._bound.most else OTHER
            shown[text] = shown.get(text, 0.0) + value  # a page may hold a series only once
        if len(values) > self._bound.most:
            self._bound.tell_folded()
        for text, value in shown.items():
            family.add_metric([text] if self._has_label else [], value)
        return [family]


_AMOUNT: Final = " amount"  # no label can be called so
_log = journal.get_logger()


def _make_failures(registry: CollectorRegistry) -> Counter:
    text = "Times that the function behind a gauge raised."
    return Counter("instrument_gauge_failures", text, ["gauge"], registry=registry)


_FAILURES: Final = PerRegistry(_make_failures)


def _watch(fn: F, parts: Mapping[str, Part], note: Callable[..., None]) -> F:
    def prepare(inner: Callable[..., Any]) -> Open:
        return functools.partial(
            _Call, CallParts(inner, parts), note, getattr(inner, "__qualname__", type(inner).__name__)
        )

    return stand_around(fn, prepare)


class _UnderWay:
    """Around a call that a gauge shows."""

    __slots__ = ("_gauge", "result")

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self.result: object = None

    def __enter__(self) -> Self:
        self._gauge.inc()
        return self

    def __exit__(self, *_: object) -> None:
        self._gauge.dec()


class _Call:
    """Around a call that is noted when it is over."""

    __slots__ = ("_args", "_kwargs", "_name", "_note", "_reader", "_since_s", "result")

    def __init__(
        self, reader: CallParts, note: Callable[..., None], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._reader, self._note, self._name = reader, note, name
        self._args, self._kwargs = args, kwargs
        self._since_s = 0.0
        self.result: object = None

    def __enter__(self) -> Self:
        self._since_s = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        duration_s = time.perf_counter() - self._since_s
        is_error = kind is not None and not issubclass(kind, GeneratorExit)
        try:
            self._note(self._reader.read(self._args, self._kwargs, self.result), duration_s, is_error=is_error)
        except Exception as error:  # noqa: BLE001 -- the fence of a plugin: counting must not fail what is counted
            _log.warning("business_metric_failed", function=self._name, error=repr(error))
