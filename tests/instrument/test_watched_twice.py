"""What is watched twice counts once; two things of one name are added up, and leave one by one."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import celery
import httpx
import pytest
import redis
import sqlalchemy
from prometheus_client import CollectorRegistry

from holdfast import instrument
from holdfast.resilience import retry
from holdfast.resilience.testing import FakeClock, fails


def test_a_client_of_httpx(registry, figures):
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    stop = instrument.watch_httpx(client, registry)
    again = instrument.watch_httpx(client, registry)
    client.get("http://peer/")
    assert figures("http_client_requests_total") == 1
    again()
    stop()
    client.get("http://peer/")
    assert figures("http_client_requests_total") == 1
    instrument.watch_httpx(client, registry)
    client.get("http://peer/")
    assert figures("http_client_requests_total") == 2


def test_an_engine(registry, figures):
    engine = sqlalchemy.create_engine("sqlite://")
    stop = instrument.watch_sqlalchemy(engine, registry)
    again = instrument.watch_sqlalchemy(engine, registry)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    assert figures("db_client_operation_duration_seconds_count", operation="SELECT") == 1
    stop()
    again()
    engine.dispose()


def test_a_client_of_redis(registry, figures, redis_url):
    client = redis.Redis.from_url(redis_url)
    instrument.watch_redis(client, registry)
    instrument.watch_redis(client, registry)
    client.ping()
    assert figures("db_client_operation_duration_seconds_count", operation="PING") == 1
    client.close()


def test_an_executor(registry, figures):
    with ThreadPoolExecutor(1) as pool:
        instrument.watch_executor(pool, registry, name="pool")
        instrument.watch_executor(pool, registry, name="pool")
        pool.submit(int).result()
    assert figures("executor_calls_total") == 1
    assert figures("executor_pending") == 0


async def test_an_event_loop(registry, figures):
    stop = instrument.watch_event_loop(registry, slow_s=0.05)
    instrument.watch_event_loop(registry, slow_s=0.05)
    await asyncio.sleep(0.2)
    time.sleep(0.3)  # noqa: ASYNC251 -- holds the loop
    await asyncio.sleep(0.1)
    assert figures("asyncio_slow_callbacks_total") == 1
    stop()


def test_what_celery_sends_counts_once_in_each_registry_whosoever_apps_are_watched(registry, figures):
    other = CollectorRegistry()
    apps = [celery.Celery(name, broker="memory://", set_as_current=False) for name in ("orders", "mails")]
    stops = [instrument.watch_celery(app, registry) for app in apps]
    stop_other = instrument.watch_celery(apps[0], other)
    apps[0].send_task("place")
    assert figures("celery_tasks_sent_total") == 1
    assert other.get_sample_value("celery_tasks_sent_total", {"task": "place", "queue": "celery"}) == 1
    stop_other()
    stops[0]()
    apps[0].send_task("place")
    assert figures("celery_tasks_sent_total") == 2
    stops[1]()
    apps[1].send_task("place")
    assert figures("celery_tasks_sent_total") == 2


@pytest.mark.parametrize("first", [0, 1])
def test_in_two_registries_each_hears_all_until_its_own_end(first, redis_url):
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    engine = sqlalchemy.create_engine("sqlite://")
    pool = ThreadPoolExecutor(1)
    cache = redis.Redis.from_url(redis_url)
    watches = [
        (instrument.watch_httpx, client, {}, lambda: client.get("http://peer/")),
        (instrument.watch_sqlalchemy, engine, {}, lambda: select_one(engine)),
        (instrument.watch_executor, pool, {"name": "pool"}, lambda: pool.submit(int).result()),
        (instrument.watch_redis, cache, {}, lambda: cache.pipeline().ping().execute()),
    ]
    for watch, target, named, use in watches:
        registries = [CollectorRegistry(), CollectorRegistry()]
        stops = [watch(target, registry, **named) for registry in registries]
        use()
        seen = [sums(registry) for registry in registries]
        assert seen[0] == seen[1]
        stops[first]()
        use()
        assert sums(registries[first]) == seen[first]
        assert sums(registries[not first]) == {name: 2 * count for name, count in seen[0].items()}
        stops[not first]()
        use()
        assert sums(registries[not first]) == {name: 2 * count for name, count in seen[0].items()}
    pool.shutdown()
    engine.dispose()
    cache.close()
    assert not {"handle_request", "submit", "execute_command", "pipeline"} & {*vars(client._transport), *vars(cache)}


def select_one(engine):
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))


def sums(registry):
    """Give what was counted, as whole numbers of calls."""
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    return {sample.name: sample.value for sample in samples if sample.name.endswith(("_seconds_count", "_calls_total"))}


def test_policies(registry, figures):
    stops = [instrument.watch_policies(registry, is_logging=False) for _ in range(2)]
    policy = retry(name="twice", attempts=2, base_s=2, clock=FakeClock())
    with pytest.raises(ConnectionError):
        policy.call_sync(fails(ConnectionError("down"), times=2))
    assert figures("resilience_events_total", policy="twice", what="gave_up") == 1
    for stop in stops:
        stop()


async def _hello(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_an_asgi_middleware(registry, figures):
    inner = instrument.AsgiMiddleware(_hello, service="shop", registry=registry)
    part = instrument.AsgiMiddleware(inner, service="part", registry=registry)
    outer = instrument.AsgiMiddleware(part, service="shop", registry=registry)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://x") as client:
        await client.get("/")
        await client.get("/")
    assert figures("http_server_requests_total", service="shop") == 2
    assert figures("http_server_requests_total", service="part") == 2


def test_a_wsgi_middleware(registry, figures):
    def hello(_environ, start_response):
        start_response("200 OK", [])
        return [b"hello"]

    inner = instrument.WsgiMiddleware(hello, service="shop", registry=registry)
    outer = instrument.WsgiMiddleware(inner, service="shop", registry=registry)
    with httpx.Client(transport=httpx.WSGITransport(outer), base_url="http://x") as client:
        assert client.get("/").text == "hello"
    assert figures("http_server_requests_total") == 1


def test_two_engines_of_one_name_are_added_up(registry, figures):
    engines = [
        sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.QueuePool, pool_size=size, max_overflow=0)
        for size in (2, 3)
    ]
    stops = [instrument.watch_sqlalchemy(engine, registry, name="orders") for engine in engines]
    with engines[0].connect(), engines[1].connect():
        assert figures("db_client_connections", database="orders", state="used") == 2
        assert figures("db_client_connection_max") == 5
    stops[0]()
    assert figures("db_client_connection_max") == 3
    while engines:
        engines.pop().dispose()
    del stops
    gc.collect()
    assert figures("db_client_connection_max") is None


class Held(dict):
    """A mapping that can be referred to weakly."""


def test_an_engine_with_other_options_has_the_same_pool(registry, figures):
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.QueuePool, pool_size=2, max_overflow=0)
    for each in (engine, engine.execution_options(isolation_level="AUTOCOMMIT")):
        instrument.watch_sqlalchemy(each, registry)
        with each.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1"))
    assert figures("db_client_operation_duration_seconds_count", operation="SELECT") == 2
    assert figures("db_client_connection_max") == 2
    engine.dispose()


def test_two_caches_of_one_name_are_added_up(registry, figures):
    first, second = instrument.CountedMapping(Held(a=1)), instrument.CountedMapping(Held(a=1))
    instrument.watch_cache(first, registry, name="quotes")
    stop = instrument.watch_cache(second, registry, name="quotes")
    instrument.watch_cache(second, registry, name="quotes")
    assert (first["a"], second["a"]) == (1, 1)
    assert figures("cache_hits_total", cache="quotes") == 2
    stop()
    assert figures("cache_hits_total", cache="quotes") == 1


def test_a_registry_and_what_is_watched_in_it_are_not_kept():
    registry, client = CollectorRegistry(), httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    instrument.watch_httpx(client, registry)
    instrument.watch_policies(registry, is_logging=False)()
    transport = weakref.ref(client._transport)
    known = weakref.ref(registry)
    del client, registry
    gc.collect()
    assert transport() is None
    assert known() is None
