"""Reads the descriptor files of the ops folder, and those that their Locations name, into one snapshot or none.

Faults of all files are collected, so that one edit can mend them all. What a document means is `envelope`'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from holdfast.catalog.coherence import find_cycles, find_dangling, find_duplicates, find_shared_names
from holdfast.catalog.entities import Entity
from holdfast.catalog.envelope import read_entity
from holdfast.catalog.judgement import Judgement
from holdfast.catalog.snapshot import Entities
from holdfast.kernel import decoding
from holdfast.kernel.documents import load_yaml_all
from holdfast.kernel.errors import ConfigError, InvalidError

FOLDER: Final = "services"
SUFFIXES: Final = (".yaml", ".yml")
MAX_FILES: Final = 10_000


def read_folder(root: Path, *, extra_keys: Collection[str] = ()) -> Entities:
    """Read `services/*.yaml` under `root`, the ops folder; a folder without it has an empty catalog.

    Args:
        root: the ops folder; faults name files relative to it, and Locations cannot leave it.
        extra_keys: keys that are an organisation's own, such as `spec.costCentre`.

    Raises:
        ConfigError: with every fault of every file: bad documents, duplicates, cycles.
    """
    reading = _Reading(root.resolve(), frozenset(extra_keys))
    for path in _descriptor_files(root.resolve() / FOLDER):
        reading.read_file(path)
    reading.faults += find_duplicates(reading.entities)
    if reading.faults:
        raise ConfigError(tuple(reading.faults))
    entities = Entities(reading.entities)
    if cycles := find_cycles(entities):
        raise ConfigError(cycles)
    entities.warnings = (*reading.warnings, *find_dangling(entities), *find_shared_names(entities))
    return entities


def _descriptor_files(folder: Path) -> list[Path]:
    """Give the files to read in a stable order; editors' hidden and half-written copies are not among them."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


@dataclass(slots=True)
class _Reading:
    root: Path
    extra_keys: frozenset[str]
    entities: list[Entity] = field(default_factory=list)
    faults: list[InvalidError] = field(default_factory=list)
    warnings: list[InvalidError] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def read_file(self, path: Path) -> None:
        """Read every document of `path` and what its Locations name, each file once."""
        waiting = [path]
        while waiting and len(self.seen) < MAX_FILES:
            current = waiting.pop().resolve()
            if current not in self.seen:
                self.seen.add(current)
                waiting += reversed(list(self._read_documents(current)))

    def _read_documents(self, path: Path) -> Iterator[Path]:
        """Keep the entities of one file; yield the files that its Locations name."""
        try:
            documents = load_yaml_all(path, dict[str, Any], root=self.root)
        except ConfigError as error:
            self.faults += error.problems
            return
        for document in documents:
            judgement = Judgement(document, self.extra_keys)
            entity = read_entity(judgement)
            if entity is not None:
                self.entities.append(entity)
                if entity.ref.kind == "location":
                    yield from self._follow(entity, path, judgement)
            self.faults += judgement.faults
            self.warnings += judgement.warnings

    def _follow(self, location: Entity, path: Path, judgement: Judgement) -> Iterator[Path]:
        """Yield the files that a Location names; it cannot lead out of the ops folder."""
        targets: list[tuple[decoding.Path, str]] = []
        if "target" in location.spec:
            targets.append((("spec", "target"), location.spec["target"]))
        targets += [(("spec", "targets", index), text) for index, text in enumerate(location.spec.get("targets") or ())]
        for at, target in targets:
            if "://" in target:
                judgement.warn(at, f"{target!r} is not read: only files in the ops folder are")
                continue
            found = _find_files(path.parent, target, self.root)
            if not found and location.type in {"", "file"} and location.spec.get("presence") != "optional":
                judgement.refuse(at, f"no file {target!r} in the ops folder", "or set spec.presence to optional")
            elif not found:
                judgement.warn(at, f"no file {target!r} in the ops folder")
            yield from found


def _find_files(folder: Path, pattern: str, root: Path) -> list[Path]:
    try:
        matches = sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError):  # not a pattern; an absolute path
        return []
    return [path for path in matches if path.is_file() and path.resolve().is_relative_to(root)]
