"""`holdfast runs`, `queues` and `schedules` against a real server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from fixtures.servers import journal_elsewhere
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.cli.main import cli
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.settings import load

pytestmark = pytest.mark.xdist_group("runs_from_the_command_line")  # one server is enough

WORKFLOWS = '''
from holdfast.kernel.runs import Queue, Run, Schedule, StepContext, workflow

line = Queue("line", concurrency=2)


async def say(name: str, *, step: StepContext) -> str:
    step.log("saying", name=name)
    if name == "nobody":
        raise ValueError("there is nobody")
    return f"hello {name}"


@workflow("ops.greet", queue="line")
async def greet(ctx: Run, name: str) -> str:
    """Say hello, when somebody agrees."""
    if name == "stranger":
        await ctx.signal("approve", type=dict)
    return await ctx.step("say", say, name, dry_run=lambda name: None)


rarely = Schedule("rarely", "ops.greet", cron="0 3 1 1 *", input="ada")
'''


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server without logins, with a workflow, a queue and a schedule."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "ops" / "workflows").mkdir(parents=True)
    (folder / "ops" / "workflows" / "greet.py").write_text(WORKFLOWS)
    listener = web.bind("127.0.0.1", 0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    server = {"data": folder / "data", "ops": folder / "ops", "listen": address, "auth": "off"}
    settings = load(SECTIONS, environ={}, overrides={"server": server})
    ready, told = threading.Event(), dict[str, Any]()

    async def serve() -> None:
        stop = asyncio.Event()
        told.update(stop=stop, loop=asyncio.get_running_loop())
        holdfast = await app.build(settings, {})
        try:
            await holdfast.start()
            front = web.build(holdfast)
            await web.serve(front, listener, settings[web.WebSettings], stop=stop, started=ready.set)
        finally:
            await holdfast.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    with journal_elsewhere():
        thread.start()
        assert ready.wait(60)
        yield f"http://{address}"
        told["loop"].call_soon_threadsafe(told["stop"].set)
        thread.join(60)


@pytest.fixture(autouse=True)
def address(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_URL", url)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def run_json(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).splitlines()[-1])  # behind what was told on the way


def test_a_run_is_started_waited_for_and_shown() -> None:
    done = run_json("runs", "start", "ops.greet", "--input", '"ada"', "--key", "k", "--wait")
    assert (done["state"], done["output"]["value"]) == ("succeeded", "hello ada")
    assert [step["key"] for step in done["timeline"]] == ["say"]
    assert "hello ada" in run("runs", "show", done["id"])
    assert "saying name=ada" in run("runs", "log", done["id"])
    assert run_json("runs", "start", "ops.greet", "--input", '"ada"', "--key", "k")["id"] == done["id"]
    assert done["id"] in run("runs", "list", "--state", "succeeded", "--since", "1h")


def test_a_run_that_fails_is_an_exit_code_and_is_retried() -> None:
    failed = run_json("runs", "start", "ops.greet", "-i", '"nobody"', "--wait", code=1)
    assert "there is nobody" in failed["failure"]["message"]
    assert "there is nobody" in run("runs", "list", "--state", "failed")
    assert run_json("runs", "retry", failed["id"])["id"] == failed["id"]


def test_a_run_that_waits_is_told_or_cancelled() -> None:
    first = run_json("runs", "start", "ops.greet", "-i", '"stranger"')["id"]
    run("runs", "signal", first, "approve", "--payload", '{"by": "ada"}')
    assert "hello stranger" in run("runs", "show", first, "--follow")
    second = run_json("runs", "start", "ops.greet", "-i", '"stranger"')["id"]
    run("runs", "cancel", second, "--reason", "no need")
    assert run_json("runs", "show", second, "--follow")["cancel_reason"] == "no need"


def test_a_dry_run_prints_its_plan() -> None:
    planned = run_json("runs", "start", "ops.greet", "-i", '"ada"', "--dry-run", "--wait")
    assert [plan["step"] for plan in planned["plan"]] == ["say"]


def test_queues_schedules_and_workflows_are_listed_and_steered() -> None:
    assert "ops.greet" in run("runs", "workflows")
    assert run_json("queues", "pause", "line")["state"] == "paused"
    assert "paused" in run("queues", "list")
    assert run_json("queues", "resume", "line")["state"] == "open"
    assert "0 3 1 1 *" in run("schedules", "list")
    assert run_json("schedules", "pause", "rarely")["is_paused"]
    assert run_json("schedules", "start", "rarely")["schedule"] == "rarely"
    assert not run_json("schedules", "resume", "rarely")["is_paused"]
    assert run_json("runs", "stranded") == []


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (["runs", "start", "ops.greet", "-i", "{broken"], InvalidError, "not JSON"),
        (["runs", "start", "ops.gret", "-i", "1"], InvalidError, "ops.gret"),
        (["runs", "list", "--since", "soon"], InvalidError, "--since"),
        (["runs", "show", "nobody"], InvalidError, "no run 'nobody'"),
        (["queues", "list", "--url", "http://127.0.0.1:1"], UnavailableError, "127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_told(arguments: list[str], kind: type[Exception], words: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, kind), result.exception
    assert words in str(result.exception)
