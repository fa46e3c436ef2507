"""One section of `scrape_configs` into a `ScrapeJob`: defaults from `global`, and what may not stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS, NATIVE_PROTOCOLS, Protocol
from holdfast.telemetry.metrics.scrape.config import discoveries as ours
from holdfast.telemetry.metrics.scrape.config.clients import ClientConfig, client_faults, client_warnings
from holdfast.telemetry.metrics.scrape.config.foreign import FOREIGN, section_faults
from holdfast.telemetry.metrics.scrape.config.job import Limits, Reading, ScrapeJob
from holdfast.telemetry.metrics.scrape.config.rules import RuleShape, rule_faults
from holdfast.telemetry.metrics.scrape.config.shapes import GlobalShape, JobShape
from holdfast.telemetry.metrics.scrape.config.yamltree import Tree
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling

T = TypeVar("T")

Fault = tuple[tuple[str | int, ...], str]

_CLIENT_KEYS: Final = frozenset(ClientConfig.__dataclass_fields__)
_LEGACY_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class JobReader:
    """Reads jobs below one `global` section."""

    def __init__(self, shared: GlobalShape, interval_s: float, timeout_s: float) -> None:
        self._shared = shared
        self._interval_s = interval_s
        self._timeout_s = timeout_s

    def read(self, raw: Any, tree: Tree, at: decoding.Path, base: Path) -> tuple[ScrapeJob, list[str]]:
        """Read one section; give the job, and a warning for every discovery that is not ours.

        Raises:
            ConfigError: with every fault of the section.
        """
        if not isinstance(raw, dict):
            raise ConfigError((tree.fault("the section is empty", *at),))
        problems: list[InvalidError] = []
        own = {name: value for name, value in raw.items() if name not in _CLIENT_KEYS and name not in FOREIGN}
        client_part = {name: value for name, value in raw.items() if name in _CLIENT_KEYS}
        shape = _decode(JobShape, own, tree, at, problems)
        client = _decode(ClientConfig, client_part, tree, at, problems)
        warnings = list(_read_foreign(raw, tree, at, problems))
        if shape is None or client is None:
            raise ConfigError(tuple(problems))
        shape = self._merged(shape)
        faults = [*self._faults(shape), *(((name,), message) for name, message in client_faults(client))]
        problems += [tree.fault(message, *at, *path) for path, message in faults]
        if problems:
            raise ConfigError(tuple(problems))
        warnings += [f"{tree.place(*at, name)}: {message}" for name, message in _not_in_force(shape, client)]
        return self._job(shape, client, base), warnings

    def _merged(self, shape: JobShape) -> JobShape:
        """Fill what the job does not say from `global`."""
        shared: dict[str, Any] = {
            **{name: getattr(self._shared, name) for name in _SAID if getattr(shape, name) is None},
            **{name: getattr(self._shared, name) for name in _LIMITS if not getattr(shape, name)},
        }
        if not shape.metric_name_validation_scheme:
            shared["metric_name_validation_scheme"] = self._shared.metric_name_validation_scheme
            if not shape.metric_name_escaping_scheme:  # a scheme of its own brings its own way of escaping, too
                shared["metric_name_escaping_scheme"] = self._shared.metric_name_escaping_scheme
        return replace(shape, **shared)

    def _faults(self, shape: JobShape) -> Iterator[Fault]:
        if not shape.job_name:
            yield ("job_name",), "the job_name is missing"
        interval = shape.scrape_interval or self._interval_s
        if shape.scrape_timeout and shape.scrape_timeout > interval:
            yield ("scrape_timeout",), "the scrape_timeout is longer than the scrape_interval"
        if shape.scrape_protocols is not None:
            if not shape.scrape_protocols:
                yield ("scrape_protocols",), "at least one protocol is needed"
            if len(set(shape.scrape_protocols)) != len(shape.scrape_protocols):
                yield ("scrape_protocols",), "a protocol stands twice"
        if shape.metric_name_validation_scheme == "legacy" and shape.metric_name_escaping_scheme == "allow-utf-8":
            yield ("metric_name_escaping_scheme",), "names cannot be allow-utf-8 where the validation is legacy"
        is_legacy = shape.metric_name_validation_scheme == "legacy"
        yield from _rule_faults("relabel_configs", shape.relabel_configs, is_legacy=is_legacy)
        yield from _rule_faults("metric_relabel_configs", shape.metric_relabel_configs, is_legacy=is_legacy)
        yield from ours.discovery_faults(
            shape.file_sd_configs, shape.http_sd_configs, shape.dns_sd_configs, shape.kubernetes_sd_configs
        )
        yield from _static_faults(shape, is_legacy=is_legacy)

    def _job(self, shape: JobShape, client: ClientConfig, base: Path) -> ScrapeJob:
        interval = shape.scrape_interval or self._interval_s
        return ScrapeJob(
            name=shape.job_name,
            base=base,
            interval_s=interval,
            timeout_s=shape.scrape_timeout or min(self._timeout_s, interval),
            reading=_reading(shape),
            limits=Limits(
                shape.body_size_limit or 0,
                shape.sample_limit or 0,
                shape.target_limit or 0,
                shape.label_limit or 0,
                shape.label_name_length_limit or 0,
                shape.label_value_length_limit or 0,
                shape.native_histogram_bucket_limit,
                shape.native_histogram_min_bucket_factor,
            ),
            client=client,
            scheme=shape.scheme,
            metrics_path=shape.metrics_path,
            params=shape.params,
            honor_labels=shape.honor_labels,
            honor_timestamps=shape.honor_timestamps,
            tracks_timestamp_staleness=shape.track_timestamps_staleness,
            keeps_dropped=shape.keep_dropped_targets or 0,
            has_extra_metrics=bool(shape.extra_scrape_metrics),
            relabel_rules=tuple(rule.rule() for rule in shape.relabel_configs),
            metric_relabel_rules=tuple(rule.rule() for rule in shape.metric_relabel_configs),
            discoveries=(
                *shape.static_configs,
                *shape.file_sd_configs,
                *shape.http_sd_configs,
                *shape.dns_sd_configs,
                *shape.kubernetes_sd_configs,
            ),
        )


_SAID: Final = (
    "scrape_protocols",
    "scrape_native_histograms",
    "convert_classic_histograms_to_nhcb",
    "always_scrape_classic_histograms",
    "extra_scrape_metrics",
)
_LIMITS: Final = (
    "body_size_limit",
    "sample_limit",
    "target_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "keep_dropped_targets",
)


def _reading(shape: JobShape) -> Reading:
    is_legacy = shape.metric_name_validation_scheme == "legacy"
    is_native = bool(shape.scrape_native_histograms)
    protocols: tuple[Protocol, ...] = NATIVE_PROTOCOLS if is_native else DEFAULT_PROTOCOLS
    return Reading(
        protocols=shape.scrape_protocols or protocols,
        fallback=shape.fallback_scrape_protocol or None,
        escaping=shape.metric_name_escaping_scheme or ("underscores" if is_legacy else "allow-utf-8"),
        is_legacy=is_legacy,
        is_native=is_native,
        is_classic_too=bool(shape.always_scrape_classic_histograms),
        is_custom=bool(shape.convert_classic_histograms_to_nhcb),
        is_compressed=shape.enable_compression,
    )


def _decode(model: type[T], data: Any, tree: Tree, at: decoding.Path, problems: list[InvalidError]) -> T | None:
    try:
        return tree.decode(model, data, *at)
    except ConfigError as error:
        problems += error.problems
        return None


def _read_foreign(raw: Mapping[str, Any], tree: Tree, at: decoding.Path, problems: list[InvalidError]) -> Iterator[str]:
    problems += [tree.fault(message, *at, *path) for path, message in section_faults(raw)]
    for name in raw:
        if kind := FOREIGN.get(name):
            yield f"{tree.place(*at, name)}: discovery by {kind} is not supported: no targets come of it"


def _not_in_force(shape: JobShape, client: ClientConfig) -> Iterator[tuple[str, str]]:
    """Give what is valid, and does nothing here."""
    if shape.scrape_failure_log_file:
        yield "scrape_failure_log_file", "failures stand in `holdfast targets`; no file is written"
    yield from client_warnings(client)
    for one in shape.http_sd_configs:
        yield from (("http_sd_configs", f"{name}: {message}") for name, message in client_warnings(one))
    for cluster in shape.kubernetes_sd_configs:
        yield from (("kubernetes_sd_configs", f"{name}: {message}") for name, message in client_warnings(cluster))


def _rule_faults(name: str, rules: tuple[RuleShape, ...], *, is_legacy: bool) -> Iterator[Fault]:
    for index, rule in enumerate(rules):
        yield from (((name, index), message) for message in rule_faults(rule, is_legacy=is_legacy))


def _static_faults(shape: JobShape, *, is_legacy: bool) -> Iterator[Fault]:
    """Find label names that are none, and URLs where an address belongs, unless relabelling makes one of them."""
    rules = shape.relabel_configs
    if any(list(rule_faults(rule, is_legacy=is_legacy)) for rule in rules):
        return
    relabelling = Relabelling((rule.rule() for rule in rules), is_legacy=is_legacy)
    for index, group in enumerate(shape.static_configs):
        for name in group.labels:
            if is_legacy and not _LEGACY_LABEL.fullmatch(name):
                yield ("static_configs", index, "labels", name), f"{name!r} is not a label name"
        for place, address in enumerate(group.targets):
            if "/" not in address:
                continue
            found = relabelling.apply({"job": shape.job_name, **group.labels, "__address__": address})
            if found is not None and "/" in found.get("__address__", ""):
                yield ("static_configs", index, "targets", place), f"{address!r} is not host:port"
