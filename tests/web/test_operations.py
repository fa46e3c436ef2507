"""Liveness, readiness and metrics, as orchestrators and Prometheus ask for them."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from holdfast import web
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import DeniedError, UnavailableError
from holdfast.kernel.wiring import Readiness, Wiring
from holdfast.web import operations


def room(check):
    return Wiring("store", readiness=(Readiness("columns", check),))


async def fine():
    pass


async def test_a_live_process_says_ok(build_front, visit):
    answer = await visit(build_front()).get("/livez")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_ready_process_says_so_room_by_room(build_front, visit):
    client = visit(build_front(wiring=room(fine)))
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert [(each["room"], each["name"], each["ready"]) for each in answer.json()["conditions"]] == [
        ("store", "columns", True)
    ]
    assert (await client.get("/readyz?verbose")).text == "[+]store/columns ok\nready\n"
    assert (await client.get("/readyz", headers={"accept": "text/plain"})).text.endswith("ready\n")


async def test_one_that_is_not_says_what_is_missing(build_front, visit):
    async def broken():
        raise UnavailableError("the store does not answer", hint="is it running?")

    client = visit(build_front(wiring=room(broken)))
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["conditions"][0]["message"] == "the store does not answer (is it running?)"
    assert (await client.get("/readyz?verbose")).text.startswith("[-]store/columns the store does not answer")


async def test_a_check_that_hangs_is_not_ready(build_front, visit, monkeypatch):
    monkeypatch.setattr(operations, "CHECK_TIMEOUT_S", 0.05)
    client = visit(build_front(wiring=room(asyncio.Event().wait)))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "no answer within" in answer.json()["conditions"][0]["message"]


async def test_the_rooms_are_not_asked_more_than_once_a_second(build_front, visit):
    asked = []

    async def count():
        asked.append(1)

    client = visit(build_front(wiring=room(count)))
    await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert len(asked) == 1


async def test_metrics_are_in_the_format_that_is_asked_for(build_front, visit):
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(3)
    client = visit(build_front(registry=registry))
    text = await client.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(text.text)}
    assert families["things"].samples[0].value == 3
    opened = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert opened.headers["content-type"].startswith("application/openmetrics-text")
    assert opened.text.endswith("# EOF\n")


async def test_metrics_can_be_kept_from_strangers(build_front, visit):
    class Closed(OpenGate):
        async def admit(self, request, permission):
            raise DeniedError(f"this needs {permission}")

    client = visit(build_front(gate=Closed(), settings=web.WebSettings(public_metrics=False)))
    answer = await client.get("/metrics")
    assert (answer.status_code, answer.json()["detail"]) == (403, "this needs web.metrics")
    assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_they_are_not_cached(build_front, visit, path):
    assert (await visit(build_front()).get(path)).headers["cache-control"] == "no-store"
