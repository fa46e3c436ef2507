"""What every door of logs (OTLP, Loki push, syslog, lines, ...) hands to the sink, and what the sink answers.

A door asks the book once for the reference of a stream, remembers it by the bytes in which its labels were written,
and from then on only appends columns. `LogSink` is the real sink, `MemoryLogSink` its twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels

REFUSED: Final = -1  # the reference of a stream that a limit keeps out; its records are dropped and counted. A book
# may give less: which service it would have been of.


class Refusal(StrEnum):
    """Why a record was not stored; senders are told, and it is no use to send the same again."""

    STREAM_LIMIT = "stream_limit"
    RATE_LIMIT = "rate_limit"
    SAMPLED = "sampled"  # on purpose, so that senders are not told
    LINE_TOO_LONG = "line_too_long"
    METADATA_TOO_LARGE = "metadata_too_large"
    OUT_OF_RANGE = "out_of_range"
    LABELS = "labels"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class LogArrival:
    """What came in one request, of one tenant, in any order.

    `records.refs` are references of the `generation` of the book that gave them, or `REFUSED` and less.
    """

    generation: int
    records: Records


class StreamBook(Protocol):
    """The streams of one tenant that this process writes to."""

    @property
    def generation(self) -> int:
        """Changes when idle streams were forgotten: whoever remembers references drops them all then."""
        ...

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a stream, made known if it is new; `REFUSED` or less if a limit keeps it out.

        `labels` are few and of few values (`service_name`, `environment`, ...): whatever differs from record to record
        is structured metadata. `origin` says who sends, such as `otlp:shop/10.0.0.7`. Never blocks; nothing is stored
        before `RecordSink.append`.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogsWritten:
    """What became of an arrival: stored, known already (told to the sender as stored), or refused by reason.

    `refused_at` says which were refused, by their places in the arrival; as many as `refused` counts.
    """

    records: int = 0
    repeats: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by `Refusal`
    refused_at: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Refused:
    """What an arrival loses on its way; `places` are those of the records that are left, None while all are.

    `gone` are the places in the arrival of what was left out, by reason, samples too.
    """

    counts: dict[str, int] = field(default_factory=dict)
    at: dict[int, str] = field(default_factory=dict)
    places: npt.NDArray[np.int64] | None = None
    gone: list[tuple[Refusal, npt.NDArray[np.int64]]] = field(default_factory=list)

    def leave(self, records: Records, verdicts: Sequence[tuple[npt.NDArray[np.bool_], Refusal]]) -> Records:
        """Give the records without those that a verdict names; of two verdicts the first counts."""
        is_kept = np.ones(len(records), np.bool_)
        for mask, reason in verdicts:
            gone = np.flatnonzero(mask & is_kept)
            is_kept[gone] = False
            if not len(gone):
                continue
            places = gone if self.places is None else self.places[gone]
            self.gone.append((reason, places))
            if reason is not Refusal.SAMPLED:
                self.counts[reason] = self.counts.get(reason, 0) + len(gone)
                self.at |= dict.fromkeys(places.tolist(), str(reason))
        if is_kept.all():
            return records
        kept = np.flatnonzero(is_kept)
        self.places = kept if self.places is None else self.places[kept]
        return records.take(kept)


class RecordSink(Protocol):
    """Where log records go."""

    def book(self, tenant: TenantId) -> StreamBook:
        """Give the book of a tenant's streams."""
        ...

    async def append(self, tenant: TenantId, arrival: LogArrival) -> LogsWritten:
        """Store an arrival; when this returns, the store has accepted all that was not refused.

        A record whose stream, time, body and structured metadata are all known already is stored once.

        Raises:
            BusyError, StorageFullError, UnavailableError: nothing of it is acknowledged, the same may be sent again.
            LimitError: the tenant sends too fast; `retry` says when the same may be sent again.
            ConflictError: the references are of another generation; ask the book again.
        """
        ...
