"""Reads a document strictly, and finds what a type cannot say: names used twice, queries that are no PromQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from holdfast.kernel.decoding import decode
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.telemetry.dashboards.document import MAX_PANELS, Document

MAX_BYTES: Final = 1024 * 1024


def read_document(data: Any, *, file: str = "") -> Document:
    """Give the dashboard that JSON describes.

    Raises:
        ConfigError: every fault, each with its field.
    """
    document = decode(Document, data, file=file)
    faults = tuple(find_faults(document, file))
    if faults:
        raise ConfigError(faults)
    return document


def find_faults(document: Document, file: str = "") -> Iterator[InvalidError]:
    """Give what is wrong with a document whose form is right."""
    panels = [panel for row in document.rows for panel in row.panels]
    if len(panels) > MAX_PANELS:
        yield InvalidError(
            f"there are {len(panels)} panels", hint=f"at most {MAX_PANELS}; split it", place=Place(file, field="rows")
        )
    for name, count in Counter(panel.id for panel in panels).items():
        if count > 1:
            yield InvalidError(
                f"{count} panels have the id {name!r}", hint="ids are unique", place=Place(file, field="rows")
            )
    for at, row in enumerate(document.rows):
        for number, panel in enumerate(row.panels):
            if _holds_huge(panel.options):
                field = f"rows[{at}].panels[{number}].options"
                yield InvalidError(
                    "a whole number has more than 64 bits", hint="write it as 1e30", place=Place(file, field=field)
                )
    for name, count in Counter(variable.name for variable in document.variables).items():
        if count > 1:
            yield InvalidError(
                f"{count} variables are named {name!r}", hint="names are unique", place=Place(file, field="variables")
            )


def _holds_huge(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_huge, value.values()))
    if isinstance(value, list):
        return any(map(_holds_huge, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**64


def write_document(document: Document) -> dict[str, Any]:
    """Give the document as JSON, as `read_document` reads it."""
    return asdict(document)
