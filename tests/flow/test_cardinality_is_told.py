"""Where series come from, over HTTP and in the terminal."""

from __future__ import annotations

import httpx
from typer.testing import CliRunner

from flow.conftest import Running
from holdfast.cli import metrics as commands
from holdfast.cli.main import cli


async def test_a_server_says_where_its_series_come_from(running: Running, monkeypatch):
    async with running() as client:
        answer = await client.get("/api/v1/metrics/cardinality", params={"top": 3})
        assert answer.status_code == 200
        report = answer.json()
        assert (report["limit"], report["refused"]) == (1_000_000, {})
        assert len(report["metrics"]) <= 3
        wrong = await client.get("/api/v1/metrics/cardinality", params={"top": 0})
        assert wrong.status_code == 422
        made = await client.get("/api/v1/metrics/cardinality/makeup", params={"metric": "none"})
        assert made.json() == {"name": "none", "active": 0, "origins": [], "labels": []}
        window = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z", "step_s": 600}
        grown = await client.get("/api/v1/metrics/cardinality/growth", params=window)
        assert [one["active"] for one in grown.json()["points"]] == [0] * 7
        naive = await client.get("/api/v1/metrics/cardinality/growth", params=window | {"end": "2026-01-01T01:00:00"})
        assert naive.status_code == 422
    report |= {
        "active": 1234,
        "refused": {"series_per_tenant": 99},
        "explosions": [
            {
                "metric": "hits", "origin": "scrape:bad", "reason": "series_per_tenant",
                "refused": 99, "label": "user", "values": 98, "example": "u1",
            },
        ],
    }  # fmt: skip

    def answer_with(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, request.url.query) == ("/api/v1/metrics/cardinality", b"top=20")
        return httpx.Response(200, json=report)

    remote = commands.Remote
    monkeypatch.setattr(commands, "Remote", lambda url: remote(url, transport=httpx.MockTransport(answer_with)))
    drawn = CliRunner().invoke(cli, ["metrics", "cardinality"]).output
    assert "1,234 active series" in drawn
    assert "label user has at least about 98 values" in " ".join(drawn.split())
    assert '"hits"' in CliRunner().invoke(cli, ["metrics", "cardinality", "--json"]).output
