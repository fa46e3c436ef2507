"""The real app holds senders of logs to their limits, tells them as their protocol can, and shows what it left out."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

OTLP = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeLogs": [{"logRecords": [{"body": {"stringValue": "hello"}}]}],
        }
    ]
}


def pushed(service: str, *lines: str) -> dict[str, Any]:
    now = time.time_ns()
    values = [[str(now + number), line] for number, line in enumerate(lines)]
    return {"streams": [{"stream": {"service_name": service}, "values": values}]}


async def test_a_loud_tenant_gets_429_with_retry_after(running: Any) -> None:
    began = datetime.now(UTC)
    async with running(log_limits={"lines_per_s": 0.001, "burst": "1s"}) as client:
        first = await client.post("/loki/api/v1/push", json=pushed("shop", "a", "b"))
        assert first.status_code == 204
        for path, document in (("/loki/api/v1/push", pushed("shop", "c")), ("/v1/logs", OTLP)):
            answer = await client.post(path, content=json.dumps(document), headers={"content-type": "application/json"})
            assert answer.status_code == 429, answer.text
            assert int(answer.headers["retry-after"]) > 1000
            assert "log_limits" in answer.text
        limits = (await client.get("/api/v1/logs/limits")).json()
        assert began <= datetime.fromisoformat(limits.pop("since")) <= datetime.now(UTC)
        assert limits == {"lines_per_s": 0.001, "bytes_per_s": 0, "dropped": {"put_off": 2}, "streams": []}


async def test_what_a_stream_loses_is_told_and_shown(running: Any) -> None:
    rules = {"streams": [{"match": '{service_name="shop"}', "max_line": "5B"}]}
    sampling = [{"match": '{service_name="chatty"}', "keep_one_in": 1_000_000_000}]
    async with running(log_limits={**rules, "sampling": sampling}) as client:
        answer = await client.post("/loki/api/v1/push", json=pushed("shop", "short", "much longer"))
        assert answer.status_code == 400
        assert "line_too_long" in answer.text or "longer" in answer.text
        assert (await client.post("/loki/api/v1/push", json=pushed("chatty", "a", "b"))).status_code == 204
        limits = (await client.get("/api/v1/logs/limits")).json()
        assert limits["dropped"] == {"line_too_long": 1, "sampled": 2}
        assert limits["streams"][0] == {"labels": {"service_name": "chatty"}, "records": 2}
        metrics = (await client.get("/metrics")).text
        assert 'holdfast_log_limits_dropped_total{reason="sampled",tenant="default"} 2.0' in metrics
