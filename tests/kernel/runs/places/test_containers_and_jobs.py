"""Steps in containers and Jobs: the same behaviour from both, over servers that speak their APIs."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from fixtures import stepcode
from fixtures.engines_of_containers import Machine, serve_cluster, serve_engine
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.runs.places import (
    Command,
    CommandFailedError,
    Container,
    ContainerPlace,
    KubernetesJob,
    KubernetesPlace,
    StepDiedError,
    StepPlaceError,
)
from holdfast.kernel.runs.places.distant import name_of
from holdfast.kernel.secrets import Secret

PATIENCE_S = 30


@dataclass
class Ground:
    """A place, the server behind it, and the options that name an image."""

    place: Any
    server: Any
    options: Any

    def run(self, work):
        return self.place.run(work, self.options)


@pytest.fixture
def engine(tmp_path):
    with serve_engine(tmp_path / "engine.sock") as server:
        options = Container("python:3.12", python=sys.executable, env={"STEP_REGION": "eu"}, grace_s=0.1)
        yield Ground(ContainerPlace(str(tmp_path / "engine.sock")), server, options)


@pytest.fixture
def cluster():
    with serve_cluster() as server:
        host, port = server.server_address
        place = KubernetesPlace(f"http://{host}:{port}", token=Secret("token-1"), namespace="ops")
        options = KubernetesJob("python:3.12", python=sys.executable, env={"STEP_REGION": "eu"})
        yield Ground(place, server, options)


@pytest.fixture(params=["engine", "cluster"])
def ground(request):
    return request.getfixturevalue(request.param)


async def test_a_function_runs_there_and_gives_its_result(ground, work_of, heard):
    assert await ground.run(work_of(stepcode.add, 2, 3)) == 5
    assert await ground.run(work_of(stepcode.show_environment, attempt=3)) == {"STEP_REGION": "eu"}
    assert heard.lines == []


async def test_its_output_and_its_error_arrive(ground, work_of, heard):
    await ground.run(work_of(stepcode.chat, 300))
    lines = heard.texts("stdout")
    assert [line for line in lines if line.startswith("line")] == [f"line {number}" for number in range(300)]
    with pytest.raises(ConnectionError, match="hung up"):
        await ground.run(work_of(stepcode.fail_with, "network", attempt=3))


async def test_a_step_logs_and_knows_its_key(ground, work_of, heard):
    assert await ground.run(work_of(stepcode.log_progress)) == ["run-1:charge:1", 2, "run-1"]
    assert heard.lines == [("log", "half way", {"done": 1, "of": 2})]


async def test_a_command_gives_its_result_or_fails(ground, work_of):
    done = await ground.run(work_of(Command(("sh", "-c", "echo hello"))))
    assert (done.exit_code, done.stdout) == (0, "hello\n")
    with pytest.raises(CommandFailedError, match="sh exited with status 3: bad"):
        await ground.run(work_of(Command(("sh", "-c", "echo bad; exit 3")), attempt=3))


async def test_an_end_without_a_result_is_told(ground, work_of):
    with pytest.raises(StepDiedError, match="exited with status 7"):
        await ground.run(work_of(stepcode.fail_with, "abort"))


async def test_cancelling_ends_and_removes_it(ground, work_of, heard):
    running = asyncio.create_task(ground.run(work_of(Command(("sh", "-c", "echo ready; exec sleep 3600")))))
    await asyncio.wait_for(heard.has_begun.wait(), PATIENCE_S)
    (machine,) = ground.server.machines.values()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert machine.process.wait(PATIENCE_S) == -9
    assert (ground.server.machines, ground.server.removed) == ({}, 1)


async def test_what_a_crashed_predecessor_has_started_is_taken_over(ground, work_of, tmp_path):
    mark = tmp_path / "mark"
    work = work_of(Command(("sh", "-c", f"echo once >> {mark}; echo done")))
    ground.server.machines[name_of(work)] = Machine(work.todo.argv, {})
    assert (await ground.run(work)).stdout == "done\n"
    assert mark.read_text() == "once\n"


async def test_a_container_that_has_ended_is_not_started_again_by_whoever_finds_it(ground, work_of, tmp_path):
    mark = tmp_path / "mark"
    work = work_of(Command(("sh", "-c", f"echo once >> {mark}; echo done")))
    there = ground.server.machines[name_of(work)] = Machine(work.todo.argv, {})
    there.until_ended()
    assert (await ground.run(work)).stdout == "done\n"
    assert mark.read_text() == "once\n"


async def test_a_container_is_removed_only_when_its_outcome_is_kept(engine, work_of):
    remains = []
    result = await engine.run(work_of(Command(("echo", "done")), later=remains.append))
    assert (result.stdout, engine.server.removed) == ("done\n", 0)
    (remove,) = remains
    await remove()
    await remove()  # it is gone: nothing to say about that
    assert (engine.server.removed, engine.server.machines) == (1, {})


async def test_what_another_worker_goes_on_with_is_left_there(ground, work_of, heard):
    work = work_of(Command(("sh", "-c", "echo ready; exec sleep 3600")), is_handed_over=lambda: True)
    running = asyncio.create_task(ground.run(work))
    await asyncio.wait_for(heard.has_begun.wait(), PATIENCE_S)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (machine,) = ground.server.machines.values()
    assert (machine.exit_code, ground.server.removed) == (None, 0)


async def test_a_later_attempt_gets_its_own(ground, work_of):
    for attempt in (1, 2):
        await ground.run(work_of(stepcode.add, 1, 2, attempt=attempt))
    assert len(ground.server.orders) == 2


async def test_a_broken_connection_loses_and_repeats_no_line(cluster, work_of, heard):
    cluster.server.cut_after = 40
    await cluster.run(work_of(Command(("seq", "100"))))
    assert heard.texts("stdout") == [str(number) for number in range(1, 101)]


async def test_an_image_that_is_not_there_is_pulled(engine, work_of):
    options = replace(engine.options, image="shop/tools:7")
    assert await engine.place.run(work_of(stepcode.add, 1, 2), options) == 3
    assert "shop/tools:7" in engine.server.images


async def test_limits_mounts_and_secrets_reach_the_engine(engine, work_of):
    options = replace(
        engine.options, memory_bytes=2**28, cpus=0.5, mounts=("/srv/a:/a", "/srv/b:/b:rw"), env={"TOKEN": Secret("s3")}
    )
    await engine.place.run(work_of(stepcode.add, 1, 2), options)
    (order,) = engine.server.orders.values()
    host = order["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["Binds"]) == (2**28, 5 * 10**8, ["/srv/a:/a:ro", "/srv/b:/b:rw"])
    assert order["Env"] == ["TOKEN=s3"]


async def test_running_out_of_memory_is_told(engine, work_of):
    engine.server.is_out_of_memory = True
    with pytest.raises(StepDiedError, match="ran out of memory"):
        await engine.run(work_of(stepcode.fail_with, "abort"))


async def test_a_refusal_is_told_in_the_engines_words(engine, work_of):
    with pytest.raises(StepPlaceError, match="Minimum memory limit"):
        await engine.place.run(work_of(stepcode.add, 1, 2), replace(engine.options, memory_bytes=1))


async def test_a_job_is_described_as_the_cluster_wants_it(cluster, work_of):
    options = replace(cluster.options, memory="512Mi", env_from=("gateway",), service_account="runner")
    await cluster.place.run(work_of(stepcode.add, 1, 2, timeout_s=30), options)
    (order,) = cluster.server.orders.values()
    spec = order["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 90, 3600)
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["serviceAccountName"]) == ("Never", "runner")
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "gateway"}}]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "512Mi"}


async def test_a_pod_that_can_never_start_is_a_clear_error(cluster, work_of):
    cluster.server.waiting = "ImagePullBackOff"
    with pytest.raises(StepPlaceError, match="the pod cannot start: ImagePullBackOff"):
        await cluster.run(work_of(stepcode.add, 1, 2))


async def test_a_secret_in_a_jobs_environment_is_refused_with_the_fix(cluster, work_of):
    with pytest.raises(StepPlaceError, match="env_from"):
        await cluster.run(work_of(Command(("true",), env={"TOKEN": Secret("s3")})))


async def test_an_api_that_refuses_us_is_told_in_its_words(cluster, work_of):
    host, port = cluster.server.server_address
    stranger = KubernetesPlace(f"http://{host}:{port}", token=Secret("wrong"), namespace="ops")
    with pytest.raises(StepPlaceError, match=r"\(403\): jobs.batch is forbidden"):
        await stranger.run(work_of(stepcode.add, 1, 2), cluster.options)


@pytest.mark.parametrize("kind", ["engine", "cluster"])
async def test_nobody_answering_is_told_with_the_setting(kind, tmp_path, work_of):
    place = ContainerPlace(str(tmp_path / "none")) if kind == "engine" else KubernetesPlace("http://127.0.0.1:9")
    options = Container("python:3.12") if kind == "engine" else KubernetesJob("python:3.12", namespace="ops")
    with pytest.raises(UnavailableError, match=r"\[runs\]"):
        await place.run(work_of(stepcode.add, 1, 2), options)


@pytest.mark.parametrize(
    ("todo", "args", "told"),
    [
        (stepcode.add, ("x" * 200_000, 1), "its arguments have .*put them into a blob"),
        (Command(("cat",), stdin=b"x"), (), "its command is empty or has input"),
        (partial(stepcode.add, 1), (1,), "another process cannot import"),
    ],
)
async def test_work_that_cannot_go_there_is_refused_with_the_fix(ground, work_of, todo, args, told):
    with pytest.raises(StepPlaceError, match=told):
        await ground.run(work_of(todo, *args))
    assert ground.server.orders == {}
