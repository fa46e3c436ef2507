"""The statement that thins native histograms out: of each bucket it keeps some of the samples as they are.

Kept are the first and the last one, and both of every two neighbours of which the later may not simply go on from the
earlier: something fell, or the layout changed. What `rate_of` adds up over all samples, it then adds up over these, bit
by bit: a sample left out has one before and one after it that surely go on. Each says how many it stands for.
"""

from __future__ import annotations

from typing import Final

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import ResetHint
from holdfast.telemetry.metrics.packing import HINT_CODES
from holdfast.telemetry.metrics.tables import PACKED, SLOT_MS

# ruff: noqa: S608 -- what is put into the statements are constants of this package
_LAST_S: Final = (2**32 - 1) // 86_400 * 86_400  # the engine's DateTime ends in 2106
_FIELDS: Final = ("ts_ms", "start_ms", *(column.name for column in PACKED))
_AT: Final = {name: place for place, name in enumerate(_FIELDS, 1)}


def _of(sample: str, name: str) -> str:
    return f"{sample}.{_AT[name]}"


def _is_same(name: str) -> str:
    return f"{_of('p', name)} = {_of('c', name)}"


def _is_no_less(name: str) -> str:
    return f"{_of('c', name)} >= {_of('p', name)}"


def _has_no_less(side: str) -> str:
    """Say that each bucket of a side holds at least as many as before; one that is not there holds none."""
    before, now = _of("p", f"{side}_counts"), _of("c", f"{side}_counts")
    place = f"i + {_of('p', f'{side}_first')} - {_of('c', f'{side}_first')}"
    found = f"if({place} BETWEEN 1 AND length({now}), {now}[greatest({place}, 1)], 0.)"
    return f"arrayAll((v, i) -> {found} >= v, {before}, arrayEnumerate({before}))"


_RESET, _GAUGE = HINT_CODES[ResetHint.RESET], HINT_CODES[ResetHint.GAUGE]
_SAME: Final = " AND ".join(_is_same(name) for name in ("schema", "zero_threshold", "custom_values"))
_NO_LESS: Final = " AND ".join(
    (_is_no_less("count"), _is_no_less("zero_count"), _has_no_less("pos"), _has_no_less("neg"))
)
_GOES_ON: Final = f"""
      (({_of("p", "hint")} = {_GAUGE} AND {_of("c", "hint")} = {_GAUGE})
        OR ({_of("c", "hint")} NOT IN ({_RESET}, {_GAUGE}) AND {_of("p", "hint")} != {_GAUGE}
          AND {_SAME} AND {_NO_LESS}))"""
_IS_MARK: Final = f"reinterpretAsUInt64({_of('x', 'sum')}) = {STALE_BITS}"

THIN: Final = f"""
    SELECT {{tenant:String}} AS tenant, toInt32({{resolution:Int64}}) AS resolution_ms,
      toInt32(intDiv(end_ms - 1, {SLOT_MS})) AS slot, series_id, end_ms, one.2 AS weight, {{round:Int64}} AS round,
      {", ".join(f"one.1.{place} AS {name}" for name, place in _AT.items())},
      toDateTime(if(left_s < intDiv(begun_ms, 1000) + {{raw:Int64}}, left_s,
        least(greatest(left_s, left_s - {{raw:Int64}} + {{keep:Int64}}), {_LAST_S})), 'UTC') AS expires_at
    FROM (
      SELECT series_id, end_ms, left_s, begun_ms, arrayJoin(arrayConcat(
        arrayMap((place, before) -> (kept[place], toInt64(place - before)),
          places, arrayPushFront(arrayPopBack(places), 0)),
        arrayMap(x -> (x, toInt64(0)), arrayFilter(x -> {_IS_MARK}, [every[-1]])))) AS one
      FROM (
        SELECT series_id, end_ms, left_s, every, every[1].1 AS begun_ms,
          arrayFilter(x -> NOT ({_IS_MARK}), every) AS kept,
          arrayMap((p, c) -> NOT {_GOES_ON}, arrayPopBack(kept), arrayPopFront(kept)) AS breaks,
          arrayFilter(i -> i = 1 OR i = length(kept) OR breaks[greatest(i - 1, 1)] OR breaks[i], arrayEnumerate(kept))
            AS places
        FROM (
          SELECT series_id,
            intDiv(ts_ms + {{resolution:Int64}} - 1, {{resolution:Int64}}) * {{resolution:Int64}} AS end_ms,
            arraySort(x -> x.1, groupArray(({", ".join(_FIELDS)}))) AS every,
            toInt64(toUnixTimestamp(max(expires_at))) AS left_s
          FROM (
            SELECT * FROM metric_histograms
            WHERE tenant = {{tenant:String}} AND slot BETWEEN {{first:Int64}} AND {{last:Int64}} + 1
              AND ts_ms > {{first:Int64}} * {SLOT_MS} AND ts_ms <= ({{last:Int64}} + 1) * {SLOT_MS}
              AND series_id BETWEEN {{low:UInt64}} AND {{high:UInt64}}
            LIMIT 1 BY series_id, ts_ms)
          GROUP BY series_id, end_ms) AS now
        LEFT JOIN (
          SELECT series_id, end_ms, argMax(weights, round) AS before_n
          FROM (
            SELECT series_id, end_ms, round, sum(weight) AS weights FROM metric_histogram_rollups FINAL
            WHERE tenant = {{tenant:String}} AND resolution_ms = {{resolution:Int64}}
              AND slot BETWEEN {{first:Int64}} AND {{last:Int64}}
              AND series_id BETWEEN {{low:UInt64}} AND {{high:UInt64}}
            GROUP BY series_id, end_ms, round)
          GROUP BY series_id, end_ms) AS before USING (series_id, end_ms)
        WHERE length(kept) >= before_n))"""
