"""Breakers that processes share through Redis: one record for each name, changed by compare-and-set in one script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.resilience.ports import BreakerRecord
from holdfast.resilience.redis.connections import RedisServer, Step, decode

if TYPE_CHECKING:
    from holdfast.resilience.clocks import Clock

_START: Final = """
local key = KEYS[1] .. ':breaker:' .. ARGV[1]
local now = tonumber(ARGV[2])
if now < 0 then
  local stamp = redis.call('TIME')
  now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
end
local held = redis.call('HMGET', key, 'version', 'state', 'since', 'wait', 'failed_probes', 'until')
local version = tonumber(held[1] or 0)
if version > 0 and tonumber(held[6]) <= now then version = 0 end
"""

READ: Final = (
    _START
    + """
local moment = string.format('%.17g', now)
if version == 0 then return {moment} end
return {moment, held[1], held[2], held[3], held[4], held[5]}
"""
)

SWAP: Final = (
    _START
    + """
if version ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', key, 'version', ARGV[4], 'state', ARGV[5], 'since', ARGV[6], 'wait', ARGV[7],
  'failed_probes', ARGV[8], 'until', string.format('%.17g', now + tonumber(ARGV[9])))
redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[9]) * 1000) + 1000)
return 1
"""
)


class RedisBreakerStore:
    """Keeps the records of breakers in Redis."""

    __slots__ = ("_clock", "_read", "_swap")

    def __init__(self, server: RedisServer, *, clock: Clock | None = None) -> None:
        """Go by the time of Redis, or by `clock` in a test."""
        self._read = Step(server, READ)
        self._swap = Step(server, SWAP)
        self._clock = clock

    def read(self, name: str) -> tuple[BreakerRecord, float]:
        """Give the record, or one of version 0, with the time."""
        return _read_record(self._read.run_sync(name, self._now()))

    def swap(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Put `record` in place if the version there still is `seen_version`."""
        return bool(self._swap.run_sync(name, self._now(), seen_version, *_words_of(record), keep_s))

    async def read_async(self, name: str) -> tuple[BreakerRecord, float]:
        """Do as `read`."""
        return _read_record(await self._read.run(name, self._now()))

    async def swap_async(self, name: str, seen_version: int, record: BreakerRecord, *, keep_s: float) -> bool:
        """Do as `swap`."""
        return bool(await self._swap.run(name, self._now(), seen_version, *_words_of(record), keep_s))

    def _now(self) -> str:
        return repr(self._clock.monotonic()) if self._clock else "-1"


def _words_of(record: BreakerRecord) -> tuple[str | float, ...]:
    return (record.version, record.state, repr(record.since_s), repr(record.wait_s), record.failed_probes)


def _read_record(words: Any) -> tuple[BreakerRecord, float]:
    now, *rest = decode(words)
    if not rest:
        return BreakerRecord(), float(now)
    version, state, since, wait, failed_probes = rest
    return BreakerRecord(int(version), state, float(since), float(wait), int(failed_probes)), float(now)
