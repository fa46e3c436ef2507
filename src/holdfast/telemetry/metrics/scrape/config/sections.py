"""Sections of `prometheus.yml` that are not scraping's: checked as Prometheus does, named in a warning, not in force.

What may not stand together; how each section is written says `section_shapes`. Rules come with alerting's own issue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.otlp import OtlpOptions
from holdfast.telemetry.metrics.scrape.config import discoveries as ours
from holdfast.telemetry.metrics.scrape.config.clients import RESERVED_HEADERS, client_faults, tls_faults
from holdfast.telemetry.metrics.scrape.config.foreign import section_faults, without_foreign
from holdfast.telemetry.metrics.scrape.config.rules import RuleShape, rule_faults
from holdfast.telemetry.metrics.scrape.config.section_shapes import (
    AlertmanagerShape,
    QueueShape,
    RemoteReadShape,
    RemoteShape,
    RemoteWriteShape,
    RuntimeShape,
    SigV4Shape,
    StorageShape,
    TracingShape,
)
from holdfast.telemetry.metrics.scrape.config.urls import is_url
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling

Fault = tuple[tuple[str | int, ...], str]

_MESSAGES: Final = {"prometheus.WriteRequest", "io.prometheus.write.v2.Request"}

_SIGNED: Final = frozenset({"sigv4", "azuread", "google_iam"})
_WAYS: Final = ("basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file", *sorted(_SIGNED))


@dataclass(frozen=True, slots=True)
class AlertingShape:
    """The section `alerting`."""

    __pydantic_config__ = ours.STRICT

    alert_relabel_configs: tuple[RuleShape, ...] = ()
    alertmanagers: tuple[AlertmanagerShape, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section: the shape of what is ours of it, what is wrong with that, and with the rest."""

    shape: Any
    faults: Callable[[Any], Iterator[Fault]] = field(default=lambda _: iter(()))
    own: Callable[[Any], Any] = field(default=lambda raw: raw)
    foreign_faults: Callable[[Any], Iterator[Fault]] = field(default=lambda _: iter(()))


def _remote_write(section: tuple[RemoteWriteShape, ...]) -> Iterator[Fault]:
    yield from _remotes(section)
    for index, one in enumerate(section):
        yield from (((index, "queue_config", name), message) for name, message in _queue(one.queue_config))
        yield from _relabels(one.write_relabel_configs, (index, "write_relabel_configs"))
        if one.protobuf_message not in _MESSAGES:
            yield (index, "protobuf_message"), f"it is none of {', '.join(sorted(_MESSAGES))}"
        ways = [name for name in _WAYS if getattr(one, name)]
        if len(ways) > 1 and set(ways) & _SIGNED:
            yield (index, ways[-1]), f"give only one of {', '.join(ways)}"
        yield from (((index, "sigv4"), message) for message in _sigv4(one.sigv4))


def _remotes(section: tuple[RemoteShape, ...]) -> Iterator[Fault]:
    names: set[str] = set()
    for index, one in enumerate(section):
        if not one.url:
            yield (index, "url"), "the url is missing"
        elif not is_url(one.url):
            yield (index, "url"), f"{one.url!r} is not a URL"
        if one.name and one.name in names:
            yield (index, "name"), f"the name {one.name!r} stands twice"
        names.add(one.name)
        yield from (((index, *path), message) for path, message in _headers(one.headers))
        yield from (((index, name), message) for name, message in client_faults(one))


def _queue(queue: QueueShape) -> Iterator[tuple[str, str]]:
    for name in ("capacity", "max_shards", "min_shards", "max_samples_per_send"):
        if getattr(queue, name) < 1:
            yield name, f"{name} must be above 0"
    if queue.min_shards > queue.max_shards:
        yield "min_shards", "min_shards is above max_shards"
    if queue.min_backoff > queue.max_backoff:
        yield "max_backoff", "max_backoff is below min_backoff"


def _sigv4(signing: SigV4Shape | None) -> Iterator[str]:
    if signing is not None and bool(signing.access_key) != bool(signing.secret_key):
        yield "an access_key needs its secret_key, and a secret_key its access_key"


def _alerting(section: AlertingShape) -> Iterator[Fault]:
    yield from _relabels(section.alert_relabel_configs, ("alert_relabel_configs",))
    for index, one in enumerate(section.alertmanagers):
        at = ("alertmanagers", index)
        yield from _relabels(one.relabel_configs, (*at, "relabel_configs"))
        yield from _relabels(one.alert_relabel_configs, (*at, "alert_relabel_configs"))
        yield from (((*at, *path), message) for path, message in _addresses(one))
        yield from (((*at, name), message) for name, message in client_faults(one))
        found = ours.discovery_faults(
            one.file_sd_configs, one.http_sd_configs, one.dns_sd_configs, one.kubernetes_sd_configs
        )
        yield from (((*at, *path), message) for path, message in found)
        if one.sigv4 is not None and (one.basic_auth or one.authorization or one.oauth2):
            yield (*at, "sigv4"), "give only one of basic_auth, authorization, oauth2 and sigv4"
        yield from (((*at, "sigv4"), message) for message in _sigv4(one.sigv4))


def _alerting_own(section: Any) -> Any:
    given = section.get("alertmanagers") if isinstance(section, dict) else None
    if not isinstance(given, list):
        return section
    return {**section, "alertmanagers": [without_foreign(one) for one in given]}


def _alerting_foreign(section: Any) -> Iterator[Fault]:
    given = section.get("alertmanagers") if isinstance(section, dict) else None
    for index, one in enumerate(given if isinstance(given, list) else ()):
        yield from ((("alertmanagers", index, *path), message) for path, message in section_faults(one))


def _addresses(section: AlertmanagerShape) -> Iterator[Fault]:
    """Find URLs where an address belongs, unless relabelling makes one of them."""
    try:
        relabelling = Relabelling(rule.rule() for rule in section.relabel_configs)
    except InvalidError:  # told by whoever judges the rules
        return
    for index, group in enumerate(section.static_configs):
        for address in group.targets:
            found = relabelling.apply({**group.labels, "__address__": address})
            if found is not None and "/" in found.get("__address__", ""):
                yield ("static_configs", index), f"{address!r} is not host:port"


def _storage(section: StorageShape) -> Iterator[Fault]:
    kept = section.tsdb.retention if section.tsdb is not None else None
    if kept is not None and not 0 <= kept.percentage <= 100:
        yield ("tsdb", "retention", "percentage"), "it is not between 0 and 100"


def _tracing(section: TracingShape) -> Iterator[Fault]:
    if not section.endpoint:
        yield ("endpoint",), "the endpoint is missing"
    yield from _headers(section.headers)
    yield from ((("tls_config",), message) for message in tls_faults(section.tls_config))


def _otlp(section: OtlpOptions) -> Iterator[Fault]:
    promoted, ignored = section.promote_resource_attributes, section.ignore_resource_attributes
    if section.promote_all_resource_attributes and promoted:
        yield ("promote_resource_attributes",), "all are promoted already"
    if ignored and not section.promote_all_resource_attributes:
        yield ("ignore_resource_attributes",), "it needs promote_all_resource_attributes"
    for name, given in (("promote_resource_attributes", promoted), ("ignore_resource_attributes", ignored)):
        cleaned = [text.strip() for text in given]
        if "" in cleaned or len(set(cleaned)) != len(cleaned):
            yield (name,), "an attribute is empty or stands twice"


def _headers(headers: Mapping[str, str]) -> Iterator[Fault]:
    for name in headers:
        if name.lower() in RESERVED_HEADERS:
            yield ("headers", name), f"the header {name!r} cannot be set here"


def _relabels(rules: tuple[RuleShape, ...], at: tuple[str | int, ...]) -> Iterator[Fault]:
    for index, rule in enumerate(rules):
        yield from (((*at, index), message) for message in rule_faults(rule, is_legacy=False))


OTHERS: Final[dict[str, Section]] = {
    "remote_write": Section(tuple[RemoteWriteShape, ...], _remote_write),
    "remote_read": Section(tuple[RemoteReadShape, ...], _remotes),
    "alerting": Section(AlertingShape, _alerting, _alerting_own, _alerting_foreign),
    "storage": Section(StorageShape, _storage),
    "tracing": Section(TracingShape, _tracing),
    "otlp": Section(OtlpOptions, _otlp),
    "runtime": Section(RuntimeShape),
}
