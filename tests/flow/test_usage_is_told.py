"""The real app says who keeps and reads how much, what it costs, what the store is made of and what was scrubbed."""

from __future__ import annotations

import time
from typing import Any

from fixtures.leaking import JSON, otlp_traces
from fixtures.secrets import LEAKS


async def push(client: Any, service: str, *lines: str) -> None:
    now = time.time_ns()
    values = [[str(now + number), line] for number, line in enumerate(lines)]
    document = {"streams": [{"stream": {"service_name": service, "env": "dev"}, "values": values}]}
    assert (await client.post("/loki/api/v1/push", json=document)).status_code == 204


async def test_who_keeps_who_reads_and_what_it_costs(running: Any) -> None:
    sections = {
        "usage": {"stored_gib_month": "1.5", "read_gib": "1000", "currency": "USD"},
        "log_limits": {
            "bytes_per_s": "1MB",
            "sampling": [{"match": '{service_name="chatty"}', "keep_one_in": 1_000_000_000}],
        },
        "logs": {"max_streams": 100},
    }
    async with running(**sections) as client:
        await push(client, "shop", "a" * 5000, "b" * 3000)
        await push(client, "mail", "c" * 100)
        await push(client, "chatty", "x", "y")
        assert (await client.post("/v1/traces", json=otlp_traces(LEAKS[0], 1), headers=JSON)).status_code == 200
        await client.get("/loki/api/v1/query_range", params={"query": '{service_name="shop"}'})
        report = (await client.get("/api/v1/usage")).json()

    by_name = {use["labels"]["service_name"]: use for use in report["services"]}
    assert (by_name["shop"]["records"], by_name["shop"]["bytes"], by_name["shop"]["read_bytes"]) == (2, 8000, 8000)
    assert (by_name["mail"]["bytes"], by_name["mail"]["read_bytes"]) == (100, 0)
    assert by_name["shop mail from [email] came"]["spans"] == 1
    assert report["readers"] == [{"reader": "anonymous", "records": 2, "bytes": 8000}]
    assert by_name["shop"]["cost"] > 8000 / 2**30 * 1000 > by_name["mail"]["cost"] > 0
    assert (report["currency"], report["dropped"]) == ("USD", {"sampled": 2})
    assert {use["labels"]["env"] for use in report["streams"]} == {"dev"}
    limits = {limit["setting"]: (limit["used"], limit["limit"]) for limit in report["limits"]}
    assert limits["logs.max_streams"] == (3, 100)
    assert limits["log_limits.bytes_per_s"][1] == 10**6
    assert limits["log_limits.lines_per_s"] == (0, 0)
    assert report["days"][-1]["bytes"] == 8100
    assert {signal["signal"] for signal in report["signals"] if signal["disk_bytes"] > 0} >= {"logs", "traces"}


async def test_what_the_store_is_made_of(running: Any) -> None:
    keep = [{"match": '{env="dev"}', "keep": "7d"}]
    retention = {"retention_of": {"logs": "60d", "acme/*": "30d", "acme/logs": "1d"}}
    async with running(logs={"keep": keep}, telemetry=retention) as client:
        await push(client, "shop", "hello")
        report = (await client.get("/api/v1/storage")).json()

    tables = {table["table"]: table for table in report["tables"]}
    records = tables["log_records"]
    assert (records["signal"], records["rows"], records["parts"]) == ("logs", 1, 1)
    assert records["oldest"] < records["newest"]
    assert tables["trace_spans"]["rows"] == 0
    assert report["disk_free_bytes"] > 0
    assert report["is_full"] is False
    told = [(rule["signal"], rule["tenant"], rule["match"], rule["keep_s"]) for rule in report["retention"]]
    day = 86_400
    assert told[:4] == [
        ("logs", "", '{env="dev"}', 7 * day),
        ("logs", "acme", "", day),
        ("all", "acme", "", 30 * day),
        ("logs", "", "", 60 * day),
    ]
    assert told[-1] == ("all", "", "", 90 * day)


async def test_a_wrong_span_of_days_is_refused(running: Any) -> None:
    async with running() as client:
        spans = (
            "start=2026-02-02&end=2026-02-01",
            "start=2020-01-01&end=2026-01-01",
            "start=1969-12-31&end=1970-01-02",
        )
        for days in (*spans, "end=0001-01-01", "end=9999-12-31"):
            for path in ("/api/v1/usage", "/api/v1/logs/usage"):
                answer = await client.get(f"{path}?{days}")
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (path, days)


async def test_finds_are_told_by_door_and_trials_by_line(running: Any) -> None:
    own = [{"name": "order", "expression": "ORD-([0-9]+)"}]
    async with running(scrub={"own": own, "kinds": {"phone": "keep"}}) as client:
        await push(client, "shop", "mail a@example.org and b@example.org")
        await client.post("/api/v1/logs/lines", content="ORD-17 of c@example.org")
        tried = await client.post("/api/v1/scrub/try", json={"lines": ["ORD-1 a@example.org b@example.org", "x"]})
        report = (await client.get("/api/v1/scrub")).json()

    assert tried.json() == {"lines": ["ORD-[order] [email] [email]", "x"], "found": [{"email": 2, "order": 1}, {}]}
    kinds = {kind["kind"]: kind for kind in report["kinds"]}
    assert kinds["email"]["doors"] == {"loki_push": 2, "lines": 1}
    assert kinds["order"] | {"in_traces": 0} == {
        "kind": "order",
        "action": "mask",
        "in_logs": 1,
        "in_traces": 0,
        "doors": {"lines": 1},
        "expression": "ORD-([0-9]+)",
    }
    assert (kinds["phone"]["action"], kinds["phone"]["expression"]) == ("keep", None)
