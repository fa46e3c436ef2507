"""What comes beside plain samples: native histograms, exemplars, and what is said of families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.arrivals import Exemplar, HistogramSample, MetricMetadata
from holdfast.telemetry.metrics.packing import pack
from holdfast.telemetry.metrics.storing.book import Book
from holdfast.telemetry.metrics.storing.expiry import Expiry
from holdfast.telemetry.metrics.storing.points import place_columns
from holdfast.telemetry.metrics.tables import PACKED

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId

_SAY_AGAIN_S: Final = 86_400
_MOST_FAMILIES: Final = 100_000


class Extras:
    """Makes the rows of the smaller tables."""

    def __init__(self, expiry: Expiry) -> None:
        self._expiry = expiry
        self._said: dict[tuple[TenantId, MetricMetadata], int] = {}

    def histograms(self, book: Book, samples: Sequence[HistogramSample]) -> dict[str, pa.Array]:
        """Give the rows of `metric_histograms`."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        refs, ts_ms, starts_ms = (
            np.fromiter(column, np.int64, len(samples))
            for column in zip(*((s.ref, s.ts_ms, s.start_ms) for s in samples), strict=True)
        )
        packed = pack([sample.histogram for sample in samples])
        kinds = {column.name: pa.list_(pa.float64()) for column in PACKED if column.kind.arrow == "list"}
        return {
            **place_columns(book.ids.live[refs], ts_ms, starts_ms),
            **{name: pa.array(values, kinds.get(name)) for name, values in packed.items()},
            "expires_at": self._expiry.column(ts_ms, book.keep_s.live[refs]),
        }

    def exemplars(self, book: Book, exemplars: Sequence[Exemplar]) -> dict[str, pa.Array]:
        """Give the rows of `metric_exemplars`."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        refs = np.fromiter((one.ref for one in exemplars), np.int64, len(exemplars))
        ts_ms = np.fromiter((one.ts_ms for one in exemplars), np.int64, len(exemplars))
        return {
            "series_id": pa.array(book.ids.live[refs]),
            "ts_ms": pa.array(ts_ms),
            "value": pa.array([one.value for one in exemplars], pa.float64()),
            "labels": pa.array([one.labels for one in exemplars], pa.map_(pa.string(), pa.string())),
            "expires_at": self._expiry.column(ts_ms, book.keep_s.live[refs]),
        }

    def families(self, tenant: TenantId, said: Sequence[MetricMetadata]) -> list[MetricMetadata]:
        """Give what of `said` the store must hear: what is new, or was last said a day ago."""
        before_s = self._expiry.now_s() - _SAY_AGAIN_S
        return [one for one in dict.fromkeys(said) if self._said.get((tenant, one), 0) <= before_s]

    def heard(self, tenant: TenantId, said: Sequence[MetricMetadata]) -> None:
        """Remember that the store has accepted this."""
        if len(self._said) > _MOST_FAMILIES:
            self._said.clear()
        now_s = self._expiry.now_s()
        self._said.update(dict.fromkeys(((tenant, one) for one in said), now_s))

    def family_rows(self, said: Sequence[MetricMetadata], keep_s: int) -> dict[str, pa.Array]:
        """Give the rows of `metric_families`."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        now_ms = np.full(len(said), self._expiry.now_s() * 1000, np.int64)
        columns = zip(*said, strict=True)
        return {
            **{
                name: pa.array(values, pa.string())
                for name, values in zip(MetricMetadata._fields, columns, strict=True)
            },
            "heard_at": pa.array(now_ms).cast(pa.timestamp("ms", tz="UTC")).cast(pa.timestamp("s", tz="UTC")),
            "expires_at": self._expiry.column(now_ms, keep_s + _SAY_AGAIN_S),
        }
