"""Keeps counts of patterns in the store, and reads them back as series over time."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.logs.patterns.mining import Known, PatternKey
from holdfast.telemetry.logs.patterns.tables import BUCKET_S, PATTERNS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.logs.patterns.clusters import Cluster

LOAD_S: Final = 86_400  # patterns that were not met for so long are news again
PATIENCE_S: Final = 1.0
_MOST: Final = 10_000
_LOAD: Final = f"""
SELECT service, level, pattern_id, argMax(pattern, bucket) AS text, argMax(sample, bucket) AS line,
       toUnixTimestamp(min(bucket)) AS first_s
FROM log_patterns WHERE tenant = {{tenant:String}} AND bucket >= fromUnixTimestamp({{since:Int64}})
GROUP BY service, level, pattern_id ORDER BY sum(lines) DESC LIMIT {_MOST}
"""  # noqa: S608 -- a constant
_READ: Final = """
SELECT service, level, pattern_id, argMax(pattern, bucket) AS text, argMax(sample, bucket) AS line,
       sum(lines) AS total, toUnixTimestamp(min(bucket)) AS first_s, toUnixTimestamp(max(bucket)) AS last_s,
       sumMap([toInt64(intDiv(toUnixTimestamp(bucket), {step:Int64}) * {step:Int64})], [lines]) AS series
FROM log_patterns
WHERE tenant = {tenant:String}
  AND bucket >= fromUnixTimestamp({start:Int64}) AND bucket < fromUnixTimestamp({end:Int64})
  AND (empty({services:Array(String)}) OR service IN {services:Array(String)})
  AND (empty({levels:Array(String)}) OR level IN {levels:Array(String)})
GROUP BY service, level, pattern_id ORDER BY total DESC, text LIMIT {limit:UInt32}
"""


@dataclass(frozen=True, slots=True)
class PatternScope:
    """Which patterns: of some services and levels (all if empty), in [start_s, end_s), `step_s` apart."""

    start_s: int
    end_s: int
    step_s: int = BUCKET_S
    services: Sequence[str] = ()
    levels: Sequence[str] = ()
    limit: int = 300


@dataclass(frozen=True, slots=True)
class PatternSeries:
    """A pattern in a time.

    Attributes:
        samples: begin of a step in Unix seconds, and lines in it; steps without a line are left out.
    """

    key: PatternKey
    text: str
    sample: str
    lines: int
    first_s: int
    last_s: int
    samples: tuple[tuple[int, int], ...]


class PatternKeeping:
    """The patterns of every tenant in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(
        self,
        tenant: TenantId,
        counts: Tally[tuple[PatternKey, int]],
        clusters: Mapping[PatternKey, Cluster],
    ) -> None:
        """Add counts by pattern and bucket of ten seconds; raises what the store's writer raises."""
        keys = [key for key, _ in counts]
        rows: dict[str, Sequence[Any]] = {
            "service": [key.service for key in keys],
            "level": [str(key.level) for key in keys],
            "pattern_id": [key.identity for key in keys],
            "bucket": [datetime.fromtimestamp(bucket * BUCKET_S, UTC) for _, bucket in counts],
            "pattern": [_clean(clusters[key].text) for key in keys],
            "sample": [_clean(clusters[key].sample) for key in keys],
            "lines": list(counts.values()),
        }
        await self._store.writer(PATTERNS).write(rows, tenant=tenant, patience_s=PATIENCE_S)

    async def known(self, tenant: TenantId, now_s: int) -> Iterable[Known]:
        """Give the patterns that were met lately, those with most lines first."""
        table = await self._store.query(_LOAD, {"since": now_s - LOAD_S}, tenant=tenant)
        return [
            Known(PatternKey(row["service"], row["level"], row["pattern_id"]), row["text"], row["line"], row["first_s"])
            for row in table.to_pylist()
        ]

    async def read(self, tenant: TenantId, scope: PatternScope) -> list[PatternSeries]:
        """Give patterns, those with most lines first."""
        values = {
            "start": scope.start_s,
            "end": scope.end_s,
            "step": scope.step_s,
            "services": list(scope.services),
            "levels": list(scope.levels),
            "limit": scope.limit,
        }
        table = await self._store.query(_READ, values, tenant=tenant)
        return [_series(row) for row in table.to_pylist()]


def _series(row: Mapping[str, Any]) -> PatternSeries:
    begins, lines = (list(part) for part in row["series"].values())
    return PatternSeries(
        PatternKey(row["service"], row["level"], row["pattern_id"]),
        row["text"],
        row["line"],
        row["total"],
        row["first_s"],
        row["last_s"],
        tuple(zip(begins, lines, strict=True)),
    )


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
