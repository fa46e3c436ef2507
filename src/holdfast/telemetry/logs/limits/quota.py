"""The quota of logs: samples, holds streams to their length and rate, and the tenant to its rate, in this order.

Each process counts what it takes itself. A stream above its rate loses what it sends until it may again, lest it stop
the others; where all that came is above, and for a tenant above its rate, senders are told when to come again.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric

from holdfast.kernel.errors import LimitError, after
from holdfast.telemetry.logs.arrivals import Refusal
from holdfast.telemetry.logs.level_words import Level
from holdfast.telemetry.logs.levels import find_levels
from holdfast.telemetry.logs.limits.allowance import Allowance
from holdfast.telemetry.logs.limits.rules import StreamRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.limits.settings import LogLimitSettings, SamplingRule, StreamLimit
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.metrics.labels import Labels

    Mask = npt.NDArray[np.bool_]

REMEMBERED: Final = 100_000  # streams; one forgotten begins with a full allowance again
PUT_OFF: Final = "put_off"  # not left out: the sender was told to send them again later
ALWAYS_KEPT: Final = frozenset({Level.ERROR, Level.CRITICAL, Level.FATAL})


@dataclass(slots=True)
class _Stream:
    limit: StreamLimit | None
    sampling: SamplingRule | None
    allowance: Allowance | None


class Rates(NamedTuple):
    """Records and letters per second: what was sent, and what may be."""

    lines: tuple[float, float]
    letters: tuple[float, float]


class LogQuota:
    """Limits what tenants and streams may send; a `Quota`."""

    def __init__(self, settings: LogLimitSettings, clock: Clock, metrics: CollectorRegistry | None = None) -> None:
        """Read the rules.

        Raises:
            InvalidError: the selector of one is none.
        """
        self.settings = settings
        self._clock = clock
        self.since = clock.now()  # what `dropped` and `dropped_of` count
        self._limits = StreamRules(settings.streams, "log_limits.streams")
        self._sampling = StreamRules(settings.sampling, "log_limits.sampling")
        self._has_rules = bool(settings.streams or settings.sampling)
        self._streams: dict[tuple[TenantId, Labels], _Stream] = {}
        self._tenants: dict[TenantId, Allowance] = {}
        self.dropped: dict[TenantId, Counter[str]] = {}
        self.dropped_of: dict[TenantId, Counter[Labels]] = {}
        self._metric = Metric(
            "holdfast_log_limits_dropped",
            "Log records that were left out, by why: a limit of their stream, sampling, or the tenant's rate.",
            ("tenant", "reason"),
            registry=metrics or CollectorRegistry(),
        )

    def refuse(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> Sequence[tuple[Mask, Refusal]]:
        """Give which records are left out, each by one reason."""
        refused: list[tuple[Mask, Refusal]] = []
        left = np.ones(len(records), np.bool_)
        if self._has_rules and len(records):
            for mask, reason in self._by_stream(tenant, records, streams):
                if (mask & left).any():
                    refused.append((mask & left, reason))
                    left &= ~mask
        self._hold_tenant(tenant, records, left)
        for mask, reason in refused:
            self._count(tenant, records.refs[mask], streams, reason)
        return refused

    def rates(self, tenant: TenantId) -> Rates:
        """Give what a tenant has sent per second of late, over about the burst, beside what it may; 0 for no limit."""
        allowance = self._tenants.get(tenant)
        rate = self.settings.tenants.get(tenant, self.settings)
        if allowance is None:
            return Rates((0.0, rate.lines_per_s), (0.0, float(rate.bytes_per_s)))
        allowance.wait_s(self._now_s())

        def spent(may_per_s: float, left: float) -> tuple[float, float]:
            return (max(0.0, may_per_s - left / self.settings.burst), may_per_s) if may_per_s else (0.0, 0.0)

        return Rates(spent(rate.lines_per_s, allowance.lines), spent(float(rate.bytes_per_s), allowance.letters))

    def _by_stream(
        self, tenant: TenantId, records: Records, streams: Sequence[Labels]
    ) -> Sequence[tuple[Mask, Refusal]]:
        refs, place = np.unique(records.refs, return_inverse=True)
        found = [self._stream(tenant, streams[ref]) for ref in refs.tolist()]
        sampled = self._sampled(records, streams, found, place)
        longest = np.array([stream.limit.max_line if stream.limit else 0 for stream in found], np.int64)[place]
        lengths = np.fromiter(map(len, records.bodies), np.int64, len(records))
        too_long = (longest > 0) & (lengths > longest) & ~sampled
        return (
            (sampled, Refusal.SAMPLED),
            (too_long, Refusal.LINE_TOO_LONG),
            (self._too_fast(tenant, records, found, place, ~sampled & ~too_long), Refusal.RATE_LIMIT),
        )

    def _stream(self, tenant: TenantId, labels: Labels) -> _Stream:
        key = (tenant, labels)
        found = self._streams.get(key)
        if found is None:
            limit = self._limits.of(tenant, labels)
            allowance = None
            if limit is not None and (limit.lines_per_s or limit.bytes_per_s):
                allowance = Allowance(limit.lines_per_s, limit.bytes_per_s, self.settings.burst, self._now_s())
            found = self._streams[key] = _Stream(limit, self._sampling.of(tenant, labels), allowance)
            if len(self._streams) > REMEMBERED:
                del self._streams[next(iter(self._streams))]
        return found

    def _sampled(
        self, records: Records, streams: Sequence[Labels], found: list[_Stream], place: npt.NDArray[np.int64]
    ) -> Mask:
        sampled = np.zeros(len(records), np.bool_)
        if all(stream.sampling is None for stream in found):
            return sampled
        levels = find_levels(records, streams)
        for number, (at, level) in enumerate(zip(place.tolist(), levels, strict=True)):
            rule = found[at].sampling
            if rule is not None and (level in rule.levels if rule.levels else level not in ALWAYS_KEPT):
                # By what the record says, so that one sent again meets the same fate.
                trace_id = records.trace_ids[number] if records.trace_ids else ""
                key = trace_id or f"{records.ts_ns[number]}{records.bodies[number]}"
                sampled[number] = zlib.crc32(key.encode("utf-8", "surrogatepass")) % rule.keep_one_in != 0
        return sampled

    def _too_fast(
        self, tenant: TenantId, records: Records, found: list[_Stream], place: npt.NDArray[np.int64], left: Mask
    ) -> Mask:
        lines = np.bincount(place[left], minlength=len(found)).tolist()
        letters = np.bincount(place[left], weights=records.sizes[left], minlength=len(found)).tolist()
        waits = [stream.allowance.wait_s(self._now_s()) if stream.allowance else 0.0 for stream in found]
        is_fast = np.array(waits) > 0
        too_fast = is_fast[place] & left
        if len(records) and too_fast.sum() == left.sum() > 0:
            self._refuse_all(tenant, records, "streams", max(waits))
        for stream, wait_s, count, size in zip(found, waits, lines, letters, strict=True):
            if stream.allowance is not None and not wait_s:
                stream.allowance.take(count, int(size))
        return too_fast

    def _hold_tenant(self, tenant: TenantId, records: Records, left: Mask) -> None:
        allowance = self._tenants.get(tenant)
        if allowance is None:
            rate = self.settings.tenants.get(tenant, self.settings)
            allowance = Allowance(rate.lines_per_s, rate.bytes_per_s, self.settings.burst, self._now_s())
            self._tenants[tenant] = allowance
        if not (allowance.lines_per_s or allowance.bytes_per_s):
            return
        if wait_s := allowance.wait_s(self._now_s()):
            self._refuse_all(tenant, records, "lines_per_s or log_limits.bytes_per_s", wait_s)
        allowance.take(int(left.sum()), int(records.sizes[left].sum()))

    def _refuse_all(self, tenant: TenantId, records: Records, setting: str, wait_s: float) -> None:
        self._metric.labels(tenant, PUT_OFF).inc(len(records))
        self.dropped.setdefault(tenant, Counter())[PUT_OFF] += len(records)
        raise LimitError(
            f"more log records came than log_limits.{setting} allows",
            hint="send less, sample with log_limits.sampling, or raise the limit",
            retry=after(max(1.0, wait_s)),
        )

    def _count(self, tenant: TenantId, refs: npt.NDArray[np.int64], streams: Sequence[Labels], reason: Refusal) -> None:
        self._metric.labels(tenant, reason).inc(len(refs))
        self.dropped.setdefault(tenant, Counter())[reason] += len(refs)
        by_stream = self.dropped_of.setdefault(tenant, Counter())
        for ref, count in zip(*np.unique(refs, return_counts=True), strict=True):
            by_stream[streams[int(ref)]] += int(count)
        if len(by_stream) > REMEMBERED:
            self.dropped_of[tenant] = Counter(dict(by_stream.most_common(REMEMBERED // 2)))

    def _now_s(self) -> float:
        return self._clock.monotonic()
