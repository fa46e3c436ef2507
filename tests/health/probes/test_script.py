"""The script kind: exit codes, output, numbers, time limits, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.probes.conftest import build
from holdfast.health.probes import Sample
from holdfast.health.probes.basic.script_output import read_exposition, read_perfdata
from holdfast.health.verdict import Verdict
from holdfast.kernel.errors import ConfigError


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, Verdict.UP), (1, Verdict.DEGRADED), (2, Verdict.DOWN), (3, Verdict.UNKNOWN)],
)
async def test_the_exit_code_is_the_verdict_and_the_first_line_the_message(ask, code, verdict):
    seen = await ask("script", shell=f"echo; echo DISK 93% full; echo more; exit {code}")
    assert (seen.verdict, seen.message, seen.facts["exit_code"]) == (verdict, "DISK 93% full", code)


async def test_a_command_runs_without_a_shell(ask):
    seen = await ask("script", command=["/bin/echo", "$HOME;", "a  b"])
    assert seen.message == "$HOME; a  b"


async def test_other_exit_codes_are_unknown_unless_the_check_says_what_they_mean(ask):
    strange = await ask("script", shell="echo odd; exit 17")
    mapped = await ask("script", shell="exit 17", exit_codes={17: "down"})
    assert (strange.verdict, strange.message) == (Verdict.UNKNOWN, "exit code 17: odd")
    assert (mapped.verdict, mapped.message) == (Verdict.DOWN, "exit code 17")


async def test_the_error_output_speaks_when_the_output_is_silent(ask):
    seen = await ask("script", shell="echo cannot connect >&2; exit 2")
    assert (seen.verdict, seen.message) == (Verdict.DOWN, "cannot connect")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"command": ["/nowhere/check"]}, "cannot run /nowhere/check: no such file or directory"),
        ({"command": ["/etc/passwd"]}, "cannot run /etc/passwd: permission denied"),
        ({"shell": "nonesuch"}, "exit code 127, not found: "),
        ({"shell": "kill -SEGV $$"}, "the command was killed by SIGSEGV"),
        ({"shell": "true", "directory": "/nowhere"}, "cannot run /bin/sh: no such file or directory"),
    ],
)
async def test_a_command_that_does_not_run_is_unknown(ask, fields, message):
    seen = await ask("script", **fields)
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message.startswith(message)


async def test_the_environment_is_only_what_the_check_gives(ask, monkeypatch):
    monkeypatch.setenv("LEAKED", "yes")
    env = {"TOKEN": "${env:TOKEN}", "REGION": "eu"}
    seen = await ask("script", shell='echo "$REGION [$LEAKED] $TOKEN"', env=env)
    assert seen.message == "eu [] ***"
    names = await ask("script", shell="env | cut -d= -f1 | sort | tr '\\n' ' '", env=env)
    assert names.message == "LANG PATH PWD REGION TOKEN"


async def test_when_time_is_up_the_whole_family_is_killed(ask, tmp_path):
    marker = tmp_path / "pids"
    line = f"sleep 60 & echo $! > {marker}; sleep 60 & echo $! >> {marker}; wait"
    seen = await ask("script", shell=line, timeout_s=1)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == "no verdict within 1s: stopped while running /bin/sh"
    await wait_until_gone(marker)


async def test_a_child_left_in_the_background_neither_delays_nor_survives(ask, tmp_path):
    marker = tmp_path / "pids"
    seen = await ask("script", shell=f"sleep 60 & echo $! > {marker}; echo started")
    assert (seen.verdict, seen.message) == (Verdict.UP, "started")
    assert seen.duration_s < 20
    await wait_until_gone(marker)


async def wait_until_gone(marker):
    pids = [int(line) for line in marker.read_text().split()]
    assert pids
    async with asyncio.timeout(60):
        while any(is_running(pid) for pid in pids):  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_cancelled_check_leaves_no_process(tmp_path, ask):
    marker = tmp_path / "pids"
    attempt = asyncio.ensure_future(ask("script", shell=f"echo $$ > {marker}; sleep 60"))
    async with asyncio.timeout(60):
        while not marker.exists() or not marker.read_text():  # noqa: ASYNC110 - same
            await asyncio.sleep(0.01)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    await wait_until_gone(marker)


async def test_endless_output_is_cut_and_does_not_stop_the_command(ask):
    seen = await ask("script", shell="head -c 5000000 /dev/zero | tr '\\0' x; exit 1")
    assert seen.verdict is Verdict.DEGRADED
    assert len(seen.message) <= 600


async def test_performance_data_becomes_samples_in_base_units(ask):
    line = "echo \"OK - fine | time=12ms;50;100;0 'disk /var'=80%;90 used=2KB size=5c users=U\""
    seen = await ask("script", shell=line)
    assert (seen.verdict, seen.message) == (Verdict.UP, "OK - fine")
    assert seen.samples == (
        Sample("time_seconds", 0.012),
        Sample("disk_var_percent", 80),
        Sample("used_bytes", 2048),
        Sample("size_total", 5),
    )


async def test_prometheus_text_becomes_samples(ask):
    text = r"""cat <<'EOF'
# HELP queue_depth How deep.
# TYPE queue_depth gauge
queue_depth{queue="a,b",note="say \"hi\"\n"} 3 1700000000000
up 1
lag_seconds +Inf
EOF"""
    seen = await ask("script", shell=text, metrics="prometheus")
    assert (seen.verdict, seen.message) == (Verdict.UP, "exit code 0")
    assert seen.samples == (
        Sample("queue_depth", 3, {"queue": "a,b", "note": 'say "hi"\n'}),
        Sample("up", 1),
        Sample("lag_seconds", float("inf")),
    )


@pytest.mark.parametrize(
    ("output", "metrics", "evidence"),
    [
        ("OK | time=", "perfdata", '"time="'),
        ("OK | a=1 b=1.2.3s", "perfdata", '"b=1.2.3s"'),
        ("ok 1 2 3", "prometheus", '"ok 1 2 3"'),
        ("ok{a=b} 1", "prometheus", '"ok{a=b} 1"'),
    ],
)
async def test_unreadable_numbers_degrade_and_are_shown(ask, output, metrics, evidence):
    seen = await ask("script", command=["/bin/echo", output], metrics=metrics)
    assert seen.verdict is Verdict.DEGRADED
    assert seen.message.startswith(f"the output has unreadable metrics: {evidence}")


@given(st.text())
def test_no_output_breaks_the_readers(output):
    read_perfdata(output)
    read_exposition(output)


@pytest.mark.parametrize("fields", [{}, {"command": ["a"], "shell": "a"}])
def test_exactly_one_of_command_and_shell(fields):
    with pytest.raises(ConfigError, match="write either command or shell"):
        build("script", **fields)


def test_a_readers_time_grows_with_its_input_only():
    read_perfdata("|" + "'" * 20_000)
    read_exposition('a{b="' + "\\" * 20_000 + "} 1")
