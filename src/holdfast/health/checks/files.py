"""Reads check files into checks and windows, collecting every fault of every file before it gives up.

One file's text and types are `shapes`; this is what checks mean together: names, kinds, parents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from holdfast.health.checks.check import Check, Flap, Retries
from holdfast.health.checks.lineage import find_circles
from holdfast.health.checks.shapes import CheckShape, DefaultsShape, FileShape
from holdfast.health.checks.windowfiles import build_window
from holdfast.health.checks.windows import Window
from holdfast.health.probes import Probe, ProbeKind
from holdfast.kernel import decoding
from holdfast.kernel.documents import Document, load_yaml, nearest_line
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.units import format_duration

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 5.0
MIN_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class CheckBook:
    """All checks and maintenance windows that the files describe."""

    checks: tuple[Check, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(slots=True)
class _Reading:
    """What has been read so far, faults included."""

    kinds: Mapping[str, ProbeKind]
    checks: list[Check] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    window_places: list[Place] = field(default_factory=list)
    problems: list[InvalidError] = field(default_factory=list)


def find_check_files(folder: Path) -> list[Path]:
    """Give every `*.yaml` and `*.yml` in `folder` and below, in order; none when there is no such folder."""
    return sorted(path for path in folder.rglob("*.y*ml") if path.suffix in {".yaml", ".yml"} and path.is_file())


def load_checks(files: Iterable[Path], kinds: Mapping[str, ProbeKind], *, root: Path | None = None) -> CheckBook:
    """Read check files.

    Args:
        files: what to read; names must be unique over all of them.
        kinds: the kinds that checks may have.
        root: places are named relative to this folder.

    Raises:
        ConfigError: with every fault: unknown keys and kinds, wrong types, duplicate names, unknown parents, circles.
    """
    reading = _Reading(kinds)
    for path in files:
        try:
            document = load_yaml(path, FileShape, root=root)
        except ConfigError as error:
            reading.problems += error.problems
            continue
        _read_file(document, reading)
    _judge_names(reading)
    _judge_parents(reading)
    if reading.problems:
        raise ConfigError(tuple(reading.problems))
    return CheckBook(tuple(reading.checks), tuple(reading.windows))


def _read_file(document: Document[FileShape], reading: _Reading) -> None:
    for index, raw in enumerate(document.value.checks):
        try:
            reading.checks.append(_read_check(document, index, raw, reading.kinds))
        except ConfigError as error:
            reading.problems += error.problems
    for index, shape in enumerate(document.value.maintenance):
        try:
            reading.windows.append(build_window(shape, partial(document.place, "maintenance", index)))
            reading.window_places.append(document.place("maintenance", index, "name"))
        except ConfigError as error:
            reading.problems += error.problems


def _read_check(
    document: Document[FileShape], index: int, raw: Mapping[str, Any], kinds: Mapping[str, ProbeKind]
) -> Check:
    at: decoding.Path = ("checks", index)
    word = raw.get("kind")
    kind = kinds.get(word) if isinstance(word, str) else None
    problems: list[InvalidError] = []
    if isinstance(word, str) and kind is None:
        hint = decoding.suggest(word, kinds)
        problems.append(InvalidError(f"unknown kind {word!r}", hint=hint, place=document.place(*at, "kind")))
    sections = {key for key in raw if key in kinds or key == word}
    problems += [
        InvalidError(
            f"the section {key!r} does not belong to a check of kind {word!r}",
            hint=f"remove it, or write kind: {key}",
            place=document.place(*at, key),
        )
        for key in sorted(sections - {word})
        if kind is not None
    ]
    common = {key: value for key, value in raw.items() if key not in sections}
    shape = _decode(CheckShape, common, document, at, problems)
    spec = _decode(kind.spec, raw.get(kind.name) or {}, document, (*at, kind.name), problems) if kind else None
    probe = _build(kind, spec, document, at, problems) if kind and spec is not None else None
    check = _merge(shape, document.value.defaults, spec, probe, document.place(*at)) if shape else None
    if check is not None:
        problems += _judge_times(check, partial(document.place, *at))
    if problems or check is None:
        raise ConfigError(tuple(problems))
    return check


def _decode(
    model: type[T], data: Any, document: Document[Any], at: decoding.Path, problems: list[InvalidError]
) -> T | None:
    try:
        return decoding.decode(model, data, file=document.file, line_of=partial(nearest_line, document.lines), at=at)
    except ConfigError as error:
        problems += error.problems
    except InvalidError as error:  # a spec that judges its own fields
        problems.append(_placed(error, document, at))
    return None


def _placed(error: InvalidError, document: Document[Any], at: decoding.Path) -> InvalidError:
    field = error.place.field
    place = document.place(*at, *field.split(".")) if field else document.place(*at)
    return InvalidError(error.message, hint=error.hint, place=place)


def _build(
    kind: ProbeKind, spec: Any, document: Document[Any], at: decoding.Path, problems: list[InvalidError]
) -> Probe | None:
    try:
        return kind.build(spec) if kind.build else None
    except InvalidError as error:
        problems.append(_placed(error, document, (*at, kind.name)))
        return None


def _merge(shape: CheckShape, defaults: DefaultsShape, spec: Any, probe: Probe | None, place: Place) -> Check:
    every_s = defaults.every if shape.every is None else shape.every
    asked_s = defaults.timeout if shape.timeout is None else shape.timeout
    retries, flap = shape.retries or defaults.retries, shape.flap or defaults.flap
    return Check(
        name=shape.name,
        kind=shape.kind,
        spec=spec,
        service=shape.service or (None if shape.selector else defaults.service),
        selector=shape.selector,
        labels={**defaults.labels, **shape.labels},
        every_s=every_s,
        timeout_s=min(DEFAULT_TIMEOUT_S, every_s) if asked_s is None else asked_s,
        retries=Retries(retries.attempts, retries.backoff),
        for_s=(defaults.for_ or 0.0) if shape.for_ is None else shape.for_,
        flap=Flap(flap.threshold, flap.window),
        parents=shape.parents,
        probe=probe,
        place=place,
    )


def _judge_times(check: Check, place: partial[Place]) -> list[InvalidError]:
    problems = []
    if check.every_s < MIN_EVERY_S:
        problems.append(
            InvalidError(
                f"every {format_duration(check.every_s)} is too often", hint="write 1s or more", place=place("every")
            )
        )
    if not 0 < check.timeout_s <= max(check.every_s, MIN_EVERY_S):
        problems.append(
            InvalidError(
                f"the timeout of {format_duration(check.timeout_s)} must be above zero and not longer than"
                f" every {format_duration(check.every_s)}",
                hint="shorten timeout or lengthen every, so that a check never overlaps itself",
                place=place("timeout"),
            )
        )
    if check.flap.threshold >= check.flap.window:
        problems.append(
            InvalidError(
                f"a window of {check.flap.window} can never hold {check.flap.threshold} changes",
                hint="make the window at least twice the threshold",
                place=place("flap"),
            )
        )
    if check.service and check.selector:
        problems.append(
            InvalidError(
                "service and selector both say where the check attaches", hint="keep one", place=place("selector")
            )
        )
    return problems


def _judge_names(reading: _Reading) -> None:
    named = [("check", check.name, check.place) for check in reading.checks]
    named += [
        ("maintenance window", window.name, place)
        for window, place in zip(reading.windows, reading.window_places, strict=True)
    ]
    first: dict[tuple[str, str], Place] = {}
    for what, name, place in named:
        before = first.setdefault((what, name), place)
        if before is not place:
            reading.problems.append(
                InvalidError(
                    f"a {what} named {name!r} stands at {before.file}:{before.line} already",
                    hint="rename one of them",
                    place=place,
                )
            )


def _judge_parents(reading: _Reading) -> None:
    by_name = {check.name: check for check in reading.checks}
    for check in reading.checks:
        for index, parent in enumerate(check.parents):
            if parent not in by_name:
                place = Place(check.place.file, check.place.line, f"{check.place.field}.parents[{index}]")
                hint = decoding.suggest(parent, by_name)
                reading.problems.append(InvalidError(f"there is no check named {parent!r}", hint=hint, place=place))
    for window, place in zip(reading.windows, reading.window_places, strict=True):
        for name in window.selector.checks:
            if name not in by_name:
                problem = f"maintenance covers {name!r}, but there is no such check"
                reading.problems.append(InvalidError(problem, hint=decoding.suggest(name, by_name), place=place))
    for circle in find_circles({check.name: check.parents for check in by_name.values()}):
        reading.problems.append(
            InvalidError(
                f"parents go in a circle: {' -> '.join(circle)}",
                hint="a parent is what a check needs to be reachable; remove one of these",
                place=by_name[circle[0]].place,
            )
        )
