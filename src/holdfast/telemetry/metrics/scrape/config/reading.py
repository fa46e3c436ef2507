"""Reads `prometheus.yml` and the files that it names into jobs, collecting every fault before it gives up.

Strict as Prometheus: what it refuses is refused, with file, line, field and fix. Sections that Holdfast does not have
are checked and named in a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from holdfast.kernel import decoding
from holdfast.kernel.documents import read_text
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.kernel.units import format_duration
from holdfast.telemetry.metrics.scrape.config.expanding import expanded
from holdfast.telemetry.metrics.scrape.config.job import ScrapeConfiguration, ScrapeJob
from holdfast.telemetry.metrics.scrape.config.job_reading import JobReader
from holdfast.telemetry.metrics.scrape.config.masking import masked, show
from holdfast.telemetry.metrics.scrape.config.sections import OTHERS
from holdfast.telemetry.metrics.scrape.config.shapes import GlobalShape
from holdfast.telemetry.metrics.scrape.config.yamltree import Tree, read_tree

T = TypeVar("T")

DEFAULT_INTERVAL_S: Final = 60.0
DEFAULT_TIMEOUT_S: Final = 10.0
_PATTERN: Final = re.compile(r"[^*]*(\*[^/]*)?")
_OWN: Final = ("global", "scrape_configs", "scrape_config_files", "rule_files")
_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})
_IN_FORCE: Final = {"otlp"}
_WHERE: Final = {
    "remote_write": "Holdfast keeps the samples itself",
    "remote_read": "Holdfast keeps the samples itself",
    "storage": "see the settings of [telemetry]",
}


@dataclass(slots=True)
class _Reading:
    """What has been read so far, faults included."""

    root: Path | None
    jobs: list[ScrapeJob] = field(default_factory=list)
    homes: dict[str, tuple[str, bool]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    problems: list[InvalidError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)


def load_configuration(
    path: Path, *, root: Path | None = None, variables: Mapping[str, str] = _NO_VARIABLES
) -> ScrapeConfiguration:
    """Read the file at `path`; places are named relative to `root`, and external labels may name `variables`.

    Raises:
        ConfigError: with every fault of the file and of those that `scrape_config_files` names.
    """
    reading = _Reading(root)
    tree = _read(path, root)
    if not isinstance(tree.value, dict):
        raise ConfigError((tree.fault("a mapping is expected here"),))
    _judge_sections(tree, reading)
    given = _given(tree, "global", {})
    shape = _decode(GlobalShape, given, tree, ("global",), reading) or GlobalShape()
    _judge_global(shape, tree, reading)
    reader = JobReader(shape, *_timing(shape))
    _read_jobs(tree, path.parent, reader, reading, is_main=True)
    patterns = _patterns("scrape_config_files", tree, reading)
    for index, pattern in enumerate(patterns):
        for other in _found(path.parent, pattern):
            _read_included(other, reader, reading, tree, index)
    rules = _patterns("rule_files", tree, reading)
    if rules:
        words = "rules are not evaluated: nothing is recorded and nobody is alerted by these files"
        reading.warnings.append(f"{tree.place('rule_files')}: {words}")
    if reading.problems:
        raise ConfigError(tuple(reading.problems))
    return ScrapeConfiguration(
        tuple(reading.jobs),
        {name: expanded(value, variables) for name, value in shape.external_labels.items()},
        tuple(rules),
        show(masked(tree.value)),
        reading.sections,
        tuple(reading.warnings),
        path.parent,
        shape.evaluation_interval or DEFAULT_INTERVAL_S,
        reading.others.get("otlp"),
    )


def _given(tree: Tree, name: str, empty: Any) -> Any:
    found = tree.value.get(name)
    return empty if found is None else found


def _read(path: Path, root: Path | None) -> Tree:
    name = str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)
    return read_tree(read_text(path, name), name)


def _decode(model: type[T], data: Any, tree: Tree, at: decoding.Path, reading: _Reading) -> T | None:
    try:
        return tree.decode(model, data, *at)
    except ConfigError as error:
        reading.problems += error.problems
        return None


def _judge_sections(tree: Tree, reading: _Reading) -> None:
    for name, raw in tree.value.items():
        if name in _OWN:
            continue
        if name not in OTHERS:
            hint = decoding.suggest(name, (*_OWN, *OTHERS))
            reading.problems.append(tree.fault(f"unknown key {name!r}", name, hint=hint))
        elif raw is not None:
            _judge_section(name, raw, tree, reading)


def _judge_section(name: str, raw: Any, tree: Tree, reading: _Reading) -> None:
    section = OTHERS[name]
    found = _decode(section.shape, section.own(raw), tree, (name,), reading)
    faults = [*section.foreign_faults(raw), *(section.faults(found) if found is not None else ())]
    reading.problems += [tree.fault(message, name, *path) for path, message in faults]
    reading.others[name] = found
    if name not in _IN_FORCE:
        why = _WHERE.get(name, "it is not in force")
        reading.warnings.append(f"{tree.place(name)}: the section {name} is not supported: {why}")


def _judge_global(shape: GlobalShape, tree: Tree, reading: _Reading) -> None:
    interval, timeout = shape.scrape_interval, shape.scrape_timeout
    if timeout and timeout > (interval or DEFAULT_INTERVAL_S):
        message = "the scrape_timeout is longer than the scrape_interval"
        reading.problems.append(tree.fault(message, "global", "scrape_timeout"))
    protocols = shape.scrape_protocols
    if protocols == ():
        reading.problems.append(tree.fault("at least one protocol is needed", "global", "scrape_protocols"))
    if protocols is not None and len(set(protocols)) != len(protocols):
        reading.problems.append(tree.fault("a protocol stands twice", "global", "scrape_protocols"))
    is_legacy = shape.metric_name_validation_scheme == "legacy"
    for name in shape.external_labels:
        if is_legacy and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
            reading.problems.append(tree.fault(f"{name!r} is not a label name", "global", "external_labels", name))


def _timing(shape: GlobalShape) -> tuple[float, float]:
    interval = shape.scrape_interval or DEFAULT_INTERVAL_S
    return interval, shape.scrape_timeout or min(DEFAULT_TIMEOUT_S, interval)


def _patterns(name: str, tree: Tree, reading: _Reading) -> list[str]:
    given = _decode(list[str], _given(tree, name, []), tree, (name,), reading) or []
    for index, pattern in enumerate(given):
        if not _PATTERN.fullmatch(pattern):
            hint = "a * may stand only in the last part of the path"
            reading.problems.append(tree.fault(f"{pattern!r} is not a pattern of files", name, index, hint=hint))
    return given


def _found(base: Path, pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    folder, last = (path.parent, path.name) if path.is_absolute() else (base / path.parent, path.name)
    if folder.is_dir() and last:
        yield from (file for file in sorted(folder.glob(last)) if file.is_file())


def _read_included(path: Path, reader: JobReader, reading: _Reading, main: Tree, index: int) -> None:
    try:
        tree = _read(path, reading.root)
    except ConfigError as error:
        reading.problems += error.problems
        return
    unknown = set(tree.value) - {"scrape_configs"} if isinstance(tree.value, dict) else {""}
    if unknown:
        message = f"{tree.file} may hold scrape_configs and nothing else"
        reading.problems.append(main.fault(message, "scrape_config_files", index))
        return
    _read_jobs(tree, path.parent, reader, reading, is_main=False)


def _read_jobs(tree: Tree, base: Path, reader: JobReader, reading: _Reading, *, is_main: bool) -> None:
    given = _given(tree, "scrape_configs", [])
    if not isinstance(given, list):
        reading.problems.append(tree.fault("a list is expected here", "scrape_configs"))
        return
    for index, raw in enumerate(given):
        try:
            job, warnings = reader.read(raw, tree, ("scrape_configs", index), base)
        except ConfigError as error:
            reading.problems += error.problems
            continue
        reading.warnings += warnings
        _judge_name(job, tree, index, reading, is_main=is_main, is_idle=bool(warnings) and not job.discoveries)
        reading.jobs.append(job)
        timing = {"scrape_interval": job.interval_s, "scrape_timeout": job.timeout_s}
        reading.sections[job.name] = masked(raw) | {name: format_duration(each) for name, each in timing.items()}


def _judge_name(job: ScrapeJob, tree: Tree, index: int, reading: _Reading, *, is_main: bool, is_idle: bool) -> None:
    """Refuse a second job of one name; one that has only discoveries that we lack scrapes nothing, and only warns."""
    before = reading.homes.get(job.name)
    reading.homes.setdefault(job.name, (tree.file, is_idle))
    if before is None:
        return
    fault = tree.fault(f"the job {job.name!r} stands twice, first in {before[0]}", "scrape_configs", index, "job_name")
    if not is_main and (is_idle or before[1]):
        reading.warnings.append(str(fault))
    else:
        reading.problems.append(fault)
