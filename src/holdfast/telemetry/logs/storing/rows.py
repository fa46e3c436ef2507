"""Records and streams as rows of their tables, in Arrow columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.logs.tables import NOT_OBSERVED, SLOT_NS
from holdfast.telemetry.metrics.storing import label_maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.logs.storing.streams import Lives, TenantStreams
    from holdfast.telemetry.metrics.storing import Expiry

_FIRST_MS: Final = -2_208_988_800_000  # the engine's DateTime64 reaches from 1900
_LAST_MS: Final = 10_413_791_999_000  # to 2299
_NS_PER_MS: Final = 10**6
_HOUR_S: Final = 3600


def record_rows(
    records: Records, ids: npt.NDArray[np.uint64], levels: Sequence[str], expires_at: pa.Array
) -> dict[str, Any]:
    """Give the rows of `log_records`; `ids` are those of the streams."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

    count = len(records)

    def texts(column: Sequence[str] | None) -> pa.Array:
        return pa.repeat(pa.scalar(""), count) if column is None else pa.array(column, pa.string())

    observed, severities = records.observed_ns, records.severities
    lag = np.full(count, NOT_OBSERVED) if observed is None else observed - records.ts_ns
    if observed is not None:
        lag[observed == 0] = NOT_OBSERVED
    return {
        "slot": pa.array((records.ts_ns // SLOT_NS).astype(np.int32)),
        "stream_id": pa.array(ids),
        "ts_ns": pa.array(records.ts_ns),
        "lag_ns": pa.array(lag),
        "level": texts(levels),
        "severity": pa.array(np.zeros(count, np.uint8) if severities is None else severities),
        "severity_text": texts(records.severity_texts),
        "trace_id": texts(records.trace_ids),
        "span_id": texts(records.span_ids),
        "body": texts(records.bodies),
        "attributes": _maps(records),
        "shared": _shared(records),
        "expires_at": expires_at,
    }


def _maps(records: Records) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 -- as above

    given = records.attributes
    offsets = np.zeros(len(records) + 1, np.int32) if given is None else given.offsets
    if given is None or given.pairs is None:
        keys, values = ((), ()) if given is None else (given.keys, given.values)
        names, texts = pa.array(keys, pa.string()), pa.array(values, pa.string())
    else:
        pairs, codes = given.pairs, pa.array(given.pairs.codes)
        names, texts = (pa.array(each, pa.string()).take(codes) for each in (pairs.keys, pairs.values))
    return pa.MapArray.from_arrays(pa.array(offsets), names, texts)


def _shared(records: Records) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 -- as above

    if records.shared_refs is None:
        return pa.repeat(pa.scalar(""), len(records))
    written = pa.array([orjson.dumps(dict(pairs)).decode() if pairs else "" for pairs in records.shared], pa.string())
    return written.take(pa.array(records.shared_refs))


def stream_rows(book: TenantStreams, lives: Lives, expiry: Expiry) -> dict[str, Any]:
    """Give the rows of `log_streams`."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    def moments(values: npt.NDArray[np.int64]) -> pa.Array:
        return pa.array(np.clip(values // _NS_PER_MS, _FIRST_MS, _LAST_MS)).cast(pa.timestamp("ms", tz="UTC"))

    refs = lives.refs
    return {
        "stream_id": pa.array(book.ids.live[refs]),
        "labels": label_maps([book.labels[ref] for ref in refs.tolist()]),
        "first_seen": moments(lives.first_ns),
        "last_seen": moments(lives.last_ns),
        "heard_at": pa.array(np.full(len(refs), expiry.now_s())).cast(pa.timestamp("s", tz="UTC")),
        # A stream must outlive its records, the last of which come up to one announcement later.
        "expires_at": expiry.column(lives.last_ns // _NS_PER_MS, book.keep_s.live[refs] + _HOUR_S),
    }
