"""No crash repeats a committed step, loses a run, or lets a worker that lost its lease write."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from architecture.sources import ROOT
from kernel.runs.crash.judge import ANYTHING, Ended, judge
from kernel.runs.crash.ledger import Effect, Frozen, Started

SUCCEEDED = {"chain": "succeeded"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def test_no_crash_repeats_loses_or_changes_anything(request, database):
    if database == "postgres":
        request.getfixturevalue("postgres_url")
    command = [sys.executable, str(ROOT / "benchmarks/runs_crashes.py"), "--kills", "12", "--database", database]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    trial = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert trial.returncode == 0, trial.stdout + trial.stderr
    assert trial.stdout.count(" 0 faults") == 2, trial.stdout


def effect(step, nonce, **after):
    return Effect("r", step, nonce, after, 1)


@pytest.mark.parametrize(
    ("lines", "nonces", "fault"),
    [
        ([effect("a", "1"), effect("b", "2", a="1"), effect("a", "3")], {}, "a ran again"),
        ([effect("a", "1"), effect("a", "3"), effect("b", "2", a="1"), effect("c", "4", a="3")], {}, "had committed 1"),
        ([effect("b", "2", a="1")], {}, "never gave"),
        ([effect("b", "2", a=ANYTHING)], {}, "never gave"),
        ([effect("a", "1"), effect("b", "2", a="1")], {"a": "5"}, "ended as 5"),
        ([Started("chain-1", "lost")], {}, "is lost"),
        ([Started("chain-1", "r"), Started("chain-1", "s")], {}, "and again as"),
    ],
)
def test_the_judge_finds(lines, nonces, fault):
    verdict = judge(lines, {"r": Ended("chain-1", "succeeded", nonces)}, SUCCEEDED)
    assert any(fault in found for found in verdict.faults), verdict.faults


def test_the_judge_allows_what_was_not_committed_to_run_again():
    lines = [effect("a", "1"), effect("a", "2"), effect("b", "3", a="2")]
    verdict = judge(lines, {"r": Ended("chain-1", "succeeded", {"a": "2", "b": "3"})}, SUCCEEDED)
    assert (verdict.faults, verdict.run_again, verdict.effects) == ([], 1, 3)


def test_the_judge_allows_a_thawed_process_to_finish_its_step_but_not_to_go_on():
    lines = [Frozen(2), effect("a", "1"), effect("b", "2", a="1"), Effect("r", "a", "3", {}, 2)]
    verdict = judge(lines, {"r": Ended("chain-1", "succeeded", {})}, SUCCEEDED)
    assert (verdict.faults, verdict.thawed) == ([], 1)
    verdict = judge([*lines, Effect("r", "b", "4", {"a": "3"}, 2)], {"r": Ended("", "succeeded", {})}, SUCCEEDED)
    assert any("had committed 1" in fault for fault in verdict.faults)


def test_the_judge_wants_the_expected_end():
    assert judge([], {"r": Ended("chain-1", "failed", {})}, SUCCEEDED).faults == [
        "r (chain-1) ended failed, not succeeded"
    ]
