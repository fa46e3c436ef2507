"""Rates in Redis and SQL count as the one in memory does, never let too many through, and say when they are away."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys

import pytest
from sqlalchemy import create_engine

from holdfast.resilience import StoreAway
from holdfast.resilience.locks import Claim, LockStoreAway
from holdfast.resilience.memory_stores import MemoryLimiterStore
from holdfast.resilience.rate_rules import rate_rule
from holdfast.resilience.redis import RedisBreakerStore, RedisCacheStore, RedisLimiterStore, RedisLocks, RedisServer
from holdfast.resilience.redis.connections import heed
from holdfast.resilience.sql import SqlBreakerStore, SqlLimiterStore, SqlLocks

LONG_S = 60.0
RULES = [
    rate_rule("gcra", rate=3, burst=5),
    rate_rule("token_bucket", rate=3, burst=5),
    rate_rule("token_bucket", rate=3, burst=5, initial=0),
    rate_rule("sliding_window", rate=5, per_s=2),
    rate_rule("sliding_window", rate=200, per_s=2),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_every_store_gives_the_answers_that_memory_gives(limiter_store, rule, fake_clock):
    memory, chance, admitted = MemoryLimiterStore(clock=fake_clock), random.Random(7), []
    await fake_clock.advance(1000)
    for _ in range(150):
        how = {"cost": chance.choice([1, 1, 2, 5]), "most_wait_s": chance.choice([0, 0, 0.5, 2])}
        expected, answer = memory.take("key", rule, **how), limiter_store.take("key", rule, **how)
        assert answer.is_admitted == expected.is_admitted
        assert (answer.wait_s, answer.due_s) == pytest.approx((expected.wait_s, expected.due_s))
        if expected.is_admitted:
            admitted.append((how["cost"], expected.due_s))
        if admitted and chance.random() < 0.2:
            cost, due_s = admitted.pop()
            for store in (memory, limiter_store):
                store.give_back("key", rule, cost=cost, due_s=due_s)
        await fake_clock.advance(chance.choice([0, 0, 0.25, 1]))


TAKE = """
import sys
from holdfast.resilience.rate_rules import rate_rule
{store}
rule = rate_rule("gcra", rate=1e-6, burst=20)
print("ready", flush=True)
sys.stdin.readline()
print(sum(store.take("quota", rule).is_admitted for _ in range(30)))
"""

MAKE_SQL = """
from sqlalchemy import create_engine
from holdfast.resilience.redis.connections import heed
from holdfast.resilience.sql import SqlLimiterStore
store = SqlLimiterStore(create_engine({url!r}))
"""

MAKE_REDIS = """
from holdfast.resilience.redis import RedisLimiterStore, RedisServer
store = RedisLimiterStore(RedisServer({url!r}, prefix={prefix!r}))
"""


def count_admitted(make):
    script, environment = TAKE.format(store=make), {"PYTHONPATH": ":".join(sys.path)}
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    return sum(int(taker.communicate(timeout=LONG_S)[0]) for taker in takers)


def test_processes_that_share_a_rate_in_redis_get_exactly_the_burst(redis_server, redis_url):
    assert count_admitted(MAKE_REDIS.format(url=redis_url, prefix=redis_server.prefix.strip("{}"))) == 20


def test_processes_that_share_a_rate_in_sqlite_get_exactly_the_burst(tmp_path):
    url = f"sqlite:///{tmp_path / 'rates.db'}"
    engine = create_engine(url)
    SqlLimiterStore(engine).create_tables()
    engine.dispose()
    assert count_admitted(MAKE_SQL.format(url=url)) == 20


def test_processes_that_share_a_rate_in_postgres_get_exactly_the_burst(shared_database_url):
    engine = create_engine(shared_database_url)
    SqlLimiterStore(engine).create_tables()
    engine.dispose()
    assert count_admitted(MAKE_SQL.format(url=shared_database_url.render_as_string(hide_password=False))) == 20


async def test_a_redis_that_is_away_is_told_by_every_adapter():
    server = RedisServer("redis://127.0.0.1:1/0")
    rule, claim = RULES[0], Claim("a", "ann", "attempt", 1, 0)
    with pytest.raises(StoreAway, match="Redis does not answer"):
        RedisLimiterStore(server).take("key", rule)
    with pytest.raises(StoreAway):
        await RedisLimiterStore(server).take_async("key", rule)
    with pytest.raises(StoreAway):
        await RedisBreakerStore(server).read_async("name")
    with pytest.raises(StoreAway):
        await RedisCacheStore(server).get_async("key")
    with pytest.raises(LockStoreAway):
        RedisLocks(server).claim(claim)
    await server.aclose()


async def test_a_database_that_is_away_or_lacks_its_tables_is_told_by_every_adapter(tmp_path):
    away = create_engine(f"sqlite:///{tmp_path}/no-such-folder/file.db")
    with pytest.raises(StoreAway, match="does not answer"):
        SqlLimiterStore(away).take("key", RULES[0])
    with pytest.raises(StoreAway):
        await SqlBreakerStore(away).read_async("name")
    with pytest.raises(LockStoreAway):
        SqlLocks(away).claim(Claim("a", "ann", "attempt", 1, 0))
    empty = create_engine(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(LookupError, match=r"create_tables\(\)"):
        SqlLimiterStore(empty).take("key", RULES[0])
    empty.dispose()
    away.dispose()


async def test_a_cancellation_that_the_client_loses_is_heeded():
    begun = asyncio.Event()

    async def lose_it():
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "sent"

    calling = asyncio.ensure_future(heed(lose_it()))
    await begun.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


@pytest.mark.parametrize("prefix", ["", "a{b}", "star*"])
def test_a_prefix_that_redis_would_misread_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        RedisServer("redis://127.0.0.1:1/0", prefix=prefix)
