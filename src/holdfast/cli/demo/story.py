"""The stages of the demo. Each ends when the API has shown what it waits for, or fails when its time is over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from holdfast.cli.demo.children import Child
from holdfast.kernel.errors import TimedOutError, UnavailableError

BROKEN: Final = "payments"
RED: Final = "down"
HEALER: Final = "shop.heal"
CAUSE: Final = "cause"  # seen the first time only: a release that comes and goes is told once a day
_LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that must be seen.

    Attributes:
        name: its key in the JSON report.
        told: what a person reads while it is waited for.
        limit_s: how long it may take.
        act: done first, such as injecting a fault.
        seen: asks the API; a text says what is still missing, an empty one that it was seen.
    """

    name: str
    told: str
    limit_s: float
    seen: Callable[[], str]
    act: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """A stage that was seen, and how long it took from its act."""

    stage: str
    seconds: float
    detail: str


class Story:
    """Asks the API of one running Holdfast and works the levers of one running shop."""

    def __init__(self, api: httpx.Client, shop: Callable[[list[str]], list[str]], environ: Mapping[str, str]) -> None:
        self._api = api
        self._shop = shop
        self._environ = environ
        self._run_id = ""

    def stages(self) -> tuple[Stage, ...]:
        """Give the story: green, broken by a release, red, its cause, healed by a run that asks first, green."""
        return (
            Stage("ready", "Holdfast starts", 30, self._ready),
            Stage("green", "every check of the shop is up", 60, self._all_green),
            Stage("heard", f"the release that {BROKEN} runs is heard", 30, self._version_heard),
            Stage("check_red", f"a bad release of {BROKEN}; its checks turn red", 15, self._check_red, self._break),
            Stage("service_red", f"the service {BROKEN} turns red", 15, self._service_red),
            Stage("told", "the event log tells it", 5, self._event_told),
            Stage(CAUSE, "Holdfast saw the deploy by itself, and names it as a cause", 30, self._cause_named),
            Stage("asked", "a run diagnoses it and asks for approval", 15, self._is_asked, self._call_healer),
            Stage("healed", "approved: the run heals it and sees it recover", 60, self._is_healed, self._approve),
            Stage("green_again", "all is green again", 60, self._all_green),
        )

    def _get(self, path: str, **query: str | int) -> Any:
        answer = self._api.get(f"/api/v1{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def _ready(self) -> str:
        try:
            answer = self._api.get("/readyz")
        except httpx.TransportError:
            return "no answer yet"
        return "" if answer.status_code == 200 else answer.text[:300]

    def _all_green(self) -> str:
        checks = self._get("/checks", limit=1000)["items"]
        services = self._get("/services", limit=1000)["items"]
        waiting = [f"{check['name']} is {check['verdict']}" for check in checks if check["verdict"] != "up"]
        waiting += [
            f"service {service['name']} is {service['health']}"
            for service in services
            if service["health"] != "up" and sum(service["checks"].values())
        ]
        if not checks:
            return "there are no checks yet"
        return "; ".join(waiting[:6])

    def _check_red(self) -> str:
        checks = self._get("/checks", service=BROKEN)["items"]
        red = [check for check in checks if check["verdict"] == RED]
        return "" if red else "; ".join(f"{check['name']} is {check['verdict']}" for check in checks)

    def _service_red(self) -> str:
        health = str(self._get(f"/services/{BROKEN}")["health"])
        return "" if health == RED else f"service {BROKEN} is {health}"

    def _event_told(self) -> str:
        events = self._get("/events", kind="check.changed", service=BROKEN, limit=20)["items"]
        return "" if any(event["data"].get("to") == RED for event in events) else "no check.changed event yet"

    def _version_heard(self) -> str:
        return "" if self._get("/deploys", service=BROKEN)["items"] else "no release is heard yet"

    def _cause_named(self) -> str:
        found = self._get("/around", service=BROKEN)["findings"]
        return "" if any(each["title"].startswith("deploy.seen ") for each in found) else "no deploy among the causes"

    def _break(self) -> None:
        self._lever(["break", BROKEN, "--bad-release", "--latency", "800ms", "--errors", "30%"])

    def _call_healer(self) -> None:
        body = {"workflow": HEALER, "input": {"service": BROKEN}, "service": BROKEN}
        self._run_id = str(self._post("/runs", body)["run"]["id"])

    def _is_asked(self) -> str:
        waits = self._get(f"/runs/{self._run_id}")["waits"]
        return "" if any(wait["name"] == "approve" for wait in waits) else "the run does not ask yet"

    def _approve(self) -> None:
        self._post(f"/runs/{self._run_id}/signals/approve", {"payload": {"is_granted": True, "note": "go on"}})

    def _is_healed(self) -> str:
        run = self._get(f"/runs/{self._run_id}")
        if run["failure"]:
            raise UnavailableError(f"the run {run['state']}: {run['failure']['message']}")
        return "" if run["state"] == "succeeded" else f"the run is {run['state']}"

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._api.post(f"/api/v1{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def _lever(self, arguments: list[str]) -> None:
        command = [sys.executable, *self._shop(arguments)]
        done = subprocess.run(  # noqa: S603 - the shop's own command
            command, env=dict(self._environ), capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode:
            raise UnavailableError(f"shop {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")


def observe(stage: Stage, children: tuple[Child, ...]) -> Observation:
    """Act, then look until the stage is seen.

    Raises:
        TimedOutError: it was not seen in its time; the message says what was missing.
        UnavailableError: a process of the demo ended.
    """
    started = time.monotonic()
    if stage.act is not None:
        stage.act()
    missing = "not looked yet"
    while (elapsed := time.monotonic() - started) < stage.limit_s:
        try:
            missing = stage.seen()
        except httpx.HTTPError as error:
            missing = f"{type(error).__name__}: {error}"
        if not missing:
            return Observation(stage.name, round(time.monotonic() - started, 3), stage.told)
        for child in children:
            child.demand_alive()
        time.sleep(_LOOK_EVERY_S)
    raise TimedOutError(f"{stage.name} was not seen within {elapsed:.0f} s: {missing}")
