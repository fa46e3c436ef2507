"""What sources give, over HTTP, from files and from databases, and what is made of it."""

from __future__ import annotations

import asyncio
import itertools
import socket
import sqlite3
import struct
import subprocess
import threading
import uuid
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from holdfast import instrument
from holdfast.telemetry.metrics.exporter.fields import Item
from holdfast.telemetry.metrics.exporter.shapes import Parse
from holdfast.telemetry.metrics.exporter.values import read_number
from holdfast.telemetry.metrics.exposition import parse_openmetrics


def metric(name, value, **more):
    return {"name": name, "help": "What it says.", "value": value, **more}


async def test_json_over_http_with_headers_a_secret_and_a_body(export, server):
    server.answers["/queues"] = (
        200,
        b'{"queues": {"mail": {"depth": 3, "state": "up", "lag_ms": 250}, "sms": {"depth": null, "state": "down"}}}',
    )
    document = {
        "sources": [
            {
                "name": "queues",
                "http": {
                    "url": f"{server.url}/queues",
                    "method": "POST",
                    "headers": {"X-Team": "shop"},
                    "body": '{"all": true}',
                    "auth": {"bearer": "${env:TOKEN}"},
                },
                "json": {"each": "$.queues.*"},
                "labels": {"team": "shop"},
                "metrics": [
                    metric("queue_depth", "$.depth", labels={"queue": "@key"}, default=0),
                    metric("queue_up", "state", labels={"queue": "@key"}, map={"up": 1, "down": 0}),
                    metric("queue_lag_seconds", "$.lag_ms", labels={"queue": "@key"}, unit="seconds", scale=0.001),
                ],
            }
        ]
    }
    opened = await export(document, TOKEN="s3cret").look()
    assert opened.samples("queue") == {
        ("queue_depth", "mail", "shop"): 3,
        ("queue_depth", "shop", "sms"): 0,
        ("queue_up", "mail", "shop"): 1,
        ("queue_up", "shop", "sms"): 0,
        ("queue_lag_seconds", "mail", "shop"): 0.25,
    }
    method, _, headers, body = server.asked[0]
    assert (method, body) == ("POST", b'{"all": true}')
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["x-team"] == "shop"
    assert opened.samples("exporter_source_dropped") == {("exporter_source_dropped_total", "missing", "queues"): 1}


async def test_basic_auth_and_other_good_statuses(export, server):
    server.answers["/health"] = (503, b'{"ok": false}')
    http = {"url": f"{server.url}/health", "statuses": [200, 503]}
    http["auth"] = {"basic": {"username": "ops", "password": "${env:PASSWORD}"}}
    source = {"name": "health", "http": http, "json": {}, "metrics": [metric("healthy", "$.ok")]}
    opened = await export({"sources": [source]}, PASSWORD="open sesame").look()
    assert opened.samples("healthy") == {("healthy",): 0}
    assert server.asked[0][2]["authorization"] == "Basic b3BzOm9wZW4gc2VzYW1l"


async def test_text_by_regular_expression_keys_and_columns(export, tmp_path):
    (tmp_path / "disks.txt").write_text("disk sda: 81% full\ndisk sdb: 7% full\nnoise\n")
    (tmp_path / "release").write_text("# made by hand\nVERSION=1.4.2\nWORKERS = 8\n")
    (tmp_path / "jobs.csv").write_text('name,took,"ended"\n"a, b",1m30s,2026-01-02T03:04:05Z\nc,x,\n')
    (tmp_path / "ps.txt").write_text("PID RSS COMMAND\n1 10MB init\n2 2MiB sh\n")
    document = {
        "sources": [
            {
                "name": "disks",
                "file": {"path": "disks.txt"},
                "regex": r"^disk (?P<disk>\w+): (?P<full>\d+)%",
                "metrics": [metric("disk_used_ratio", "full", labels={"disk": "disk"}, scale=0.01, unit="ratio")],
            },
            {
                "name": "release",
                "file": {"path": "release"},
                "key_values": {},
                "metrics": [
                    metric("workers", "WORKERS"),
                    {"name": "release_info", "help": "Release.", "type": "info", "labels": {"version": "VERSION"}},
                ],
            },
            {
                "name": "jobs",
                "file": {"path": "jobs.csv"},
                "columns": {"separator": ","},
                "metrics": [
                    metric("job_duration_seconds", "took", labels={"job": "name"}, parse="duration"),
                    metric("job_ended_timestamp_seconds", "ended", labels={"job": "name"}, parse="timestamp"),
                ],
            },
            {
                "name": "processes",
                "file": {"path": "ps.txt"},
                "columns": {"names": ["pid", "rss", "command"], "skip": 1},
                "metrics": [metric("rss_bytes", "rss", labels={"command": "command"}, parse="size")],
            },
        ]
    }
    samples = (await export(document).look()).samples()
    assert samples["disk_used_ratio", "sda"] == pytest.approx(0.81)
    assert samples["disk_used_ratio", "sdb"] == pytest.approx(0.07)
    assert samples["workers",] == 8
    assert samples["release_info", "1.4.2"] == 1
    assert samples["job_duration_seconds", "a, b"] == 90
    assert samples["job_ended_timestamp_seconds", "a, b"] == 1767323045
    assert samples["rss_bytes", "init"] == 10_000_000
    assert samples["rss_bytes", "sh"] == 2 * 1024**2
    assert samples["exporter_source_dropped_total", "jobs", "value"] == 2


def orders_source(url):
    query = "SELECT status, COUNT(*) AS n, SUM(total) AS total, MAX(placed) AS newest FROM {} GROUP BY status"
    return {
        "name": "orders",
        "sql": {"url": "${env:DATABASE}", "query": query},
        "metrics": [
            metric("orders", "n", labels={"status": "status"}),
            metric("orders_value_eur_total", "total", labels={"status": "status"}, type="counter"),
            metric("orders_newest_timestamp_seconds", "newest", labels={"status": "status"}, parse="timestamp"),
        ],
    }


@pytest.fixture(params=["sqlite", "postgres_url", "mysql_url"])
def orders(request, tmp_path):
    """A table with three orders in a real database: its URL and its name."""
    table = f"orders_{uuid.uuid4().hex[:8]}"
    url = f"sqlite:///{tmp_path}/shop.db" if request.param == "sqlite" else request.getfixturevalue(request.param)
    drivers = {"postgres_url": "postgresql+psycopg", "mysql_url": "mysql+pymysql", "sqlite": "sqlite"}
    engine = sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername=drivers[request.param]))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (status VARCHAR(9), total NUMERIC(9,2), placed TIMESTAMP)")
        for status, total in (("paid", "19.90"), ("paid", "0.10"), ("open", "5.00")):
            row = f"INSERT INTO {table} VALUES ('{status}', {total}, '2026-01-02 03:04:05')"
            connection.exec_driver_sql(row)
    yield url, table
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()


async def test_rows_of_a_database(export, orders):
    url, table = orders
    source = orders_source(url)
    source["sql"]["query"] = source["sql"]["query"].format(table)
    opened = await export({"sources": [source]}, DATABASE=url).look()
    assert opened.state("orders").error == ""
    samples = opened.samples("orders")
    assert samples["orders", "paid"] == 2
    assert samples["orders_value_eur_total", "paid"] == pytest.approx(20)
    assert samples["orders_newest_timestamp_seconds", "open"] == 1767323045


async def test_a_query_that_writes_is_refused_by_the_database(export, orders):
    url, table = orders
    source = orders_source(url)
    source["sql"]["query"] = f"DELETE FROM {table}"
    opened = await export({"sources": [source]}, DATABASE=url).look()
    assert opened.state("orders").error_kind == "query"
    source["sql"]["query"] = f"SELECT COUNT(*) AS n, 'all' AS status, 1 AS total, NULL AS newest FROM {table}"
    opened = await export({"sources": [source]}, DATABASE=url).look()
    assert opened.samples("orders")["orders", "all"] == 3


async def test_a_query_says_what_it_says(export, orders):
    """A colon and a percent sign in it are no parameters, and bytes are text."""
    url, _ = orders
    binary = "X'6265'" if url.startswith(("sqlite", "mysql")) else "'\\x6265'::bytea"
    query = f"SELECT 1 AS n, ':status' AS a, {binary} AS b WHERE '50%s' LIKE '50%'"
    source = {
        "name": "said",
        "sql": {
            "url": url,
            "query": query if not url.startswith("mysql") else query.replace("WHERE", "FROM DUAL WHERE"),
        },
        "metrics": [metric("said", "n", labels={"a": "a", "b": "b"})],
    }
    opened = await export({"sources": [source]}).look()
    assert opened.samples("said") == {("said", ":status", "be"): 1}


async def test_a_file_of_sqlite_stands_beside_the_exporters_and_is_not_made(export, tmp_path):
    source = {
        "name": "beside",
        "sql": {"url": "sqlite:///a%20b.db", "query": "SELECT COUNT(*) AS n FROM t"},
        "metrics": [metric("beside", "n")],
    }
    opened = await export({"sources": [source]}).look()
    assert opened.state("beside").error_kind == "unreachable"
    assert [path.name for path in tmp_path.iterdir()] == ["exporter.yml"]
    with sqlite3.connect(tmp_path / "a b.db") as database:
        database.execute("CREATE TABLE t (n)")
    database.close()
    assert (await opened.look()).samples("beside") == {("beside",): 0}


async def test_a_query_without_end_is_ended(export, tmp_path):
    sqlite3.connect(tmp_path / "a.db").close()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) AS n FROM n"
    source = {
        "name": "endless",
        "timeout": "200ms",
        "sql": {"url": f"sqlite:///{tmp_path}/a.db", "query": endless},
        "metrics": [metric("n", "n")],
    }
    opened = await export({"sources": [source]}).look()
    assert opened.state("endless").error_kind == "timeout"
    assert opened.state("endless").duration_s < 5


async def test_a_slow_query_of_postgresql_is_ended(export, postgres_url):
    source = {
        "name": "slow",
        "timeout": "100ms",
        "sql": {"url": postgres_url, "query": "SELECT 1 AS n, pg_sleep(30)"},
        "metrics": [metric("n", "n")],
    }
    opened = await export({"sources": [source]}).look()
    assert opened.state("slow").error_kind == "timeout"


def answer_as_postgresql_and_no_more(listener, heard):
    """Let a client in, and say nothing to what it asks; note when it hangs up."""
    connection, _ = listener.accept()
    with connection:
        while connection.recv(1000)[4:8] in {struct.pack("!i", code) for code in (80877103, 80877104)}:
            connection.sendall(b"N")  # neither TLS nor GSSAPI
        for kind, body in ((b"R", bytes(4)), (b"S", b"server_version\x0016.0\x00"), (b"Z", b"I")):
            connection.sendall(kind + struct.pack("!i", 4 + len(body)) + body)
        while connection.recv(1000):
            pass
    heard.set()


async def test_a_postgresql_that_answers_no_more_keeps_no_thread(export):
    heard = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_as_postgresql_and_no_more, args=(listener, heard), daemon=True).start()
        url = f"postgresql://reader@127.0.0.1:{listener.getsockname()[1]}/shop"
        source = {"name": "dead", "timeout": "100ms", "sql": {"url": url, "query": "SELECT 1"}}
        opened = await export({"sources": [{**source, "metrics": [metric("n", "n")]}]}).look()
        assert opened.state("dead").error_kind == "timeout"
        assert await asyncio.to_thread(heard.wait, 20)


async def test_half_a_letter_in_a_label_leaves_the_page_whole(export, postgres_url):
    query = """SELECT 1 AS n, '{"k": "\\ud83d"}'::json AS doc"""
    source = {"name": "a", "sql": {"url": postgres_url, "query": query}}
    metrics = [metric("n", "n", labels={"k": "$.doc.k"})]
    opened = await export({"sources": [{**source, "metrics": metrics}]}).look()
    assert 'n{k="?"} 1.0' in opened.exporter.render()


@pytest.mark.parametrize(
    ("body", "samples"),
    [
        (b"\xef\xbb\xbf[7]", {("n", "0"): 7}),
        (b'"{\\"a\\": 1}"', {}),
        (b"3", {}),
    ],
)
async def test_a_document_is_read_as_it_is(export, tmp_path, body, samples):
    (tmp_path / "a.json").write_bytes(body)
    metrics = [metric("n", "$", labels={"key": "@key"})]
    source = {"name": "a", "file": {"path": "a.json"}, "json": {"each": "$.*"}, "metrics": metrics}
    opened = await export({"sources": [source]}).look()
    assert opened.state("a").is_up
    assert opened.samples("n") == samples


async def test_a_counter_that_is_none_is_dropped_and_the_page_stays_one(export):
    items = [{"k": "a", "n": -1}, {"k": "b", "n": float("nan")}, {"k": "c", "n": 2}]
    metrics = [metric("hits_total", "n", type="counter", labels={"k": "k"}), metric("depth", "n", labels={"k": "k"})]
    opened = await export({"sources": [{"name": "a", "static": {"items": items}, "metrics": metrics}]}).look()
    assert opened.samples("hits") == {("hits_total", "c"): 2}
    assert opened.samples("exporter_source_dropped") == {("exporter_source_dropped_total", "a", "value"): 2}
    page, _ = instrument.encode_metrics(opened.exporter.registry, "application/openmetrics-text; version=1.0.0")
    assert parse_openmetrics(page).families


async def test_items_are_made_beside_the_event_loop_and_no_more_of_them_than_a_source_may_have(export):
    made = []

    class Endless:
        async def fetch(self, _world, _bounds):
            return (made.append(threading.get_ident()) or Item({"n": n}) for n in itertools.count())

    source = {
        "name": "a",
        "max_series": 9,
        "static": {"items": [{"n": 1}]},
        "metrics": [metric("n", "n", labels={"n": "n"})],
    }
    opened = export({"sources": [source]})
    state = opened.state("a")
    state.source = replace(state.source, content=Endless())
    await opened.look()
    assert state.error_kind == "too_many_series"
    assert len(made) == 10
    assert threading.get_ident() not in made


async def test_what_is_shown_is_openmetrics_and_passes_promtool(export, tmp_path):
    items = [{"a": 1, "b": 'x"\\\n'}]
    document = {
        "sources": [
            {
                "name": "s",
                "static": {"items": items},
                "metrics": [
                    metric("shop_limit_bytes", "a", labels={"b": "b"}, unit="bytes"),
                    metric("shop_sent_bytes_total", "a", type="counter", unit="bytes"),
                    {"name": "shop_build", "help": "Build.", "type": "info", "labels": {"b": "b"}},
                    metric("shop_odd", "a", type="unknown"),
                ],
            }
        ]
    }
    exporter = (await export(document).look()).exporter
    text, _ = instrument.encode_metrics(exporter.registry, "application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    assert (families["shop_sent_bytes"].type, families["shop_sent_bytes"].unit) == ("counter", "bytes")
    assert families["shop_limit_bytes"].samples[0].labels == {"b": 'x"\\\n'}
    assert families["shop_build"].type == "info"
    lint = partial(subprocess.run, ["promtool", "check", "metrics"], capture_output=True, check=False)
    told = await asyncio.to_thread(lint, input=exporter.render().encode())
    assert (told.returncode, told.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("found", "parse", "number"),
    [
        (True, "number", 1),
        (" 12.5 ", "number", 12.5),
        ("1e3", "number", 1000),
        ("1_000", "number", None),
        ("", "number", None),
        ([1], "number", None),
        ({}, "size", None),
        ("10 kB", "size", 10_000),
        ("1h", "duration", 3600),
        ("soon", "duration", None),
        ("2026-01-02", "timestamp", 1767312000),
        ("2026-01-02T01:00:00+01:00", "timestamp", 1767312000),
        (5, "timestamp", 5),
    ],
)
def test_values_are_read_as_the_file_says(found, parse, number):
    assert read_number(found, Parse(parse), {}, 1.0) == number


def test_words_win_over_numbers_and_are_not_scaled():
    words = {"ok": 1.0, "7": 70.0, "true": 5.0}
    found = [read_number(it, Parse.NUMBER, words, 10) for it in ("ok", 7, "8", True, "bad")]
    assert found == [1, 70, 80, 5, None]


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5), st.sampled_from(Parse)
)
def test_nothing_that_a_source_gives_makes_reading_fail(found, parse):
    number = read_number(found, parse, {"a": 1.0}, 2.0)
    assert number is None or isinstance(number, float)
