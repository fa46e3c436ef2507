"""Holds the ledger against what the engine says of the runs: what was repeated, changed, lost or done out of order.

A step's function is told what the steps before it gave. So a line of the ledger proves that those results were
committed: from there on, none of those steps may run again, and none may ever have given anything else.
One thing nobody can prevent: a process that was frozen in the midst of a step finishes it when it thaws. Its result
must not count, and it must not get to a further step; such effects are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kernel.runs.crash.ledger import Effect, Frozen, Line, Started

ANYTHING: Final = "*"  # stands for a nonce that the step was not told: it knows only that the other one was committed


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, as the engine tells it: its key, its state and, where it succeeded, each step's nonce."""

    key: str
    state: str
    nonces: Mapping[str, str]


@dataclass(slots=True)
class Verdict:
    """What was counted and what was wrong."""

    runs: int = 0
    effects: int = 0
    run_again: int = 0
    thawed: int = 0
    faults: list[str] = field(default_factory=list)


def judge(lines: Iterable[Line], ended: Mapping[str, Ended], expected: Mapping[str, str]) -> Verdict:
    """Find every fault.

    Args:
        lines: of the ledger, in order.
        ended: by run.
        expected: the state that each run must end in, by the workload's part of its key.
    """
    verdict = Verdict()
    committed: dict[str, dict[str, str]] = defaultdict(dict)
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    runs_by_key: dict[str, str] = {}
    frozen: set[int] = set()
    for line in lines:
        if isinstance(line, Frozen):
            frozen.add(line.pid)
            continue
        if isinstance(line, Started):
            verdict.faults += _judge_start(line, runs_by_key, ended)
            continue
        verdict.effects += 1
        verdict.run_again += (line.run, line.step) in given
        if line.step in committed[line.run] and line.pid in frozen:
            verdict.thawed += 1
        elif line.step in committed[line.run]:
            verdict.faults.append(f"{line.run}: {line.step} ran again (process {line.pid}) after its commit")
        verdict.faults += _judge_knowledge(line, committed[line.run], given)
        given[line.run, line.step].add(line.nonce)
    verdict.runs = len(ended)
    for run, end in ended.items():
        wanted = expected.get(end.key.split("-")[0], "succeeded")  # a child has a key that is not ours
        if end.state != wanted:
            verdict.faults.append(f"{run} ({end.key}) ended {end.state}, not {wanted}")
        verdict.faults += [
            f"{run}: {step} ended as {end.nonces[step]} after {nonce} was committed"
            for step, nonce in committed[run].items()
            if end.nonces.get(step, nonce) != nonce
        ]
    return verdict


def _judge_start(line: Started, runs_by_key: dict[str, str], ended: Mapping[str, Ended]) -> list[str]:
    if runs_by_key.setdefault(line.key, line.run) != line.run:
        return [f"{line.key} was started as {runs_by_key[line.key]} and again as {line.run}"]
    return [] if line.run in ended else [f"{line.run} ({line.key}) was acknowledged and is lost"]


def _judge_knowledge(line: Effect, committed: dict[str, str], given: Mapping[tuple[str, str], set[str]]) -> list[str]:
    faults = []
    for step, nonce in line.after.items():
        known = given.get((line.run, step), set())
        if nonce not in known and not (nonce == ANYTHING and known):
            faults.append(f"{line.run}: {line.step} was told {nonce} of {step}, which never gave that")
        if ANYTHING not in {committed.setdefault(step, nonce), nonce} and committed[step] != nonce:
            faults.append(f"{line.run}: {line.step} was told {nonce} of {step}, which had committed {committed[step]}")
    return faults
