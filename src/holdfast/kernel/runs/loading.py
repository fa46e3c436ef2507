"""Workflows that users write: the Python files of `ops/workflows/` and plugins, imported as a whole or not at all.

Each load imports into a package of its own, so that a run that began with the old code keeps it; what a module defines
at its top (workflows, queues, schedules) is what it offers. Putting it in force is `offering`'s part.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError, Place
from holdfast.kernel.plugins import load_plugins
from holdfast.kernel.runs.queues import Queue
from holdfast.kernel.runs.schedules import Schedule
from holdfast.kernel.runs.workflows import Workflow

T = TypeVar("T")

GROUP: Final = "holdfast.workflows"
FOLDER: Final = "workflows"
PATTERN: Final = "workflows/*.py"
_PACKAGE: Final = "holdfast_ops"

_generations: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Offer:
    """What modules define, each part with the place where people find it."""

    workflows: tuple[tuple[Workflow[Any, Any], str], ...] = ()
    queues: tuple[tuple[Queue, str], ...] = ()
    schedules: tuple[tuple[Schedule, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The offer of some files, and their digest, by which it is known that none has changed."""

    digest: str = ""
    offer: Offer = Offer()


def load_folder(folder: Path, files: Sequence[Path], before: Loaded) -> Loaded:
    """Import the workflow files of an ops folder.

    Args:
        folder: the ops folder; places are named relative to it.
        files: the files to import; those whose name begins with `_` are there for the others to import.
        before: the last load; given back as it is when no file has changed.

    Raises:
        ConfigError: with the file and line of every module that cannot be imported.
    """
    digest = _digest(files)
    if before.digest == digest:
        return before
    package = f"{_PACKAGE}_{next(_generations)}"
    _open_package(package, folder / FOLDER)
    problems: list[InvalidError] = []
    offers: list[Offer] = []
    for file in (file for file in files if not file.name.startswith("_")):
        try:
            module = importlib.import_module(f"{package}.{file.stem}")
            offers.append(_collect(vars(module).values(), str(file.relative_to(folder))))
        except Exception as error:  # noqa: BLE001 - the plugin fence: a user's module may raise anything
            problems.append(_fault(error, file, folder))
    if problems:
        _forget(package)
        raise ConfigError(tuple(problems))
    return Loaded(digest, unite(offers))


def load_installed() -> tuple[Offer, tuple[str, ...]]:
    """Give what plugins offer by the entry point `holdfast.workflows`, and why some of them cannot be used."""
    found = load_plugins(GROUP, _accept)
    offers = [_collect(plugin.value, f"{plugin.package} {plugin.version}") for plugin in found.loaded]
    return unite(offers), tuple(str(fault) for fault in found.faults)


def unite(offers: Iterable[Offer]) -> Offer:
    """Put offers together; what one module imports from another counts once."""
    parts = list(offers)
    return Offer(
        _unique(pair for part in parts for pair in part.workflows),
        _unique(pair for part in parts for pair in part.queues),
        _unique(pair for part in parts for pair in part.schedules),
    )


def find_doubles(offer: Offer) -> Iterator[InvalidError]:
    """Give a fault for every name that is defined twice."""
    named = [(f"workflow {it.name!r} version {it.version}", place) for it, place in offer.workflows]
    named += [(f"queue {it.name!r}", place) for it, place in offer.queues]
    named += [(f"schedule {it.name!r}", place) for it, place in offer.schedules]
    first: dict[str, str] = {}
    for what, place in named:
        if what in first:
            yield InvalidError(f"{what} is defined in {first[what]} too", hint="rename one", place=Place(place))
        first.setdefault(what, place)


def _unique(pairs: Iterable[tuple[T, str]]) -> tuple[tuple[T, str], ...]:
    return tuple({id(it): (it, place) for it, place in reversed(list(pairs))}.values())[::-1]


class _Loader(SourceFileLoader):
    """Reads the source each time and writes no cache beside it: the folder is the operator's."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Say that nothing is known of the file, so that no cache is looked for."""
        raise OSError(path)


class _Finder:
    """Finds the modules of packages that `load_folder` has opened."""

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Give the spec of `<package>.<file>`; None for every other module."""
        package, _, stem = name.partition(".")
        file = self.folders[package] / f"{stem}.py" if stem and package in self.folders else None
        if file is None or not file.is_file():
            return None
        return spec_from_file_location(name, file, loader=_Loader(name, str(file)))


_finder: Final = _Finder()


def _open_package(name: str, folder: Path) -> None:
    """Make a package that exists in memory only, whose modules are the files of `folder`."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.folders[name] = folder
    module = ModuleType(name, "Workflows of the ops folder.")
    module.__path__ = []
    module.__spec__ = ModuleSpec(name, None, is_package=True)
    sys.modules[name] = module


def _forget(package: str) -> None:
    _finder.folders.pop(package, None)
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def _collect(values: Iterable[object], place: str) -> Offer:
    own = list(values)
    return Offer(
        tuple((it, place) for it in own if isinstance(it, Workflow)),
        tuple((it, place) for it in own if isinstance(it, Queue)),
        tuple((it, place) for it in own if isinstance(it, Schedule)),
    )


def _accept(made: object) -> tuple[object, ...]:
    """Take a part, a module of parts, or a function that gives parts."""
    if isinstance(made, Workflow | Queue | Schedule):
        return (made,)
    if isinstance(made, ModuleType):
        return tuple(vars(made).values())
    if not callable(made):
        raise TypeError("it is no workflow, queue, schedule, module, or function that gives them")
    parts = tuple(made())
    for part in parts:
        if not isinstance(part, Workflow | Queue | Schedule):
            raise TypeError(f"it gives {part!r}, which is no workflow, queue or schedule")
    return parts


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _fault(error: Exception, file: Path, folder: Path) -> InvalidError:
    """Name the line of the ops folder that is nearest to what went wrong."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(folder):
        place = Place(str(Path(error.filename).relative_to(folder)), error.lineno or 0)
        return InvalidError(f"not valid Python: {error.msg}", place=place)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    where = str(Path(own[-1].filename).relative_to(folder)) if own else str(file.relative_to(folder))
    place = Place(where, own[-1].lineno or 0 if own else 0)
    if isinstance(error, HoldfastError):
        return InvalidError(error.message, hint=error.hint, place=place)
    return InvalidError(f"cannot be imported: {type(error).__name__}: {error}", place=place)
