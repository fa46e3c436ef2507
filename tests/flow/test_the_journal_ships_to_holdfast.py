"""What the journal ships is stored by the real app, and found by LogQL with its service, level, ids and fields."""

from __future__ import annotations

import asyncio
import io
import time
from typing import Any

import httpx
import pytest

from holdfast import journal


@pytest.mark.usefixtures("log_set_back")
@pytest.mark.parametrize("protocol", ["json", "protobuf"])
async def test_lines_of_the_journal_are_found_by_logql(serving: Any, protocol: str) -> None:
    now_ns = time.time_ns()
    span = {"start": str(now_ns - 60 * 10**9), "end": str(now_ns + 60 * 10**9)}
    async with serving() as url:
        shipper = journal.Shipper(url, protocol=protocol, resource={"deployment.environment.name": "prod"})
        out = io.StringIO()
        told = journal.configure(service="orders", stream=out, ship=[shipper])
        with journal.bind(trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331"):
            journal.get_logger("shop.orders").error("payment_refused", order_id=7)
        await asyncio.to_thread(told.close, 10.0)
        assert shipper.shipped.refused == 0, shipper.shipped
        assert shipper.shipped.sent + shipper.dropped == len(out.getvalue().splitlines())  # the server logs on
        query = '{service_name="orders"} |= "payment_refused" | order_id="7"'
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/loki/api/v1/query_range", params={"query": query, **span})
        assert answer.status_code == 200, answer.text
        (stream,) = answer.json()["data"]["result"]
    assert stream["values"][0][1] == "payment_refused"
    assert stream["stream"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert stream["stream"]["severity_text"] == "ERROR"
