"""The real app keeps what a cell of an investigation showed: series, lines and spans, also as Markdown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

TRACE = "5b8efff798038103d269b633813fc60c"


@pytest.fixture
def began() -> datetime:
    """When the service of these tests began, a few minutes ago."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


def ns(at: datetime) -> str:
    return f"{int(at.timestamp())}000000000"


async def send(client: Any, began: datetime) -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "bank"}}]}
    points = [{"timeUnixNano": ns(began + timedelta(seconds=n * 15)), "asDouble": n} for n in range(10)]
    lines = [
        {"timeUnixNano": ns(began + timedelta(seconds=n)), "severityText": "WARN", "body": {"stringValue": f"slow {n}"}}
        for n in range(5)
    ]
    span = {
        "traceId": TRACE,
        "spanId": "00000000000000a1",
        "name": "POST /charge",
        "kind": 2,
        "startTimeUnixNano": ns(began),
        "endTimeUnixNano": ns(began + timedelta(seconds=2)),
        "status": {"code": 2, "message": "refused"},
    }
    for signal, body in (
        ("metrics", {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [gauge(points)]}]}]}),
        ("logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": lines}]}]}),
        ("traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}),
    ):
        answer = await client.post(f"/v1/{signal}", json=body)
        assert answer.status_code == 200, answer.text


def gauge(points: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "queue_length", "gauge": {"dataPoints": points}}


async def add(client: Any, page: str, kind: str, **content: Any) -> dict[str, Any]:
    answer = await client.post(f"{page}/cells", json={"kind": kind, "content": content})
    assert answer.status_code == 201, answer.text
    cell: dict[str, Any] = answer.json()
    return cell


async def test_evidence_is_kept_and_exported(running, began) -> None:
    async with running() as client:
        await send(client, began)
        time = {"start": began.isoformat(), "end": (began + timedelta(minutes=2)).isoformat()}
        made = (await client.post("/api/v1/investigations", json={"title": "Slow bank"})).json()
        page = f"/api/v1/investigations/{made['id']}"

        graph = await add(client, page, "metrics", queries=["queue_length"], **time)
        (series,) = graph["evidence"]["data"]["series"]
        assert series["labels"]["__name__"] == "queue_length"
        assert max(value for value in series["values"] if value is not None) == 8
        found = await add(client, page, "logs", queries=['{service_name="bank"} |= "slow"'], **time)
        assert [line["text"] for line in found["evidence"]["data"]["lines"]] == [f"slow {n}" for n in (4, 3, 2, 1, 0)]
        counted = await add(client, page, "logs", queries=['sum(count_over_time({service_name="bank"}[1m]))'], **time)
        counts = counted["evidence"]["data"]["series"][0]["values"]
        assert max(count for count in counts if count is not None) == 5
        trace = await add(client, page, "trace", trace_id=TRACE)
        assert trace["evidence"]["data"]["names"] == ["POST /charge"]
        assert trace["evidence"]["data"]["errors"] == 1
        wrong = await add(client, page, "metrics", queries=["rate("], **time)
        assert "parse error" in wrong["evidence"]["problem"]
        missing = await add(client, page, "trace", trace_id="ab")
        assert "no trace ab" in missing["evidence"]["problem"]
        finding = {"service": "bank", "lane": "logs", "reason": "It rose.", "moved_at": began.isoformat()}
        await add(client, page, "finding", finding={**finding, "curve": [1, 1, None, 9]})
        await add(client, page, "note", title="So what", text="It was the *bank*.")

        remark = {**found["content"], "text": "See the last one."}
        changed = await client.put(f"{page}/cells/{found['id']}", json={"content": remark, "version": 1})
        assert changed.json()["evidence"] == found["evidence"]

        text = (await client.get(f"{page}/export")).text
        for piece in (
            "# Slow bank",
            "```promql\nqueue_length\n```",
            "slow 4",
            "See the last one.",
            "bank: POST /charge  2000 ms failed",
            "Nothing was kept: 1:6: parse error",
            "It was the *bank*.",
            "▁▁·█",
        ):
            assert piece in text
        assert len((await client.get(page)).json()["cells"]) == 8
    async with running() as client:
        assert (await client.get(page)).json()["cells"][0]["evidence"] == graph["evidence"]
