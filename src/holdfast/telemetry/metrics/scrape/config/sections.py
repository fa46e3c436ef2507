"""Sections of `prometheus.yml` that are not scraping's: checked as Prometheus does, named in a warning, not in force.

Remote write and read, alerting, storage, tracing, OTLP and runtime. Rules come with alerting's own issue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import PydanticCustomError

from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.telemetry.metrics.scrape.config.clients import RESERVED_HEADERS, ClientConfig, client_faults
from holdfast.telemetry.metrics.scrape.config.discoveries import TargetGroup
from holdfast.telemetry.metrics.scrape.config.rules import RuleShape, rule_faults
from holdfast.telemetry.metrics.scrape.config.scalars import parse_duration, parse_size
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling

Fault = tuple[tuple[str | int, ...], str]
Section = Callable[[Any], Iterator[Fault]]

_CLIENT_KEYS: Final = frozenset(ClientConfig.__dataclass_fields__)
_QUEUE: Final[dict[str, int]] = {
    "capacity": 10_000,
    "max_shards": 50,
    "min_shards": 1,
    "max_samples_per_send": 2000,
}
_WRITE_KEYS: Final = _CLIENT_KEYS | {
    "url", "remote_timeout", "headers", "write_relabel_configs", "name", "send_exemplars", "send_native_histograms",
    "round_robin_dns", "queue_config", "metadata_config", "sigv4", "azuread", "google_iam", "protobuf_message",
}  # fmt: skip
_READ_KEYS: Final = _CLIENT_KEYS | {
    "url", "remote_timeout", "chunked_read_limit", "headers", "read_recent", "required_matchers", "name",
    "filter_external_labels",
}  # fmt: skip
_QUEUE_KEYS: Final = frozenset(_QUEUE) | {
    "batch_send_deadline", "min_backoff", "max_backoff", "retry_on_http_429", "sample_age_limit",
}  # fmt: skip
_MESSAGES: Final = {"prometheus.WriteRequest", "io.prometheus.write.v2.Request"}
_OTLP_KEYS: Final = {
    "promote_all_resource_attributes", "promote_resource_attributes", "ignore_resource_attributes",
    "translation_strategy", "keep_identifying_resource_attributes", "convert_histograms_to_nhcb",
    "promote_scope_metadata", "label_name_underscore_sanitization", "label_name_preserve_multiple_underscores",
}  # fmt: skip
_STRATEGIES: Final = {
    "UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes", "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
}  # fmt: skip
_TRACING_KEYS: Final = {
    "client_type", "endpoint", "sampling_fraction", "insecure", "tls_config", "headers", "compression", "timeout",
}  # fmt: skip


def _remote_write(section: Any) -> Iterator[Fault]:
    yield from _remotes(section, _WRITE_KEYS)
    for index, one in _mappings(section):
        yield from (((index, *path), message) for path, message in _queue(one.get("queue_config")))
        yield from _relabels(one.get("write_relabel_configs"), (index, "write_relabel_configs"))
        if one.get("protobuf_message", "prometheus.WriteRequest") not in _MESSAGES:
            yield (index, "protobuf_message"), f"it is none of {', '.join(sorted(_MESSAGES))}"


def _remote_read(section: Any) -> Iterator[Fault]:
    yield from _remotes(section, _READ_KEYS)


def _remotes(section: Any, keys: frozenset[str]) -> Iterator[Fault]:
    names: set[str] = set()
    for index, one in enumerate(section if isinstance(section, list) else [None]):
        if not isinstance(one, dict):
            yield (index,), "the section is empty"
            continue
        yield from (((index, *path), message) for path, message in _unknown(one, keys))
        if not one.get("url"):
            yield (index, "url"), "the url is missing"
        if one.get("name") and one["name"] in names:
            yield (index, "name"), f"the name {one['name']!r} stands twice"
        names.add(one.get("name", ""))
        yield from (((index, *path), message) for path, message in _headers(one.get("headers")))
        yield from (((index, *path), message) for path, message in _client(one))


def _queue(queue: Any) -> Iterator[Fault]:
    if not isinstance(queue, dict):
        return
    yield from ((("queue_config", *path), message) for path, message in _unknown(queue, _QUEUE_KEYS))
    numbers = {name: _int(queue.get(name), default) for name, default in _QUEUE.items()}
    for name, number in numbers.items():
        if number < 1:
            yield ("queue_config", name), f"{name} must be above 0"
    if numbers["min_shards"] > numbers["max_shards"]:
        yield ("queue_config", "min_shards"), "min_shards is above max_shards"
    if _seconds(queue.get("min_backoff"), 0.03) > _seconds(queue.get("max_backoff"), 5.0):
        yield ("queue_config", "max_backoff"), "max_backoff is below min_backoff"


def _alerting(section: Any) -> Iterator[Fault]:
    if not isinstance(section, dict):
        return
    yield from _unknown(section, {"alert_relabel_configs", "alertmanagers"})
    yield from _relabels(section.get("alert_relabel_configs"), ("alert_relabel_configs",))
    for index, one in _mappings(section.get("alertmanagers")):
        at = ("alertmanagers", index)
        yield from _relabels(one.get("relabel_configs"), (*at, "relabel_configs"))
        yield from _relabels(one.get("alert_relabel_configs"), (*at, "alert_relabel_configs"))
        yield from (((*at, *path), message) for path, message in _addresses(one))
        yield from (((*at, *path), message) for path, message in _client(one))


def _addresses(section: Mapping[str, Any]) -> Iterator[Fault]:
    """Find URLs where an address belongs, unless relabelling makes one of them."""
    try:
        rules = decoding.decode(tuple[RuleShape, ...], section.get("relabel_configs") or [])
        groups = decoding.decode(tuple[TargetGroup, ...], section.get("static_configs") or [])
        relabelling = Relabelling(rule.rule() for rule in rules)
    except InvalidError:  # told by whoever judges the rules
        return
    for index, group in enumerate(groups):
        for address in group.targets:
            found = relabelling.apply({**group.labels, "__address__": address})
            if found is not None and "/" in found.get("__address__", ""):
                yield ("static_configs", index), f"{address!r} is not host:port"


def _storage(section: Any) -> Iterator[Fault]:
    if not isinstance(section, dict):
        return
    yield from _unknown(section, {"tsdb", "exemplars"})
    tsdb = section.get("tsdb") or {}
    yield from (
        (("tsdb", *path), message)
        for path, message in _unknown(
            tsdb, {"out_of_order_time_window", "stale_series_compaction_threshold", "retention", "chunk_encoding"}
        )
    )
    if (tsdb.get("chunk_encoding") or {}).get("floats", "xor") not in {"xor", "xor2"}:
        yield ("tsdb", "chunk_encoding", "floats"), "it is neither xor nor xor2"
    kept = tsdb.get("retention") or {}
    yield from (
        (("tsdb", "retention", *path), message) for path, message in _unknown(kept, {"time", "size", "percentage"})
    )
    for name, parse in (("time", parse_duration), ("size", parse_size)):
        try:
            parse(kept.get(name, "0"))
        except PydanticCustomError as error:
            yield ("tsdb", "retention", name), error.message()
    if not 0 <= _float(kept.get("percentage"), 0.0) <= 100:
        yield ("tsdb", "retention", "percentage"), "it is not between 0 and 100"


def _tracing(section: Any) -> Iterator[Fault]:
    if not isinstance(section, dict):
        return
    yield from _unknown(section, _TRACING_KEYS)
    if not section.get("endpoint"):
        yield ("endpoint",), "the endpoint is missing"
    if section.get("compression", "gzip") != "gzip":
        yield ("compression",), "only gzip is known"
    if section.get("client_type", "grpc") not in {"grpc", "http"}:
        yield ("client_type",), "it is neither grpc nor http"
    yield from _headers(section.get("headers"))


def _otlp(section: Any) -> Iterator[Fault]:
    if not isinstance(section, dict):
        return
    yield from _unknown(section, _OTLP_KEYS)
    promotes_all = section.get("promote_all_resource_attributes") in {"true", "True", "TRUE", "yes", "on"}
    promoted = section.get("promote_resource_attributes") or []
    ignored = section.get("ignore_resource_attributes") or []
    if promotes_all and promoted:
        yield ("promote_resource_attributes",), "all are promoted already"
    if ignored and not promotes_all:
        yield ("ignore_resource_attributes",), "it needs promote_all_resource_attributes"
    for name, given in (("promote_resource_attributes", promoted), ("ignore_resource_attributes", ignored)):
        cleaned = [(text or "").strip() for text in given]
        if "" in cleaned or len(set(cleaned)) != len(cleaned):
            yield (name,), "an attribute is empty or stands twice"
    if section.get("translation_strategy", "NoTranslation") not in _STRATEGIES:
        yield ("translation_strategy",), f"it is none of {', '.join(sorted(_STRATEGIES))}"


def _runtime(section: Any) -> Iterator[Fault]:
    if isinstance(section, dict):
        yield from _unknown(section, {"gogc"})


def _headers(headers: Any) -> Iterator[Fault]:
    for name in headers if isinstance(headers, dict) else ():
        if name.lower() in RESERVED_HEADERS:
            yield ("headers", name), f"the header {name!r} cannot be set here"


def _client(section: Mapping[str, Any]) -> Iterator[Fault]:
    said = {name: value for name, value in section.items() if name in _CLIENT_KEYS}
    try:
        client = decoding.decode(ClientConfig, said)
    except ConfigError as error:
        yield from (((), str(problem)) for problem in error.problems)
        return
    yield from (((name,), message) for name, message in client_faults(client))


def _relabels(rules: Any, at: tuple[str | int, ...]) -> Iterator[Fault]:
    for index, raw in enumerate(rules or ()):
        try:
            rule = decoding.decode(RuleShape, raw)
        except ConfigError as error:
            yield from (((*at, index), str(problem)) for problem in error.problems)
        else:
            yield from (((*at, index), message) for message in rule_faults(rule, is_legacy=False))


def _unknown(section: Any, known: frozenset[str] | set[str]) -> Iterator[Fault]:
    for name in section if isinstance(section, dict) else ():
        if name not in known:
            yield (name,), f"unknown key {name!r} {decoding.suggest(name, known)}".strip()


def _mappings(section: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, one in enumerate(section if isinstance(section, list) else ()):
        if isinstance(one, dict):
            yield index, one


def _int(text: Any, default: int) -> int:
    try:
        return default if text is None else int(text)
    except ValueError:
        return 0


def _float(text: Any, default: float) -> float:
    try:
        return default if text is None else float(text)
    except ValueError:
        return -1.0


def _seconds(text: Any, default: float) -> float:
    try:
        return default if text is None else parse_duration(text)
    except PydanticCustomError:
        return default


OTHERS: Final[dict[str, Section]] = {
    "remote_write": _remote_write,
    "remote_read": _remote_read,
    "alerting": _alerting,
    "storage": _storage,
    "tracing": _tracing,
    "otlp": _otlp,
    "runtime": _runtime,
}
