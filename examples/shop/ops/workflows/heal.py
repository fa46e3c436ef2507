"""What the shop's people do when a service complains: look, ask somebody, take the fault off, look again.

`shop.heal` does it for one service; `shop.patrol` walks past all of them every minute and starts it where it is needed.
Read it as a model: each step that changes the world carries an undo and a plan, and none of them may run twice unseen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from holdfast.kernel.runs import (
    Change,
    Plan,
    Queue,
    Run,
    Schedule,
    SignalTimedOutError,
    StepContext,
    StepRetry,
    workflow,
)

PORTS = {"gateway": 7000, "catalog": 7001, "orders": 7002, "inventory": 7013, "payments": 7004, "notifier": 7005}
ASKING = StepRetry(attempts=3, base_s=0.2, cap_s=1.0, on=(httpx.TransportError,))
RECOVERING = StepRetry(attempts=20, base_s=0.5, cap_s=3.0, on=(RuntimeError, httpx.TransportError))


@dataclass(frozen=True)
class Patient:
    """A service of the shop, and whether somebody must agree before it is touched."""

    service: str
    ask_first: bool = True


@dataclass(frozen=True)
class Approval:
    """What the person on call answers."""

    is_granted: bool
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """How it went, in words."""

    healed: bool
    told: str


hands = Queue("shop-hands", concurrency=2, per_key=1, while_waiting="frees")


@workflow("shop.heal", version=1, queue="shop-hands", timeout="15m", events="all")
async def heal(ctx: Run, patient: Patient) -> Outcome:
    """Diagnose a service, ask for approval, take its fault off, see that it recovers; put the fault back if not."""
    found = await ctx.step("diagnose", diagnose, patient.service, retry=ASKING, timeout="10s", read_only=True)
    if not found["fault"]:
        return Outcome(healed=False, told=f"{patient.service} has no fault to take off: {found['status']}")
    ctx.log("diagnosed", **found["fault"])
    if patient.ask_first and not ctx.is_dry_run:
        try:
            approval = await ctx.signal("approve", type=Approval, timeout="2m")
        except SignalTimedOutError:
            return Outcome(healed=False, told="nobody approved it within two minutes")
        if not approval.is_granted:
            return Outcome(healed=False, told=f"refused: {approval.note}")
    await ctx.step(
        "take-off",
        take_off,
        patient.service,
        found["fault"],
        retry=ASKING,
        timeout="10s",
        compensate=put_back,
        dry_run=plan_take_off,
    )
    await ctx.step("recovered", see_recovery, patient.service, retry=RECOVERING, timeout="10s", dry_run=plan_look)
    return Outcome(healed=True, told=f"{patient.service} is ready again")


@workflow("shop.patrol", version=1, timeout="10m")
async def patrol(ctx: Run) -> dict[str, str]:
    """Ask every service how it is; for each that has a fault, have `shop.heal` ask for approval."""
    found = await ctx.map("ask", diagnose, list(PORTS), concurrency=3, on_error="collect", read_only=True)
    sick = [each["service"] for each in found if isinstance(each, dict) and each["fault"]]
    for service in sick:
        await ctx.child(f"heal {service}", heal, Patient(service))
    return {each["service"]: each["status"] for each in found if isinstance(each, dict)}


rounds = Schedule("shop-patrol", "shop.patrol", every="1m", overlap="skip")


async def diagnose(service: str) -> dict[str, Any]:
    """Give a service's readiness and its fault."""
    async with _shop(service) as shop:
        ready = (await shop.get("/readyz")).json()
        fault = (await shop.get("/admin/fault")).raise_for_status().json()
    return {"service": service, "status": ready["status"], "fault": {kind: fault[kind] for kind in fault["kinds"]}}


async def take_off(service: str, _fault: dict[str, Any], *, step: StepContext) -> str:
    """Take the fault off. Doing it twice does no harm, so that no idempotency key has to be sent."""
    async with _shop(service) as shop:
        (await shop.delete("/admin/fault")).raise_for_status()
    step.log("taken off")
    return "taken off"


async def put_back(service: str, fault: dict[str, Any]) -> None:
    """Undo it: break the service as it was broken, because what was done did not help."""
    async with _shop(service) as shop:
        (await shop.put("/admin/fault", json=fault)).raise_for_status()


async def see_recovery(service: str) -> str:
    """Raise as long as the service is not ready."""
    found = await diagnose(service)
    if found["status"] != "ok":
        raise RuntimeError(f"{service} is {found['status']}")
    return str(found["status"])


def plan_take_off(service: str, fault: dict[str, Any]) -> Change:
    """Say what `take_off` would change."""
    return Change(f"fault of {service}", "take off", before=fault, after={})


def plan_look(service: str) -> Plan:
    """Say that looking changes nothing."""
    return Plan(note=f"look whether {service} is ready again")


def _shop(service: str) -> httpx.AsyncClient:
    """Open a client of a service; the token of its levers stands in the shop's data folder."""
    token = (Path(os.environ.get("SHOP_DATA", ".shop")) / "admin.token").read_text().strip()
    url = os.environ.get(f"SHOP_{service.upper()}_URL", f"http://127.0.0.1:{PORTS[service]}")
    return httpx.AsyncClient(base_url=url, headers={"X-Shop-Admin": token}, timeout=5.0)
