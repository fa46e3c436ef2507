"""The words of logs: records in columns, as doors hand them over, hooks see them and readers get them back.

One class for the way in and the way out, so that scrubbing, patterns, tailing and queries speak of the same thing.
No object per record: a request holds thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of which many are the same: the numbers of all, one after the other, and those that differ."""

    codes: npt.NDArray[np.int32]
    keys: Sequence[str]
    values: Sequence[str]


class Repeated(Sequence[str]):
    """Texts of which many are the same, written out when they are asked for."""

    def __init__(self, codes: npt.NDArray[np.int32], texts: Sequence[str]) -> None:
        self._codes = codes
        self._texts = texts

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        """Give the text, or the texts, at a place."""
        return self._all[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    @cached_property
    def _all(self) -> list[str]:
        return list(map(self._texts.__getitem__, self._codes.tolist()))


@dataclass(frozen=True)
class Attributes:
    """Structured metadata of N records: the pairs of record `i` are `offsets[i]` to `offsets[i + 1]`.

    Attributes:
        offsets: int32, N + 1.
        keys: names, flat; such as `order_id`, already in the form of labels (`http_status`, not `http.status`).
        values: texts, flat, parallel to `keys`.
        pairs: the same as numbers of pairs that differ, where it came so; None if it did not.
    """

    offsets: npt.NDArray[np.int32]
    keys: Sequence[str]
    values: Sequence[str]
    pairs: Pairs | None = None

    @classmethod
    def coded(
        cls, offsets: npt.NDArray[np.int32], codes: npt.NDArray[np.int32], keys: Sequence[str], values: Sequence[str]
    ) -> Attributes:
        """Give the columns of pairs as numbers; `keys` and `values` are those of the pairs that differ."""
        return cls(offsets, Repeated(codes, keys), Repeated(codes, values), Pairs(codes, keys, values))

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> Attributes:
        """Give the columns of one mapping per record."""
        keys: list[str] = []
        values: list[str] = []
        offsets = [0]
        for row in rows:
            keys += row
            values += row.values()
            offsets.append(len(keys))
        return cls(np.array(offsets, np.int32), keys, values)

    @classmethod
    def none(cls, count: int) -> Attributes:
        """Give the columns of `count` records without any."""
        return cls(np.zeros(count + 1, np.int32), (), ())

    def row(self, number: int) -> dict[str, str]:
        """Give the pairs of one record."""
        part = slice(int(self.offsets[number]), int(self.offsets[number + 1]))
        return dict(zip(self.keys[part], self.values[part], strict=True))

    def take(self, rows: npt.NDArray[np.int64]) -> Attributes:
        """Give the pairs of some records, in that order."""
        if not self.keys:
            return Attributes.none(len(rows))
        return Attributes.of(self.row(number) for number in rows.tolist())


@dataclass(frozen=True)
class Records:
    """N log records of one tenant; every sequence has N entries and is None where no record has the thing.

    Attributes:
        refs: int64: of which stream. On the way in the book's references, on the way out places in `RecordPage.labels`.
        ts_ns: int64: when it happened, ns of Unix time.
        bodies: the lines.
        levels: a `Level` each; empty or None for the sink to find out.
        trace_ids: 32 hexadecimal digits in lower case, or empty.
        span_ids: 16 hexadecimal digits in lower case, or empty.
        severities: uint8: OpenTelemetry's severity number, 0 if there is none.
        severity_texts: as the sender wrote it, or empty.
        observed_ns: int64: when a collector saw it, 0 if nobody says.
        attributes: structured metadata of each record.
        shared: sets of structured metadata that many records have in common (the rest of OTLP's resource and scope).
        shared_refs: int32: places in `shared`.
    """

    refs: npt.NDArray[np.int64]
    ts_ns: npt.NDArray[np.int64]
    bodies: Sequence[str]
    levels: Sequence[str] | None = None
    trace_ids: Sequence[str] | None = None
    span_ids: Sequence[str] | None = None
    severities: npt.NDArray[np.uint8] | None = None
    severity_texts: Sequence[str] | None = None
    observed_ns: npt.NDArray[np.int64] | None = None
    attributes: Attributes | None = None
    shared: Sequence[Labels] = ()
    shared_refs: npt.NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.bodies)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Bytes of each record, about: letters of its body and of its own structured metadata."""
        sizes = np.fromiter(map(len, self.bodies), np.int64, len(self))
        if self.attributes is not None and self.attributes.keys:
            given = self.attributes.pairs or self.attributes
            letters = np.fromiter(map(len, given.keys), np.int64, len(given.keys))
            letters += np.fromiter(map(len, given.values), np.int64, len(letters))
            letters = letters[given.codes] if isinstance(given, Pairs) else letters
            ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(letters)))[self.attributes.offsets]
            sizes += np.diff(ends)
        return sizes

    def take(self, rows: npt.NDArray[np.int64]) -> Records:
        """Give some records, in that order."""
        numbers = rows.tolist()

        def texts(column: Sequence[str] | None) -> list[str] | None:
            return None if column is None else [column[number] for number in numbers]

        return Records(
            self.refs[rows],
            self.ts_ns[rows],
            [self.bodies[number] for number in numbers],
            levels=texts(self.levels),
            trace_ids=texts(self.trace_ids),
            span_ids=texts(self.span_ids),
            severities=None if self.severities is None else self.severities[rows],
            severity_texts=texts(self.severity_texts),
            observed_ns=None if self.observed_ns is None else self.observed_ns[rows],
            attributes=None if self.attributes is None else self.attributes.take(rows),
            shared=self.shared,
            shared_refs=None if self.shared_refs is None else self.shared_refs[rows],
        )

    def metadata(self, number: int) -> dict[str, str]:
        """Give all structured metadata of one record, as Loki shows it: shared, its own, then the known fields."""
        pairs = dict(self.shared[self.shared_refs[number]]) if self.shared_refs is not None else {}
        if self.attributes is not None:
            pairs |= self.attributes.row(number)
        if self.observed_ns is not None and self.observed_ns[number]:
            pairs["observed_timestamp"] = str(self.observed_ns[number])
        if self.severities is not None and self.severities[number]:
            pairs["severity_number"] = str(self.severities[number])
        for name, column in (
            ("severity_text", self.severity_texts),
            ("trace_id", self.trace_ids),
            ("span_id", self.span_ids),
            (DETECTED_LEVEL, self.levels),
        ):
            if column is not None and column[number]:
                pairs[name] = column[number]
        return pairs

    def all_metadata(self) -> list[dict[str, str]]:
        """Give what `metadata` gives, of all records and more cheaply; records share it, so nobody may change it."""
        names, columns = self._known_columns()
        common = [dict(labels) for labels in self.shared]
        has_common = self.shared_refs is not None and any(common)
        refs = self.shared_refs.tolist() if has_common and self.shared_refs is not None else [0] * len(self)
        keys = list(zip(refs, *columns, strict=True))
        fields = {key: {name: text for name, text in zip(names, key[1:], strict=True) if text} for key in set(keys)}
        merged = {key: {**common[key[0]], **own} for key, own in fields.items()} if has_common else fields
        found = [merged[key] for key in keys]
        if self.attributes is not None and self.attributes.keys:
            for number in np.flatnonzero(np.diff(self.attributes.offsets)).tolist():
                first = common[refs[number]] if has_common else {}
                found[number] = {**first, **self.attributes.row(number), **fields[keys[number]]}
        return found

    def _known_columns(self) -> tuple[list[str], list[Sequence[str]]]:
        """Give the known fields that any record has, as texts."""
        columns = {
            "observed_timestamp": _as_texts(self.observed_ns),
            "severity_number": _as_texts(self.severities),
            "severity_text": self.severity_texts,
            "trace_id": self.trace_ids,
            "span_id": self.span_ids,
            DETECTED_LEVEL: self.levels,
        }
        held = {name: texts for name, texts in columns.items() if texts is not None and any(texts)}
        return list(held), list(held.values())


def _as_texts(numbers: npt.NDArray[np.int64] | npt.NDArray[np.uint8] | None) -> Sequence[str] | None:
    if numbers is None or not numbers.any():
        return None
    return [str(number) if number else "" for number in numbers.tolist()]


DETECTED_LEVEL: Final = "detected_level"
_MOST_SEVERITY: Final = 255
_MOST_NS: Final = 2**63 - 1
_TEXTS: Final = frozenset({"trace_id", "span_id", "severity_text", DETECTED_LEVEL})
_NUMBERS: Final = {"severity_number": _MOST_SEVERITY, "observed_timestamp": _MOST_NS}


def fits_column(name: str, value: str) -> bool:
    """Tell whether a pair of structured metadata belongs into the column of its name; if not, it is an attribute."""
    if name in _TEXTS:
        return True
    most = _NUMBERS.get(name)
    return most is not None and value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= most


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some of the records that a reader asked for; `records.refs` are places in `labels`."""

    labels: Sequence[Labels]
    records: Records
