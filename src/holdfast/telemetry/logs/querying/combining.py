"""Entries made of what the store's engine took out of lines: one for each combination of labels, through all stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.extraction import Form
from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.pipeline.entries import JSON_ERROR
from holdfast.telemetry.logs.pipeline.json_scanning import BAD_OBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.telemetry.logs.extraction import Reading
    from holdfast.telemetry.logs.querying.planning import Plan

_UNREAD: Final = "a line that nobody has read"  # known by what it is, not by what it says


class UnreadLineError(ValueError):
    """A new line could not be made, so that the stored one counts, which was not read."""


class Combinations:
    """Makes entries for a plan."""

    def __init__(self, plan: Plan) -> None:
        """Compile the stages.

        Raises:
            LogqlError: one of them cannot work.
        """
        self.is_formatted = plan.is_formatted
        self._extraction = plan.extraction
        self._parts = [(part, Pipeline(part.stages)) for part in plan.parts]

    def entry(self, stream: Mapping[str, str], columns: Sequence[int | str | None]) -> Entry | None:
        """Give the entry of a combination, behind all stages; None if they drop it.

        Raises:
            UnreadLineError: the stored line would count.
        """
        extraction, at = self._extraction, 0
        named = zip(extraction.metadata, columns[extraction.width :], strict=True)
        entry = Entry(0, _UNREAD, stream, {name: value for name, value in named if isinstance(value, str)})
        for part, pipeline in self._parts:
            if part.reading is not None:
                _put(entry, part.reading, columns[at : at + part.reading.width])
                at += part.reading.width
            if not pipeline.apply(entry):
                return None
            if part.is_formatted and entry.line is _UNREAD:
                raise UnreadLineError
        return entry


def _put(entry: Entry, reading: Reading, columns: Sequence[int | str | None]) -> None:
    """Set the labels that were found in a line, as the parser does it."""
    if reading.form.has_faults and columns[-1] is not None:
        entry.fail(JSON_ERROR, BAD_OBJECT if reading.form is Form.JSON else "")
        return
    for name, value in zip(reading.fields, columns, strict=False):
        if isinstance(value, str):
            entry.put_parsed(name, value)
        elif reading.form is Form.PATHS and entry.find(name) is None:
            entry.put_parsed(name, "")
