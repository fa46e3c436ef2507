from __future__ import annotations

from pathlib import Path
from typing import Any


async def test_a_subquery_without_a_step_takes_the_evaluation_interval_in_force(running: Any, ops: Path) -> None:
    async with running() as client:

        async def steps_a_minute() -> str:
            asked = {"query": "count_over_time(vector(1)[1m:])", "time": "1700000005"}
            answer = (await client.get("/prometheus/api/v1/query", params=asked)).json()
            (row,) = answer["data"]["result"]
            return str(row["value"][1])

        assert await steps_a_minute() == "1"
        for interval, steps in (("15s", "4"), ("10s", "6"), ("0s", "1")):
            (ops / "prometheus.yml").write_text(f"global:\n  evaluation_interval: {interval}\n")
            assert (await client.post("/api/v1/reload")).status_code == 200
            assert await steps_a_minute() == steps
