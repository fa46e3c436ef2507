"""`dashboards/*.json` of the ops folder: our own documents, or Grafana's, told apart by what they hold.

A file's id is its name without the ending. Grafana's are mapped when they are loaded; what cannot be is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.documents import load_yaml
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.telemetry.dashboards.checking import read_document
from holdfast.telemetry.dashboards.document import Document
from holdfast.telemetry.dashboards.grafana import import_grafana, is_grafana

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.kernel.wiring import OpsFolder, Prepared
    from holdfast.telemetry.dashboards.shelf import Shelf

PATTERN: Final = "dashboards/*.json"


@dataclass(frozen=True, slots=True)
class PreparedDashboards:
    """Dashboards that were read and found valid."""

    shelf: Shelf
    documents: Mapping[str, Document]
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put them on the shelf."""
        self.shelf.take_files(self.documents)


def read_folder(folder: OpsFolder) -> tuple[dict[str, Document], tuple[str, ...]]:
    """Give the dashboards of the folder by id, and what of Grafana's could not be mapped.

    Raises:
        ConfigError: every fault of every file.
    """
    documents: dict[str, Document] = {}
    warnings: list[str] = []
    faults: list[InvalidError] = []
    for file in folder.files(PATTERN):
        try:
            documents[file.stem], notes = _read(file, folder.path)
            warnings += notes
        except ConfigError as error:
            faults += error.problems
    if faults:
        raise ConfigError(tuple(faults))
    return documents, tuple(warnings)


def _read(file: Path, root: Path) -> tuple[Document, list[str]]:
    found = load_yaml(file, dict[str, Any], root=root)  # JSON is YAML, and this reader knows the lines
    if not is_grafana(found.value):
        try:
            return read_document(found.value, file=found.file), []
        except ConfigError as error:
            raise ConfigError(tuple(_at_line(fault, found.lines) for fault in error.problems)) from None
    try:
        mapped = import_grafana(found.value)
    except InvalidError as error:
        faults = error.problems if isinstance(error, ConfigError) else (error,)
        raise ConfigError(tuple(_at_line(_in_file(fault, found.file), found.lines) for fault in faults)) from None
    return mapped.document, [f"{found.file}: {problem.path}: {problem.what}" for problem in mapped.problems]


def _in_file(fault: InvalidError, file: str) -> InvalidError:
    return InvalidError(fault.message, hint=fault.hint, place=Place(file, 0, fault.place.field))


def _at_line(fault: InvalidError, lines: Mapping[tuple[str | int, ...], int]) -> InvalidError:
    """Give the fault with the line of its field, or of the nearest thing around it."""
    names = {".".join(str(part) for part in path): line for path, line in lines.items()}
    field = fault.place.field.replace("[", ".").replace("]", "")
    while field and field not in names:
        field = field.rpartition(".")[0]
    place = Place(fault.place.file, names.get(field, 0), fault.place.field)
    return InvalidError(fault.message, hint=fault.hint, place=place)


def prepare(shelf: Shelf, folder: OpsFolder, _: Mapping[str, Prepared]) -> PreparedDashboards:
    """Read the folder for the shelf; raises ConfigError."""
    documents, warnings = read_folder(folder)
    return PreparedDashboards(shelf, documents, warnings)
