"""`holdfast usage` and `holdfast storage` as tables and as JSON, from answers of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import cli
from holdfast.cli.remote import Remote

USE = {
    "records": 2,
    "bytes": 26,
    "disk_bytes": 900,
    "spans": 1,
    "span_disk_bytes": 124,
    "read_records": 2,
    "read_bytes": 2048,
    "cost": 0.25,
}
USAGE = {
    "currency": "USD",
    "signals": [{"signal": "logs", "disk_bytes": 2048, "all_disk_bytes": 4096}],
    "services": [{"labels": {"service_name": "shop"}, **USE}],
    "streams": [{"labels": {"env": "dev", "service_name": "shop"}, **USE, "cost": None}],
    "readers": [{"reader": "ann", "records": 1500, "bytes": 2048}],
    "limits": [
        {"name": "Log streams", "setting": "logs.max_streams", "used": 3, "limit": 100, "unit": "streams"},
        {"name": "Logs on the disk", "setting": "logs.max_size", "used": 1024, "limit": 0, "unit": "bytes"},
    ],
    "dropped": {"sampled": 1234},
}
NONE = {"records": 0, "bytes": 0, "requests": 0}
SENT = {"records": 3000, "bytes": 4096, "requests": 2}
INTAKE = {
    "start": "2026-01-05T10:00:00Z",
    "end": "2026-01-06T10:00:00Z",
    "hours": [{"hour": "2026-01-05T10:00:00Z", "signal": "logs", "stored": SENT, "dropped": {**NONE, "records": 1234}}],
    "services": [{"service": "shop", "team": "payments", "signal": "logs", "stored": SENT, "dropped": NONE}],
    "services_total": 1,
    "drops": [
        {
            "signal": "logs",
            "service": service,
            "reason": "sampled",
            "meaning": "Left out on purpose.",
            "fix": "Keep more.",
            "settings": ["log_limits.sampling"],
            "amount": {"records": records, "bytes": 0, "requests": 1},
        }
        for service, records in (("shop", 1200), ("", 34))
    ],
}
STORAGE = {
    "disk_free_bytes": 1 << 30,
    "disk_bytes": 1 << 31,
    "tables": [
        {"table": "log_records", "rows": 2000, "size_bytes": 1024, "parts": 3, "oldest": "2026-01-05T10:00:00Z"},
        {"table": "trace_spans", "rows": 0, "size_bytes": 0, "parts": 0, "oldest": None},
    ],
    "retention": [
        {"signal": "logs", "tenant": "", "match": '{env="dev"}', "keep_s": 604800.0, "setting": "logs.keep[0]"}
    ],
}


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command; the API answers from the documents above."""
    asked: list[Any] = []

    def call(self: Remote, method: str, path: str, **given: Any) -> Any:
        asked.append((method, path, given.get("query")))
        return {"/usage": USAGE, "/usage/intake": INTAKE, "/storage": STORAGE}[path]

    monkeypatch.setattr(Remote, "call", call)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[str, Any]:
        answer = CliRunner().invoke(cli, [*arguments])
        assert answer.exit_code == 0, answer.output
        return answer.output, asked[-1]

    return run


def test_usage_is_a_table_of_each_part(say: Any) -> None:
    output, (_, _, query) = say("usage", "--since", "7d")
    assert query["start"] == "2026-01-05"
    rows = [line.split() for line in output.splitlines()]
    assert "logs: 3,000 records, 4.0 KiB as they came, 1,234 left out" in output
    assert ["shop", "payments", "logs", "3,000", "4.0", "KiB", "0"] in rows
    assert "1,234 records of logs left out: sampled (shop, (not told))" in output
    assert "Keep more. (log_limits.sampling)" in output
    assert ["shop", "2", "26", "B", "1.0", "KiB", "2.0", "KiB", "0.2500", "USD"] in rows
    assert ["ann", "1,500", "2.0", "KiB"] in rows
    assert ["Log", "streams", "3", "100"] in rows
    assert "env=dev, service_name=shop" in output
    assert "no limit" in output


def test_usage_of_one_signal_or_team_is_what_came_in(say: Any) -> None:
    output, (_, path, query) = say("usage", "--signal", "logs", "--team", "payments")
    assert (path, query["signal"], query["team"], query["since"]) == ("/usage/intake", "logs", "payments", "24h")
    assert "reader" not in output
    assert say("usage", "--reason", "sampled")[1][2]["reason"] == "sampled"


def test_storage_is_a_table_of_tables_and_of_rules(say: Any) -> None:
    output, _ = say("storage")
    assert "2026-01-05" in output
    assert "trace_spans" not in output
    assert ["logs", "every", '{env="dev"}', "7", "d", "logs.keep[0]"] in [line.split() for line in output.splitlines()]


@pytest.mark.parametrize(("command", "document"), [("usage", {"intake": INTAKE, "kept": USAGE}), ("storage", STORAGE)])
def test_both_as_json(say: Any, command: str, document: Any) -> None:
    assert json.loads(say(command, "--json")[0]) == document
