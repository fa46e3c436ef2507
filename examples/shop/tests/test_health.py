"""Readiness: each dependency by name, the worst decides, nobody waits for ever."""

import asyncio

import pytest
from shop_harness import running
from starlette.applications import Starlette

from shop.chassis import Degraded, Dependency, Health, OutcomeWindow, Service, Status
from shop.chassis import health as health_module
from shop.settings import Settings


async def fine() -> None:
    pass


async def limping() -> None:
    raise Degraded("it limps")


async def broken() -> None:
    raise ConnectionRefusedError("nobody there")


@pytest.mark.parametrize(
    ("dependencies", "worst"),
    [
        ([], Status.OK),
        ([Dependency("a", fine)], Status.OK),
        ([Dependency("a", fine), Dependency("b", limping)], Status.DEGRADED),
        ([Dependency("a", broken), Dependency("b", limping)], Status.FAILING),
        ([Dependency("a", broken, is_required=False)], Status.DEGRADED),
    ],
)
async def test_the_worst_dependency_decides(dependencies: list[Dependency], worst: Status) -> None:
    health = Health()
    for dependency in dependencies:
        health.add(dependency)
    status, findings = await health.probe()
    assert status is worst
    assert set(findings) == {dependency.name for dependency in dependencies}


async def test_a_slow_answer_is_degraded_and_no_answer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "PROBE_TIMEOUT_S", 0.05)
    health = Health()
    health.add(Dependency("slow", lambda: asyncio.sleep(0.01), slow_s=0.001))
    health.add(Dependency("silent", lambda: asyncio.sleep(60)))
    _, findings = await health.probe()
    assert findings["slow"].status is Status.DEGRADED
    assert findings["silent"].status is Status.FAILING
    assert findings["silent"].detail.startswith("no answer within")


async def test_many_watchers_cost_one_probe() -> None:
    asked = 0

    async def count() -> None:
        nonlocal asked
        asked += 1

    health = Health()
    health.add(Dependency("a", count))
    await asyncio.gather(*(health.probe() for _ in range(20)))
    assert asked == 1


async def test_a_service_answers_503_only_when_it_fails(settings: Settings) -> None:
    service = Service("bare", settings)
    app = service.dress(Starlette())
    service.health.add(Dependency("mail", limping))
    async with running(app) as client:
        assert (await client.get("/livez")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["checks"]["mail"]["detail"] == "it limps"
    service = Service("bare", settings)
    app = service.dress(Starlette())
    service.health.add(Dependency("database", broken))
    async with running(app) as client:
        failing = await client.get("/readyz")
        assert (failing.status_code, failing.json()["status"]) == (503, "failing")
        assert "ConnectionRefusedError" in failing.json()["checks"]["database"]["detail"]
        assert (await client.get("/livez")).status_code == 200


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_outcomes_are_judged_over_the_latest_seconds_only() -> None:
    clock = Clock()
    window = OutcomeWindow("calls failed", seconds=10, clock=clock)
    await window.probe()
    window.record(is_failure=True)
    await window.probe()  # one failure alone proves nothing
    for is_failure in (True, *[False] * 18):
        window.record(is_failure=is_failure)
    with pytest.raises(Degraded, match="2 of 20 calls failed in 10 s"):
        await window.probe()
    for _ in range(20):
        window.record(is_failure=True)
    with pytest.raises(RuntimeError, match="22 of 40"):
        await window.probe()
    clock.now += 11
    await window.probe()
