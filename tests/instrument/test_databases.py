"""SQLAlchemy and redis-py on real databases: operations, errors, and pools that are used up."""

from __future__ import annotations

import threading
import uuid

import pytest
import redis
import redis.asyncio
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.instrument import watch_redis, watch_sqlalchemy
from holdfast.instrument.sql import name_operation


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ("SELECT 1", "SELECT"),
        ("  -- why\n  insert into t values (1)", "INSERT"),
        ("/* orders:place */ UPDATE t SET a = 1", "UPDATE"),
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("frobnicate everything", "other"),
        ("", "other"),
        ("--" * 5000, "other"),
        (" " * 100 + "{call settle}", "other"),  # these two went through all ways to part them, for ever
        ("/* a */ -- b\n" * 50 + "?", "other"),
    ],
)
def test_a_statement_is_named_by_its_first_word(statement, operation):
    assert name_operation(statement) == operation


@pytest.fixture
def sqlite(tmp_path, registry):
    url = f"sqlite:///{tmp_path}/shop.db"
    engine = sqlalchemy.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    stop = watch_sqlalchemy(engine, registry)
    yield engine
    stop()
    engine.dispose()


def test_statements_are_counted_by_operation(sqlite, figures, kept_spans):
    with sqlite.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (a INTEGER PRIMARY KEY)"))
        for number in range(3):
            connection.execute(sqlalchemy.text("INSERT INTO t VALUES (:a)"), {"a": number})
        connection.execute(sqlalchemy.text("INSERT INTO t VALUES (:a)"), [{"a": 7}, {"a": 8}])
        connection.execute(sqlalchemy.text("SELECT * FROM t")).all()
    labels = {"system": "sqlite", "database": "shop.db"}
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="INSERT") == 4
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="SELECT") == 1
    names = [span.name for span in kept_spans.get_finished_spans()]
    assert names.count("INSERT shop.db") == 4
    assert all("VALUES" not in str(span.attributes) for span in kept_spans.get_finished_spans())


def test_statements_that_fail_are_counted_by_error(sqlite, figures):
    with sqlite.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError):
        connection.execute(sqlalchemy.text("SELECT * FROM missing"))
    assert figures("db_client_operation_errors_total", operation="SELECT", error="OperationalError") == 1
    assert figures("db_client_operation_duration_seconds_count", operation="SELECT") == 1


def test_a_pool_that_is_used_up_shows_who_waits_and_who_waited_in_vain(sqlite, figures):
    labels = {"system": "sqlite", "database": "shop.db"}
    with sqlite.connect():
        assert figures("db_client_connections", **labels, state="used") == 1
        assert figures("db_client_connection_max", **labels) == 1
        with pytest.raises(sqlalchemy.exc.TimeoutError):
            sqlite.connect()
    assert figures("db_client_connection_timeouts_total", **labels) == 1
    assert figures("db_client_connection_pending_requests", **labels) == 0
    assert figures("db_client_connection_wait_time_seconds_sum", **labels) >= 0.05
    assert figures("db_client_connections", **labels, state="idle") == 1


def test_the_pool_after_dispose_is_watched_too(sqlite, figures):
    with sqlite.connect():
        pass
    sqlite.dispose()
    with sqlite.connect():
        assert figures("db_client_connections", state="used") == 1
    assert figures("db_client_connection_wait_time_seconds_count") == 2


def test_the_end_of_watching_leaves_nothing(tmp_path, registry, figures):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
    stop = watch_sqlalchemy(engine, registry, name="orders")
    stop()
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    assert figures("db_client_operation_duration_seconds_count") is None
    assert figures("db_client_connections") is None
    engine.dispose()


async def test_async_engines_are_watched_on_postgresql(postgres_url, registry, figures):
    url = sqlalchemy.make_url(postgres_url).set(drivername="postgresql+psycopg")
    engine = create_async_engine(url, pool_size=1, max_overflow=1)
    stop = watch_sqlalchemy(engine, registry, name="orders")
    async with engine.connect() as one, engine.connect() as two:
        await one.execute(sqlalchemy.text("SELECT 1"))
        await two.execute(sqlalchemy.text("SELECT 2"))
        assert figures("db_client_connections", state="used") == 2
        assert figures("db_client_connection_overflow", database="orders") == 1
        assert figures("db_client_connection_max", database="orders") == 2
    labels = {"system": "postgresql", "database": "orders"}
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="SELECT") == 2
    stop()
    await engine.dispose()


def test_commands_of_redis_are_counted(redis_url, registry, figures, kept_spans):
    key = f"test:{uuid.uuid4().hex}"
    with redis.Redis.from_url(redis_url) as client:
        watch_redis(client, registry, name="cache")
        client.set(key, "secret-value", ex=10)
        client.get(key)
        with pytest.raises(redis.ResponseError):
            client.lpush(key, "x")
        with client.pipeline() as pipeline:
            pipeline.get(key)
            pipeline.delete(key)
            assert pipeline.execute() == [b"secret-value", 1]
        labels = {"system": "redis", "database": "cache"}
        for operation in ("SET", "GET", "LPUSH", "PIPELINE"):
            assert figures("db_client_operation_duration_seconds_count", **labels, operation=operation) == 1
        assert figures("db_client_operation_errors_total", **labels, operation="LPUSH", error="ResponseError") == 1
        assert figures("db_client_connections", **labels, state="idle") == 1
    told = " ".join(f"{span.name} {span.attributes}" for span in kept_spans.get_finished_spans())
    assert "GET cache" in told
    assert key not in told
    assert "secret-value" not in told


async def test_async_clients_of_redis_are_watched_too(redis_url, registry, figures):
    key = f"test:{uuid.uuid4().hex}"
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        stop = watch_redis(client, registry)
        await client.set(key, 1, ex=10)
        async with client.pipeline() as pipeline:
            await pipeline.get(key).delete(key).execute()
        stop()
        await client.get(key)
    labels = {"system": "redis", "database": "0"}
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="SET") == 1
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="PIPELINE") == 1
    assert figures("db_client_operation_duration_seconds_count", **labels, operation="GET") is None


def test_a_redis_that_is_away_is_an_error(registry, figures):
    client = redis.Redis(host="127.0.0.1", port=1, retry=None)
    watch_redis(client, registry)
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    assert figures("db_client_operation_errors_total", operation="GET", error="ConnectionError") == 1
    client.close()


def test_waits_of_threads_are_seen_while_they_last(tmp_path, registry, figures):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/a.db", pool_size=1, max_overflow=0, pool_timeout=10)
    watch_sqlalchemy(engine, registry)
    connection = engine.connect()
    thread = threading.Thread(target=lambda: engine.connect().close())
    thread.start()
    while figures("db_client_connection_pending_requests") != 1:
        pass
    connection.close()
    thread.join(timeout=30)
    assert figures("db_client_connection_pending_requests") == 0
    engine.dispose()
