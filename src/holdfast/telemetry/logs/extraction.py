"""What a reader asks the store's engine to take out of bodies, so that lines need not be read one by one.

The engine takes only what it reads exactly as `pipeline.parsing` does; lines of which it is not sure are odd, and come
out as lines (`RecordSelection.odd_for`). `reading.extracting` writes the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from holdfast.telemetry.metrics.labels import Labels


class Form(StrEnum):
    """How bodies are read."""

    JSON = "json"
    PATHS = "paths"
    LOGFMT = "logfmt"
    GROUPS = "groups"
    PIECES = "pieces"

    @property
    def has_faults(self) -> bool:
        """Whether a body may be what cannot be read so, for sure: no object of JSON."""
        return self in {Form.JSON, Form.PATHS}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which bodies are read, and what is wanted of it.

    Attributes:
        form: how bodies are read.
        fields: names of labels as parsers make them; letters, digits and `_`.
        paths: of PATHS, where each field stands.
        expression: of GROUPS, the RE2 whose groups `places` (from 1) are the fields.
        places: of GROUPS, one place for each field; of PIECES, which piece.
        literals: of PIECES, what stands before, between and behind the pieces; the last may be empty.
    """

    form: Form
    fields: tuple[str, ...]
    paths: tuple[tuple[str | int, ...], ...] = ()
    expression: str = ""
    places: tuple[int, ...] = ()
    literals: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns it gives: one for each field, and where there may be faults one that is set for them."""
        return len(self.fields) + self.form.has_faults


class Moment(StrEnum):
    """Which time is wanted of records that are counted together."""

    STEP = ""
    FIRST = "min"
    LAST = "max"


@dataclass(frozen=True, slots=True)
class Extraction:
    """What is taken out of each body in one way or several, and the fields of structured metadata beside that."""

    readings: tuple[Reading, ...] = ()
    metadata: tuple[str, ...] = ()
    moment: Moment = Moment.STEP

    @property
    def width(self) -> int:
        """How many columns the readings give."""
        return sum(reading.width for reading in self.readings)


@dataclass(frozen=True, slots=True)
class Extracted:
    """Records by step, stream and what was taken; all sequences are parallel.

    Attributes:
        labels: label sets of the streams.
        refs: places in `labels`.
        begins_ns: when the step begins.
        times_ns: when the step ends, or the first or last record, as was asked.
        fields: the columns of the readings, one after the other; None where a record has none.
        metadata: likewise for structured metadata.
        is_odd: whether these are records that must be read as lines; their fields are None.
        records: how many.
        body_bytes: bytes of their bodies.
    """

    labels: Sequence[Labels]
    refs: npt.NDArray[np.int64]
    begins_ns: npt.NDArray[np.int64]
    times_ns: npt.NDArray[np.int64]
    fields: Sequence[Sequence[str | None]]
    metadata: Sequence[Sequence[str | None]]
    is_odd: npt.NDArray[np.bool_]
    records: npt.NDArray[np.int64]
    body_bytes: npt.NDArray[np.int64]
