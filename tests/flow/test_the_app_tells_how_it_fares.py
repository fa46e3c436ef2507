"""Status, readiness, reload and the live stream of the real app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


async def test_the_status_tells_version_readiness_and_memory(running: Any) -> None:
    async with running() as client:
        status = (await client.get("/api/v1/status")).json()
        assert status["ready"] is True
        assert status["unready"] == {}
        assert status["resident_bytes"] > 0
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/livez")).text == "ok\n"


async def test_a_reload_with_faults_tells_all_of_them_and_changes_nothing(running: Any, ops: Path) -> None:
    (ops / "checks").mkdir()
    good = "checks:\n  - {name: a, kind: tcp, every: 1h, tcp: {host: 127.0.0.1, port: 1}}\n"
    (ops / "checks" / "a.yaml").write_text(good)
    async with running() as client:
        (ops / "checks" / "a.yaml").write_text(good.replace("every", "evry"))
        (ops / "checks" / "b.yaml").write_text("checks: 3\n")
        answer = await client.post("/api/v1/reload")
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["code"] == "config_invalid"
        assert {fault["place"]["file"] for fault in problem["problems"]} == {"checks/a.yaml", "checks/b.yaml"}
        assert problem["problems"][0]["place"]["line"] == 2
        names = [check["name"] for check in (await client.get("/api/v1/checks")).json()["items"]]
        assert names == ["a"]
        (ops / "checks" / "b.yaml").unlink()
        (ops / "checks" / "a.yaml").write_text(good.replace("name: a", "name: b"))
        assert (await client.post("/api/v1/reload")).status_code == 200
        names = [check["name"] for check in (await client.get("/api/v1/checks")).json()["items"]]
        assert names == ["b"]


async def test_a_refused_reload_is_told_as_prometheus_tells_it_and_by_a_metric(running: Any, ops: Path) -> None:
    (ops / "prometheus.yml").write_text("scrape_configs: []\n")
    async with running() as client:

        async def told() -> tuple[bool, str, float]:
            info = (await client.get("/prometheus/api/v1/status/runtimeinfo")).json()["data"]
            page = (await client.get("/metrics")).text.splitlines()
            (line,) = (line for line in page if line.startswith("holdfast_ops_last_load_successful "))
            return info["reloadConfigSuccess"], info["lastConfigTime"], float(line.split()[1])

        good, since, value = await told()
        assert (good, value) == (True, 1.0)
        (ops / "prometheus.yml").write_text("scrape_confixs: []\n")
        assert (await client.post("/api/v1/reload")).status_code == 422
        assert await told() == (False, since, 0.0)
        (ops / "prometheus.yml").write_text("scrape_configs: []\n")
        assert (await client.post("/api/v1/reload")).status_code == 200
        good, newer, value = await told()
        assert (good, value) == (True, 1.0)
        assert newer > since


async def test_a_full_disk_answers_507_and_writing_resumes_by_itself(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running() as client:

        class Full:
            f_bavail = 0
            f_frsize = 4096

        with monkeypatch.context() as patch:
            patch.setattr("holdfast.kernel.sql.sqlite.os.statvfs", lambda path: Full())
            patch.setattr("holdfast.kernel.sql.sqlite._SPACE_CHECK_S", 0.0)
            answer = await client.post("/api/v1/reload")
            assert answer.status_code == 507
            assert answer.json()["code"] == "storage_full"
            assert "resumes by itself" in answer.json()["hint"]
            assert (await client.get("/api/v1/events")).status_code == 200
        assert (await client.post("/api/v1/reload")).status_code == 200
