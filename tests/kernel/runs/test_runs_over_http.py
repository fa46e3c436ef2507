"""Runs as the API shows and steers them: the room behind the real HTTP front, on each database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry

from fixtures.engines_of_runs import until
from holdfast.kernel import runs as durable
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.blobs import Blobs, MemoryStore
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.events import Event, EventLog
from holdfast.kernel.http import SECTION as OUTBOUND
from holdfast.kernel.http import OutboundHttp, OutboundSettings
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.ops import prepare_all
from holdfast.kernel.runs import Change, Run, StepContext, StepRetry, workflow
from holdfast.kernel.secrets import Secrets
from holdfast.kernel.settings import load
from holdfast.kernel.sql import SECTION as DATABASE
from holdfast.kernel.sql import Database
from holdfast.kernel.wiring import Ground
from holdfast.web import build_app

TRIES: list[str] = []
GREET = '''
from holdfast.kernel.runs import Run, workflow

@workflow("ops.greet", version=3)
async def greet(ctx: Run, name: str) -> str:
    """Say hello."""
    return name
'''
ASK = """
from holdfast.kernel.runs import Run, workflow

async def look() -> None:
    pass

@workflow("ops.ask")
async def ask(ctx: Run) -> str:
    await ctx.step("look", look)
    return await ctx.signal("go", type=str)
"""


async def charge(order: dict[str, Any], *, step: StepContext) -> str:
    step.log("charging", cents=order["cents"])
    TRIES.append(order["id"])
    if TRIES.count(order["id"]) <= order.get("failures", 0):
        raise ConnectionError("the provider fell silent")
    return f"receipt-{order['id']}"


async def give_back(order: dict[str, Any]) -> None:
    TRIES.append(f"back {order['id']}")


def plan_charge(order: dict[str, Any]) -> Change:
    return Change(f"card of {order['id']}", "charge", before=0, after=order["cents"])


async def ship(order: dict[str, Any]) -> None:
    if order.get("lost"):
        raise ValueError("the parcel is lost")


async def double(number: int) -> int:
    if number == 13:
        raise ValueError("13 is not doubled")
    return 2 * number


@workflow("shop.order", version=2, events="all")
async def order(ctx: Run, order: dict[str, Any]) -> str:
    """Charge, ask, ship."""
    ctx.query("progress", lambda: {"charged": order["id"] in TRIES})
    receipt: str = await ctx.step(
        "charge", charge, order, retry=StepRetry(attempts=3, base_s=0.0), compensate=give_back, dry_run=plan_charge
    )
    if order.get("ask"):
        await ctx.signal("approve", type=dict)
    await ctx.step("ship", ship, order, read_only=True)
    return receipt


@workflow("shop.many", version=1)
async def many(ctx: Run, count: int) -> int:
    """Double many numbers."""
    return len(await ctx.map("double", double, range(count), on_error="collect"))


async def hold_one(number: int, *, ctx: Run) -> None:
    if number:
        await ctx.signal("go")


@workflow("shop.hold", version=1)
async def hold(ctx: Run, count: int) -> None:
    """Wait in all items of a fan-out but the first."""
    await ctx.step("begin", double, 1)
    await ctx.map("each", hold_one, range(count))


class Room:
    """The room and a client of its API."""

    def __init__(self, room: durable.RunsRoom, ground: Ground) -> None:
        self.room, self.ground = room, ground
        self.app = build_app([room.wiring], gate=OpenGate(), registry=ground.metrics)
        transport = httpx.ASGITransport(self.app)
        headers = {"Origin": "http://test"}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers)

    async def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int = 202) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def start(self, workflow: str, given: Any, *, status: int = 201, **fields: Any) -> str:
        made = await self.post("/runs", {"workflow": workflow, "input": given, **fields}, status=status)
        return str(made["run"]["id"])

    async def until_state(self, run_id: str, *states: str) -> Any:
        async def look() -> Any:
            run = await self.get(f"/runs/{run_id}")
            return run if run["state"] in states else None

        return await until(look)

    async def kinds(self) -> list[tuple[str, str]]:
        return [(event.kind, event.actor) for event in await self.events()]

    async def events(self) -> list[Event]:
        return await self.ground.events.read(DEFAULT_TENANT, after=0)


@asynccontextmanager
async def open_room(db: Database, url: str, *, is_working: bool = True) -> AsyncIterator[Room]:
    registry, clock = CollectorRegistry(), SystemClock()
    settings = load(
        [durable.SECTION, OUTBOUND, DATABASE], environ={}, overrides={"database": {"url": url}, "runs": {"poll": "1s"}}
    )
    secrets = Secrets.standard({}, clock)
    http = OutboundHttp(settings[OutboundSettings], secrets.redactor, registry=registry)
    ground = Ground(settings, clock, db, EventLog(db, clock), secrets, http, registry, Blobs(MemoryStore()))
    room = durable.wire(ground)
    room.runs.register(order, many, hold)
    jobs = [asyncio.create_task(job.run()) for job in room.wiring.jobs if is_working]
    opened = Room(room, ground)
    try:
        yield opened
    finally:
        await opened.client.aclose()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await http.aclose()


@pytest.fixture
def url(db: Database, request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgres_database_url") if db.dialect == "postgresql" else ""


@pytest.fixture
async def room(db: Database, url: str) -> AsyncIterator[Room]:
    TRIES.clear()
    async with open_room(db, url) as opened:
        yield opened


async def test_a_run_is_started_once_per_key_and_shown_with_everything(room: Room) -> None:
    given = {"id": "o-1", "cents": 500, "failures": 1}
    run_id = await room.start("shop.order", given, key="o-1", service="shop", priority=3)
    assert await room.start("shop.order", given, key="o-1", status=200) == run_id
    run = await room.until_state(run_id, "succeeded")
    assert (run["workflow"], run["version"], run["key"], run["service"]) == ("shop.order", 2, "o-1", "shop")
    assert run["input"]["value"] == given
    assert run["output"]["value"] == "receipt-o-1"
    assert run["steps"] == {"succeeded": 2}
    charge, ship = (await room.get(f"/runs/{run_id}/steps"))["items"]
    assert (charge["key"], charge["state"], charge["attempt_count"]) == ("charge", "succeeded", 2)
    assert charge["idempotency_key"] == f"{run_id}:charge:1"
    (first,) = charge["attempts"]
    assert (first["number"], first["failure"]["message"]) == (1, "the provider fell silent")
    assert ship["order"] > charge["order"]
    lines = (await room.get(f"/runs/{run_id}/log"))["items"]
    assert [(line["step"], line["text"], line["fields"]) for line in lines] == [
        ("charge", "charging", {"cents": 500}),
        ("charge", "charging", {"cents": 500}),
    ]
    assert await room.kinds() == [("run.started", "anonymous"), ("run.succeeded", "anonymous")]
    assert TRIES == ["o-1", "o-1"]


async def test_what_a_run_waits_for_is_shown_and_answered(room: Room) -> None:
    run_id = await room.start("shop.order", {"id": "o-2", "cents": 1, "ask": True})
    run = await room.until_state(run_id, "waiting")
    assert [(wait["kind"], wait["name"], wait["step"]) for wait in run["waits"]] == [("signal", "approve", "approve")]
    step = await room.get(f"/runs/{run_id}/steps/approve")
    assert step["wait"]["name"] == "approve"
    assert (await room.get(f"/runs/{run_id}/queries/progress"))["value"] == {"charged": True}
    refused = await room.post(f"/runs/{run_id}/signals/approve", {"payload": 7}, status=422)
    assert refused["code"] == "invalid"
    body = {"payload": {"by": "ada"}, "key": "click"}
    assert (await room.post(f"/runs/{run_id}/signals/approve", body))["is_new"]
    run = await room.until_state(run_id, "succeeded")
    (signal,) = run["signals"]
    assert (signal["actor"], signal["payload"]["value"], signal["taken_by"]) == ("anonymous", {"by": "ada"}, "approve")
    (told,) = [event for event in await room.events() if event.kind == "run.signal_received"]
    assert told.data == {"workflow": "shop.order", "signal": "approve"}
    late = await room.post(f"/runs/{run_id}/signals/approve", body, status=409)
    assert late["code"] == "conflict"


async def test_a_failed_run_is_undone_told_and_retried(room: Room) -> None:
    given = {"id": "o-3", "cents": 1, "lost": True}
    run_id = await room.start("shop.order", given)
    run = await room.until_state(run_id, "failed")
    assert "the parcel is lost" in run["failure"]["message"]
    assert sum(run["compensations"].values()) == 1
    steps = {step["key"]: step for step in (await room.get(f"/runs/{run_id}/steps"))["items"]}
    assert steps["charge"]["state"] == "compensated"
    assert any(step["compensates"] == "charge" for step in steps.values())
    assert "back o-3" in TRIES
    await room.post(f"/runs/{run_id}/retry")
    run = await room.until_state(run_id, "failed")
    assert run["attempt_group"] == 2
    assert ("run.retried", "anonymous") in await room.kinds()


async def test_a_cancelled_run_says_who_and_why(room: Room) -> None:
    run_id = await room.start("shop.order", {"id": "o-4", "cents": 1, "ask": True})
    await room.until_state(run_id, "waiting")
    await room.post(f"/runs/{run_id}/cancel", {"reason": "the customer called"})
    run = await room.until_state(run_id, "cancelled")
    assert (run["cancelled_by"], run["cancel_reason"]) == ("anonymous", "the customer called")
    again = await room.post(f"/runs/{run_id}/cancel", {}, status=409)
    assert "cancelled already" in again["detail"]
    await room.post(f"/runs/{run_id}/replay", {"from_step": "nowhere"}, status=404)


async def test_a_dry_run_shows_its_plan_and_touches_nothing(room: Room) -> None:
    run_id = await room.start("shop.order", {"id": "o-5", "cents": 70}, dry_run=True)
    run = await room.until_state(run_id, "succeeded")
    assert run["is_dry_run"]
    charge, ship = run["plan"]
    assert (charge["step"], charge["kind"], charge["summary"]) == ("charge", "change", "charge card of o-5")
    assert "+70" in charge["changes"][0]["diff"]
    assert ship["kind"] == "read"
    assert TRIES == []


async def test_a_fan_out_of_hundreds_is_summed_up_and_read_in_pages(room: Room) -> None:
    run_id = await room.start("shop.many", 250)
    run = await room.until_state(run_id, "succeeded")
    assert run["maps"] == [{"key": "double", "total": 250, "counts": {"failed": 1, "succeeded": 249}}]
    (outer,) = (await room.get(f"/runs/{run_id}/steps"))["items"]
    assert outer["items"]["counts"]["succeeded"] == 249
    keys: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await room.get(f"/runs/{run_id}/steps", parent="double", limit=100, cursor=cursor)
        keys += [step["key"] for step in page["items"]]
        cursor = page["next"]
    assert sorted(keys) == sorted(f"double[{index}]" for index in range(250))
    failed = (await room.get(f"/runs/{run_id}/steps", parent="double", state="failed"))["items"]
    assert [step["key"] for step in failed] == ["double[13]"]


async def test_large_payloads_are_cut_in_lists_and_shown_by_their_size(room: Room) -> None:
    text = "x" * 20_000
    run_id = await room.start("shop.order", {"id": "o-9", "cents": 1, "note": text})
    run = await room.until_state(run_id, "succeeded")
    assert (run["input"]["value"], run["input"]["is_cut"]) == (None, True)
    assert run["input"]["size_bytes"] > 20_000
    assert run["input"]["preview"].startswith('{"id":"o-9"')
    huge = await room.start("shop.order", {"id": "o-10", "cents": 1, "note": 5 * text})
    given = (await room.until_state(huge, "succeeded"))["input"]
    assert (given["value"], given["is_cut"], given["preview"]) == (None, True, "")
    assert given["size_bytes"] > 100_000


async def test_lists_show_how_far_runs_have_come(room: Room) -> None:
    asking = await room.start("shop.order", {"id": "o-7", "cents": 1, "ask": True})
    holding = await room.start("shop.hold", 4)
    ended = await room.start("shop.many", 1)
    expected = {
        asking: {"steps_over": 1, "step": "approve", "items": None, "items_over": None},
        holding: {"steps_over": 1, "step": "each", "items": 4, "items_over": 1},
        ended: None,
    }

    async def look() -> bool:
        return expected == {run["id"]: run["progress"] for run in (await room.get("/runs"))["items"]}

    await until(look)


async def test_runs_are_filtered_counted_and_paged(room: Room) -> None:
    ids = [await room.start("shop.many", 1) for _ in range(3)]
    lost = await room.start("shop.order", {"id": "o-6", "cents": 1, "lost": True}, service="shop")
    await room.until_state(lost, "failed")
    for run_id in ids:
        await room.until_state(run_id, "succeeded")
    first = await room.get("/runs", limit=2)
    assert [run["id"] for run in first["items"]] == [lost, ids[2]]
    assert first["counts"] == {"failed": 1}
    rest = await room.get("/runs", limit=2, cursor=first["next"])
    assert ([run["id"] for run in rest["items"]], rest["next"]) == ([ids[1], ids[0]], None)
    assert (await room.get("/runs", workflow="shop.many"))["counts"] == {}
    assert (await room.get("/runs", workflow="shop.order", state="running"))["counts"] == {"failed": 1}
    for query in ({"state": "failed"}, {"workflow": "shop.order"}, {"service": "shop"}, {"q": "PARCEL"}):
        assert [run["id"] for run in (await room.get("/runs", **query))["items"]] == [lost], query
    assert (await room.get("/runs", actor="somebody"))["items"] == []
    assert len((await room.get("/runs", state=["failed", "succeeded"]))["items"]) == 4


async def test_what_is_wrong_with_a_request_is_told(room: Room) -> None:
    unknown = await room.post("/runs", {"workflow": "shop.ordr", "input": {}}, status=404)
    assert "shop.order" in unknown["hint"]
    strict = await room.post("/runs", {"workflow": "shop.order", "inptu": {}}, status=422)
    assert "inptu" in strict["detail"]
    misfit = await room.post("/runs", {"workflow": "shop.many", "input": "many"}, status=422)
    assert "the input of shop.many" in misfit["detail"]
    old = await room.post("/runs", {"workflow": "shop.order", "input": {}, "version": 1}, status=404)
    assert "the newest is 2" in old["hint"]
    assert (await room.get("/runs/nobody", status=404))["code"] == "not_found"
    run_id = await room.start("shop.many", 0)
    await room.get(f"/runs/{run_id}/steps", status=422, cursor="broken")
    await room.get(f"/runs/{run_id}/steps/nothing", status=404)


async def test_a_run_is_followed_live_until_it_ends(room: Room) -> None:
    run_id = await room.start("shop.order", {"id": "o-7", "cents": 1, "ask": True})
    await room.until_state(run_id, "waiting")
    heard: list[tuple[str, Any]] = []
    asyncio.get_running_loop().call_later(0.3, _approve, room, run_id)
    text = (await room.client.get(f"/runs/{run_id}/stream", timeout=30)).text
    for frame in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line and not line.startswith(":"))
        if "event" in lines:
            heard.append((lines["event"], orjson.loads(lines["data"])))
    states = [data["state"] for kind, data in heard if kind == "run"]
    assert states[0] == "waiting"
    assert states[-1] == "succeeded"
    assert [data["text"] for kind, data in heard if kind == "log"] == ["charging"]
    assert {data["key"] for kind, data in heard if kind == "step"} == {"charge", "approve", "ship"}


def _approve(room: Room, run_id: str) -> None:
    room.approving = asyncio.ensure_future(  # type: ignore[attr-defined]  # kept, so that it is not collected
        room.post(f"/runs/{run_id}/signals/approve", {"payload": {}})
    )


async def test_the_workflows_are_described_for_a_form(room: Room, tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "greet.py").write_text(GREET)
    assert room.room.wiring.ops is not None
    for prepared in prepare_all(tmp_path, [room.room.wiring.ops]).values():
        await prepared.apply()
    found = {it["name"]: it for it in (await room.get("/workflows"))["items"]}
    assert set(found) == {"ops.greet", "shop.hold", "shop.many", "shop.order"}
    greet = found["ops.greet"]
    assert (greet["version"], greet["summary"], greet["source"]) == (3, "Say hello.", "workflows/greet.py")
    assert greet["input_schema"] == {"type": "string"}
    run_id = await room.start("ops.greet", "ada")
    assert (await room.until_state(run_id, "succeeded"))["output"]["value"] == "ada"


async def test_changed_files_strand_the_runs_that_wait_on_the_old_code(room: Room, tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    file = tmp_path / "workflows" / "ask.py"
    assert room.room.wiring.ops is not None
    run_id = ""
    for content in (ASK, ASK.replace("return await ctx", "return 'new' + await ctx")):
        file.write_text(content)
        for prepared in prepare_all(tmp_path, [room.room.wiring.ops]).values():
            await prepared.apply()
        if not run_id:
            run_id = await room.start("ops.ask", None)
            await room.until_state(run_id, "waiting")
            await until(lambda: not len(room.room.runs.residents))  # it waits as a row only
    await room.post(f"/runs/{run_id}/signals/go", {"payload": "word"})
    run = await room.until_state(run_id, "stranded")
    assert "has changed its code" in run["stranded"]["reason"]
    assert "replay" in run["stranded"]["ways"]
    assert ("run.stranded", "anonymous") in await room.kinds()
    await room.post(f"/runs/{run_id}/resolve", {"way": "finish-old"}, status=409)
    await room.post(f"/runs/{run_id}/resolve", {"way": "replay"})
    assert (await room.until_state(run_id, "succeeded"))["output"]["value"] == "newword"


async def test_a_process_without_the_role_starts_what_another_one_does(db: Database, url: str) -> None:
    async with open_room(db, url, is_working=False) as idle:
        run_id = await idle.start("shop.many", 2)
        assert (await idle.get(f"/runs/{run_id}"))["state"] == "queued"
        async with open_room(db, url):
            assert (await idle.until_state(run_id, "succeeded"))["output"]["value"] == 2


async def test_metrics_tell_what_runs_and_what_it_costs(room: Room) -> None:
    run_id = await room.start("shop.order", {"id": "o-8", "cents": 1, "failures": 1})
    await room.until_state(run_id, "succeeded")
    read = room.ground.metrics.get_sample_value
    await until(lambda: read("holdfast_runs_finished_total", {"workflow": "shop.order", "state": "succeeded"}) == 1)
    assert read("holdfast_runs_started_total", {"workflow": "shop.order"}) == 1
    assert read("holdfast_run_step_retries_total", {"workflow": "shop.order"}) == 1
    assert read("holdfast_run_step_duration_seconds_count", {"workflow": "shop.order", "state": "succeeded"}) == 2
    assert (read("holdfast_run_journal_commit_seconds_count") or 0) > 0
    assert read("holdfast_runs_stranded") == 0


QUEUES = """
from holdfast.kernel.runs import Queue, Run, Schedule, workflow

line = Queue("line", concurrency=1, rate="100/1m")

@workflow("ops.greet", queue="line")
async def greet(ctx: Run, name: str) -> str:
    return name

rarely = Schedule("rarely", "ops.greet", cron="0 3 1 1 *", zone="Europe/Berlin", input="ada")
"""


async def put_in_force(room: Room, folder: Path, **files: str) -> None:
    (folder / "workflows").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "workflows" / f"{name}.py").write_text(text)
    assert room.room.wiring.ops is not None
    for prepared in prepare_all(folder, [room.room.wiring.ops]).values():
        await prepared.apply()


async def test_a_queue_is_paused_and_opened_by_name_and_says_by_whom(room: Room, tmp_path: Path) -> None:
    await put_in_force(room, tmp_path, queues=QUEUES)
    paused = await room.post("/queues/line/pause", status=200)
    assert (paused["state"], paused["changed_by"], paused["concurrency"], paused["rate"]) == (
        "paused",
        "anonymous",
        1,
        "100/1m",
    )
    run_id = await room.start("ops.greet", "bob")
    found = {queue["name"]: queue for queue in (await room.get("/queues"))["items"]}
    assert found["line"]["queued"] == 1
    assert (await room.get(f"/runs/{run_id}"))["state"] == "queued"
    assert (await room.post("/queues/line/resume", status=200))["state"] == "open"
    await room.until_state(run_id, "succeeded")
    await room.post("/queues/line/drain", status=200)
    assert "draining" in (await room.post("/runs", {"workflow": "ops.greet", "input": "x"}, status=409))["detail"]
    assert ("queue.changed", "anonymous") in await room.kinds()
    await room.post("/queues/lines/pause", status=404)


async def test_a_schedule_is_shown_paused_and_started_out_of_turn(room: Room, tmp_path: Path) -> None:
    await put_in_force(room, tmp_path, queues=QUEUES)
    (schedule,) = (await room.get("/schedules"))["items"]
    assert (schedule["name"], schedule["rule"], schedule["zone"]) == ("rarely", "0 3 1 1 *", "Europe/Berlin")
    assert len(schedule["upcoming"]) == 5
    paused = await room.post("/schedules/rarely/pause", status=200)
    assert (paused["is_paused"], paused["next_at"], paused["changed_by"]) == (True, None, "anonymous")
    started = (await room.post("/schedules/rarely/start", status=201))["run"]
    assert started["schedule"] == "rarely"
    await room.until_state(started["id"], "succeeded")
    assert [run["id"] for run in (await room.get("/runs", schedule="rarely"))["items"]] == [started["id"]]
    assert not (await room.post("/schedules/rarely/resume", status=200))["is_paused"]
    await put_in_force(room, tmp_path, queues=QUEUES.replace("rarely =", "gone = None #"))
    assert (await room.get("/schedules"))["items"] == []


async def test_a_schedule_or_queue_that_does_not_fit_is_refused_with_its_file(room: Room, tmp_path: Path) -> None:
    faulty = QUEUES.replace('input="ada"', "input=7").replace('queue="line"', 'queue="lime"')
    with pytest.raises(ConfigError) as caught:
        await put_in_force(room, tmp_path, queues=faulty)
    told = [str(problem) for problem in caught.value.problems]
    assert any("names the queue 'lime'" in line and "line" in line for line in told), told
    assert any(line.startswith("workflows/queues.py: schedule 'rarely'") for line in told), told
