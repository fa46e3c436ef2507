"""Faults: bounded, real, over when they should be, and only for those who know the token."""

import threading
import time
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError
from shop_harness import eventually, running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shop.chassis import FaultPlan, Faults, InjectedError, Problem, Service, releases
from shop.chassis.effects import LEAK_LIMIT_BYTES, burn_cpu, leak_memory
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, Settings
from shop.storage import Database


def plan(**fields) -> FaultPlan:
    return FaultPlan(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"cpu": 0.99},
        {"latency_s": 31},
        {"errors": 1.1},
        {"leak_bytes_per_s": 1 << 30},
        {"for_s": 3601},
        {"for_s": 0},
        {"latency_s": -1},
        {"latencys": 1},
    ],
)
def test_a_fault_beyond_its_bounds_cannot_be_said(fields) -> None:
    with pytest.raises(ValidationError):
        plan(**fields)


async def test_errors_hit_their_share_of_calls() -> None:
    faults = Faults()
    await faults.apply(plan(errors=0.5))
    failed = 0
    for _ in range(400):
        try:
            await faults.strike()
        except InjectedError:
            failed += 1
    assert 120 < failed < 280
    await faults.heal()
    await faults.strike()


async def test_latency_is_felt() -> None:
    faults = Faults()
    await faults.apply(plan(latency_s=0.05))
    began = time.perf_counter()
    await faults.strike()
    assert time.perf_counter() - began > 0.04
    await faults.heal()


async def test_a_fault_heals_by_itself() -> None:
    faults = Faults()
    await faults.apply(plan(errors=1, for_s=0.01))
    assert faults.remaining_s() > 0
    await eventually(lambda: not faults.plan.kinds())
    assert faults.remaining_s() == 0
    await faults.strike()


async def test_a_new_fault_replaces_the_old_one_and_its_time() -> None:
    faults = Faults()
    await faults.apply(plan(errors=1, for_s=10))
    await faults.apply(plan(latency_s=0.001, for_s=100))
    assert faults.plan.kinds() == ["latency_s"]
    assert faults.remaining_s() > 50
    await faults.strike()
    await faults.heal()


async def test_what_a_service_does_not_have_cannot_break() -> None:
    faults = Faults()
    with pytest.raises(Problem, match="pool_exhaust"):
        await faults.apply(plan(pool_exhaust=True))
    faults.add_dependency("catalog")
    with pytest.raises(Problem) as refused:
        await faults.apply(plan(dead_dependency="nobody"))
    assert refused.value.hint == "It has: catalog."
    assert faults.plan.kinds() == []


async def test_any_dependency_is_another_service_before_the_own_database() -> None:
    faults = Faults()
    faults.add_dependency("database")
    faults.add_dependency("catalog")
    await faults.apply(plan(dead_dependency="any"))
    assert faults.is_dead("catalog")
    assert not faults.is_dead("database")
    await faults.heal()


async def test_a_cpu_fault_burns_and_stops() -> None:
    async with burn_cpu(plan(cpu=0.8)):
        before = time.process_time()
        await eventually(lambda: time.process_time() - before > 0.1)
    assert "fault-cpu" not in {thread.name for thread in threading.enumerate()}


async def test_a_leak_takes_resident_memory_and_gives_it_back() -> None:
    before = resident_bytes()
    async with leak_memory(plan(leak_bytes_per_s=64 << 20)):
        await eventually(lambda: resident_bytes() - before > 24 << 20)
        most = resident_bytes()
        assert most - before < LEAK_LIMIT_BYTES
    await eventually(lambda: most - resident_bytes() > 12 << 20)  # others of the process may have grown meanwhile


async def test_an_exhausted_pool_says_so_and_recovers(any_settings: Settings) -> None:
    faults = Faults()
    database = Database.open(any_settings, "orders", faults)
    await database.ping()
    await faults.apply(plan(pool_exhaust=True))
    with pytest.raises(Problem, match="All 5 database connections were busy"):
        await database.ping()
    await faults.heal()
    await database.ping()
    await database.close()


async def test_only_who_knows_the_token_may_break(settings: Settings) -> None:
    service, app = bare_service(settings)
    token = (settings.data / ADMIN_TOKEN_FILE).read_text()
    assert (settings.data / ADMIN_TOKEN_FILE).stat().st_mode & 0o077 == 0
    async with running(app) as client:
        body = {"errors": 1}
        for headers in ({}, {ADMIN_TOKEN_HEADER: "guess"}, {ADMIN_TOKEN_HEADER: ""}):
            refused = await client.put("/admin/fault", json=body, headers=headers)
            assert refused.status_code == 403
            assert refused.json()["code"] == "wrong-token"
        good = {ADMIN_TOKEN_HEADER: token}
        assert (await client.put("/admin/fault", json=body, headers=good)).json()["kinds"] == ["errors"]
        assert (await client.get("/")).status_code == 500
        assert (await client.get("/admin/fault", headers=good)).json()["remaining_s"] > 0
        assert (await client.delete("/admin/fault", headers=good)).json()["kinds"] == []
        assert (await client.get("/")).status_code == 200
    assert service.faults.plan.kinds() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"errors": 7}', b'{"unknown": 1}'])
async def test_a_fault_that_makes_no_sense_is_refused(settings: Settings, body: bytes) -> None:
    _, app = bare_service(settings)
    token = (settings.data / ADMIN_TOKEN_FILE).read_text()
    async with running(app) as client:
        refused = await client.put("/admin/fault", content=body, headers={ADMIN_TOKEN_HEADER: token})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-fault")
        huge = await client.put("/admin/fault", content=b" " * 5000, headers={ADMIN_TOKEN_HEADER: token})
        assert huge.status_code == 413


async def test_a_bad_release_names_itself_and_fails_some_requests(settings: Settings) -> None:
    service, app = bare_service(settings)
    await service.faults.apply(plan(bad_release=True))
    async with running(app) as client:
        statuses = [(await client.get("/")).status_code for _ in range(60)]
        assert {200, 500} == set(statuses)
        ready = (await client.get("/readyz")).json()
        assert ready["release"] == "1.0.0+bad"
        assert ready["checks"]["requests"]["status"] != "ok"
        assert 'release="1.0.0+bad"' in (await client.get("/metrics")).text
        await service.faults.heal()
        metrics = (await client.get("/metrics")).text
        assert 'shop_build_info{release="1.0.0",service="bare"} 1.0' in metrics
        assert "+bad" not in metrics


async def test_spans_tell_the_release_that_runs(settings: Settings) -> None:
    service, _ = bare_service(settings)
    releases.running.name = "1.0.0"
    tracers, exporter = releases.ReleasedTracers(Resource({"service.name": "bare"})), InMemorySpanExporter()
    tracers.processor.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = tracers.get_tracer("test")
    with tracer.start_as_current_span("before") as span:
        await service.faults.apply(plan(bad_release=True))
        tracer.start_span("during").end()
        assert trace.get_current_span() is span
    await service.faults.heal()
    tracer.start_span("after").end()
    told = {span.name: span.resource.attributes["service.version"] for span in exporter.get_finished_spans()}
    assert told == {"before": "1.0.0", "during": "1.0.0+bad", "after": "1.0.0"}


def bare_service(settings: Settings):
    async def answer(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("fine")

    service = Service("bare", settings)
    return service, service.dress(Starlette(routes=[Route("/", answer)]))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
