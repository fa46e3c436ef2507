"""Records counted by step, stream and what is taken out of their bodies: the SQL, and its rows as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holdfast.telemetry.logs.extraction import Extracted
from holdfast.telemetry.logs.reading.conditions import field_expression, is_column
from holdfast.telemetry.logs.reading.extracting import extraction_sql
from holdfast.telemetry.logs.reading.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from holdfast.telemetry.logs.extraction import Extraction
    from holdfast.telemetry.logs.reading.conditions import Condition
    from holdfast.telemetry.metrics.labels import Labels

_SQL: Final = """
SELECT stream_id, step, odd{names}, count() AS records, sum(size) AS bytes{moment} FROM (
  SELECT stream_id, ts_ns, intDiv(ts_ns - {start}, {step}) AS step, length(body) AS size, {odd} AS odd{columns}
  FROM {rows})
GROUP BY stream_id, step, odd{names} LIMIT {limit}"""


def grouping_sql(extraction: Extraction, condition: Condition, start_ns: int, step_ns: int, most: int) -> str:
    """Give the query; a row more than `most` says that there are too many. Odd records have no fields."""
    layers = Layers()
    odd, texts = extraction_sql(extraction, condition, layers)
    last = len(layers.columns)
    odd = layers.define(f"({odd})", last)
    taken = [*texts, *(_metadata(name, condition) for name in extraction.metadata)]
    columns = [f"if({odd}, '', {text}) AS c{place}" for place, text in enumerate(taken)]
    return _SQL.format(
        names="".join(f", c{place}" for place in range(len(taken))),
        columns="".join(f", {column}" for column in columns),
        start=start_ns,
        step=step_ns,
        odd=odd,
        rows=layers.around(f"log_records WHERE {condition.sql}"),
        moment=f", {extraction.moment}(ts_ns) AS at" if extraction.moment else "",
        limit=most + 1,
    )


def _metadata(name: str, condition: Condition) -> str:
    value = field_expression(name, condition)
    if is_column(name):
        return f"if({value} = '', '', concat('=', {value}))"
    place = condition.bind(name)
    return f"if(mapContains(attributes, {place}) OR JSONHas(shared, {place}), concat('=', {value}), '')"


def extracted_of(
    table: pa.Table | list[Any], extraction: Extraction, start_ns: int, step_ns: int, labels: Mapping[int, Labels]
) -> Extracted:
    """Give the rows as columns; `labels` are those of the streams by id."""
    cut = extraction.width
    if not len(table):
        nothing = np.zeros(0, np.int64)
        columns: list[list[str | None]] = [[] for _ in range(cut + len(extraction.metadata))]
        is_odd = nothing.astype(bool)
        return Extracted([], nothing, nothing, nothing, columns[:cut], columns[cut:], is_odd, nothing, nothing)
    assert not isinstance(table, list)
    ids, refs = np.unique(_numbers(table, "stream_id"), return_inverse=True)
    texts = [_texts(table, f"c{place}") for place in range(cut + len(extraction.metadata))]
    begins_ns = start_ns + _numbers(table, "step").astype(np.int64) * step_ns
    return Extracted(
        [labels[identity] for identity in ids.tolist()],
        refs.astype(np.int64),
        begins_ns,
        _numbers(table, "at").astype(np.int64) if extraction.moment else begins_ns + step_ns - 1,
        texts[:cut],
        texts[cut:],
        _numbers(table, "odd").astype(np.bool_),
        _numbers(table, "records").astype(np.int64),
        _numbers(table, "bytes").astype(np.int64),
    )


def _numbers(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks().to_numpy(zero_copy_only=False)


def _texts(table: pa.Table, name: str) -> list[str | None]:
    column = table.column(name).combine_chunks().dictionary_encode()
    words = [text[1:] if text else None for text in column.dictionary.to_pylist()]
    return [words[place] for place in column.indices.to_pylist()]
