"""Steps of real runs in threads and processes: results, timeouts, retries, output, adoption of what was recorded."""

from __future__ import annotations

import psutil
import pytest

from fixtures import stepcode
from fixtures.engines_of_containers import serve_cluster
from fixtures.engines_of_runs import Engines, until
from holdfast.kernel.runs import (
    Command,
    CommandResult,
    Facilities,
    KubernetesJob,
    KubernetesPlace,
    Places,
    Process,
    Run,
    RunFailedError,
    RunsSettings,
    StepRetry,
    SyncRun,
    workflow,
)
from holdfast.kernel.secrets import Redactor, Secret


async def lines_of(runs, run_id, after=0):
    return [(line.step, line.stream, line.text) for line in await runs.log(run_id, after=after)]


async def test_each_kind_of_place_gives_a_typed_result(engines: Engines) -> None:
    @workflow("places")
    async def places(ctx: Run) -> list[int]:
        return [
            await ctx.step("loop", stepcode.add_later, 1, 1),
            await ctx.step("thread", stepcode.add, 1, 2),
            await ctx.step("process", stepcode.add, 1, 3, place="process"),
            await ctx.step("process", stepcode.add_later, 1, 4, place=Process(memory_bytes=2**32)),
            *await ctx.map("each", stepcode.add_one, [5, 6], place="process"),
        ]

    runs = await engines.run(places)
    assert await (await runs.start(places)).result(30) == [2, 3, 4, 5, 6, 7]


async def test_a_command_is_a_step(engines: Engines) -> None:
    @workflow("command")
    async def command(ctx: Run) -> str:
        done = await ctx.step("greet", Command(("sh", "-c", "echo hello $NAME"), env={"NAME": "ops"}))
        assert isinstance(done, CommandResult)
        return done.stdout

    runs = await engines.run(command)
    handle = await runs.start(command)
    assert await handle.result(30) == "hello ops\n"
    assert await lines_of(runs, handle.id) == [("greet", "stdout", "hello ops")]


async def test_a_sync_workflow_sends_steps_to_processes_too(engines: Engines) -> None:
    @workflow("sync")
    def sync(ctx: SyncRun) -> int:
        return ctx.step("add", stepcode.add, 1, 2, place="process")

    runs = await engines.run(sync)
    assert await (await runs.start(sync)).result(30) == 3


async def test_a_step_that_hangs_is_ended_at_its_timeout(engines: Engines) -> None:
    @workflow("hang")
    async def hang(ctx: Run) -> None:
        await ctx.step("hang", stepcode.hang, place=Process(grace_s=0.05), timeout=0.5)

    runs = await engines.run(hang)
    handle = await runs.start(hang)
    with pytest.raises(RunFailedError, match=r"step 'hang' was not done in 0\.5 s"):
        await handle.result(30)
    pids = [pid for line in await runs.log(handle.id) for pid in line.fields.get("pids", ())]
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_an_error_from_a_process_decides_about_the_retry(engines: Engines) -> None:
    retry = StepRetry(attempts=2, base_s=0, on=(ConnectionError,))

    @workflow("retry")
    async def again(ctx: Run, kind: str) -> None:
        await ctx.step("call", stepcode.fail_with, kind, place="process", retry=retry)

    runs = await engines.run(again)
    for kind, attempts in (("network", 1), ("odd", 0)):
        handle = await runs.start(again, kind)
        with pytest.raises(RunFailedError):
            await handle.result(30)
        assert len(await runs.attempts(handle.id, "call")) == attempts
    view = await runs.get(handle.id)
    assert view.error is not None
    assert "OddError: 1 is not 2" in view.error.message


async def test_the_log_has_the_lines_of_the_run_and_of_its_steps_while_it_runs(engines: Engines) -> None:
    redactor = Redactor()
    redactor.learn(Secret("s3cret-value"))

    @workflow("talk")
    async def talk(ctx: Run) -> None:
        ctx.log("begin with s3cret-value", amount=3)
        await ctx.step("chat", stepcode.chat, 2, place="process")
        await ctx.signal("go")
        ctx.log("end")

    runs = await engines.run(talk, facilities=Facilities(mask=redactor.mask))
    handle = await runs.start(talk)
    early = await until(lambda: _full_log(runs, handle.id, 6))
    assert (early[0].text, early[0].fields) == ("begin with ***", {"amount": 3})
    assert {(line.step, line.stream) for line in early[1:]} == {("chat", "stdout"), ("chat", "stderr")}
    assert [line.text for line in early if line.text.startswith("line")] == ["line 0", "line 1"]
    await runs.signal(handle.id, "go")
    await handle.result(30)
    assert await lines_of(runs, handle.id, after=early[-1].seq) == [("", "log", "end")]


async def _full_log(runs, run_id, count):
    lines = await runs.log(run_id)
    return lines if len(lines) >= count else None


async def test_a_step_in_a_thread_writes_into_the_log(engines: Engines) -> None:
    @workflow("thread")
    async def thread(ctx: Run) -> None:
        await ctx.step("charge", stepcode.log_progress)

    runs = await engines.run(thread)
    handle = await runs.start(thread)
    await handle.result(30)
    assert await lines_of(runs, handle.id) == [("charge", "log", "half way")]


async def test_a_run_that_talks_too_much_keeps_the_first_and_the_last_lines(engines: Engines) -> None:
    engines.settings = RunsSettings(log_lines=10)

    @workflow("much")
    async def much(ctx: Run) -> None:
        await ctx.step("chat", stepcode.chat, 1000, place="process")

    runs = await engines.run(much)
    handle = await runs.start(much)
    await handle.result(30)
    texts = [text for _, _, text in await lines_of(runs, handle.id)]
    assert len(texts) == 10 + 1 + 1 + 200
    assert texts[11].endswith("lines were dropped here (runs.log_lines keeps 10)")
    assert "line 999" in texts[-3:]


async def test_a_job_outlives_a_worker_that_stops_and_is_found_by_the_next(engines: Engines, tmp_path) -> None:
    go, mark = tmp_path / "go", tmp_path / "mark"
    script = f"echo once >> {mark}; while [ ! -e {go} ]; do sleep 0.01; done; echo done"
    engines.settings = RunsSettings(stop_grace=0.1)

    @workflow("train")
    async def train(ctx: Run) -> str:
        done = await ctx.step("train", Command(("sh", "-c", script)), place=KubernetesJob("train:1", namespace="ml"))
        return done.stdout

    with serve_cluster() as cluster:
        host, port = cluster.server_address
        place = KubernetesPlace(f"http://{host}:{port}", token=Secret("token-1"))
        first = engines.make(train, facilities=Facilities(Places(kubernetes=place)))
        async with first.running():
            handle = await first.start(train)
            await until(mark.exists)
        second = await engines.run(train, facilities=Facilities(Places(kubernetes=place)))
        go.touch()
        assert await second.handle(handle.id, train).result(30) == "done\n"
        assert (len(cluster.orders), cluster.removed) == (1, 0)
    assert mark.read_text() == "once\n"
