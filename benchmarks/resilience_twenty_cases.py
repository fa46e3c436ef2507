"""Who gets which hard case right: runs each library on each case that its patterns have to do with, prints the table.

Holdfast's own column is its tests in tests/resilience/test_hard_cases.py. A cell without an answer in 20 s is "no".
Run: make bench BENCH=benchmarks/resilience_twenty_cases.py; with --write it records the table and the guide's page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import _hard_case_peers

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "benchmarks" / "resilience_twenty_cases.json"
PAGE = ROOT / "docs" / "guide" / "resilience" / "hard-cases.md"
TESTS = ROOT / "tests" / "resilience" / "test_hard_cases.py"
PEERS = ("tenacity", "stamina", "pybreaker", "purgatory", "aiobreaker", "limits", "aiolimiter", "hyx")
ABSENT = "-"

RETRIES = ("tenacity", "stamina", "hyx")
BREAKERS = ("pybreaker", "purgatory", "aiobreaker", "hyx")
GUARDS = (*RETRIES, *BREAKERS[:3])
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "cancellation_during_back_off": ("Cancelled while it waits to try again, it ends and calls no more", RETRIES),
    "exception_groups": ("A group of errors that may pass is tried again", RETRIES),
    "generators": ("A generator is guarded in full, or refused", GUARDS),
    "a_half_open_probe_that_never_returns": ("A probe that hangs is alone, and given up after its time", BREAKERS),
    "slow_call_rate": ("A breaker opens on answers that are too slow", BREAKERS),
    "a_wall_clock_set_back": ("The wall clock set back an hour delays nothing", (*BREAKERS, "limits", "aiolimiter")),
    "retry_after_as_a_date": ("`Retry-After` as a date is kept", RETRIES),
    "a_budget_shared_by_callers": ("Callers share a budget of retries", RETRIES),
    "a_timeout_around_plain_code": ("Plain, blocking code has a timeout", ("hyx",)),
    "nested_deadlines": ("Of nested deadlines the error names the one that passed", ("hyx",)),
    "hedging_what_may_not_be_done_twice": ("Hedging refuses what may not be done twice", ()),
    "single_flight_when_the_leader_is_cancelled": (
        "Of many who ask at once another fetches if the one is cancelled",
        (),
    ),
    "a_bulkhead_is_fair": ("A bulkhead's queue is first come, first served, cancellation included", ("hyx",)),
    "a_rate_across_processes": ("Processes share a rate", ("limits", "aiolimiter", "hyx")),
    "a_fork_while_a_call_is_under_way": ("A child forked in the middle of a call can call", BREAKERS),
    "a_guarded_call_inside_itself": ("A guarded call may make another", BREAKERS),
    "memory_is_bounded_per_key": ("Memory is bounded however many keys there are", ("limits", "purgatory")),
    "an_error_keeps_its_traceback": ("An error keeps its kind and its traceback", GUARDS),
    "type_hints_survive": ("Signature, type hints and being async survive decoration", GUARDS),
    "callers_do_not_wait_for_one_another": ("A slow call does not hold other threads up", BREAKERS),
}


def ask_peer(case: str, library: str) -> str:
    """Run one cell in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--cell", case, library],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no"
    last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
    print(f"{case} {library}: {last}", file=sys.stderr)
    return "yes" if done.stdout.strip().endswith("True") else "no"


def answer_cell(case: str, library: str) -> None:
    """Answer one cell on standard output."""
    if case == "a_wall_clock_set_back" and library == "aiolimiter":
        case = "a_rate_with_its_loops_clock"
    print(getattr(_hard_case_peers, case)(library), flush=True)


def ask_own_tests() -> dict[str, str]:
    """Run our tests; a test that passes is a case that holds."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:randomly", "-k", "not recorded", str(TESTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    outcomes = dict(re.findall(r"::test_(\w+) (PASSED|FAILED|ERROR)", done.stdout))
    return {case: "yes" if outcomes.get(case) == "PASSED" else "no" for case in CASES}


def record() -> dict[str, object]:
    own, rows = ask_own_tests(), []
    for case, (title, asked) in CASES.items():
        cells = {"holdfast": own[case]}
        cells |= {library: ask_peer(case, library) if library in asked else ABSENT for library in PEERS}
        rows.append({"test": case, "title": title, "cells": cells})
    return {
        "python": sys.version.split()[0],
        "versions": {name: metadata.version(name) for name in PEERS},
        "rows": rows,
    }


PAGE_TEXT = """\
# Twenty hard cases

What a resilience library does when all goes well is quickly said. These are the cases in which they differ. Each cell
was determined by running the library with its own options, not by reading its documentation:
`benchmarks/resilience_twenty_cases.py` runs them again and writes this page. Holdfast's column is its tests
(`tests/resilience/test_hard_cases.py`).

Python {python}; {versions}. A dash: the library has no such pattern.

{table}

A "no" is a difference, not a verdict. Retrying groups of errors and keeping `Retry-After` can be written by hand with
tenacity and stamina; some refusals of generators are accidents (an `await` of what cannot be awaited); the keys of
`limits` go when their window ends. A fork in the middle of a call is rare outside of pre-forking servers.
"""


def render(recorded: dict) -> str:
    """Give the guide's page."""
    heads = ["holdfast", *PEERS]
    lines = ["| " + " | ".join(["case", *heads]) + " |", "|" + "---|" * (len(heads) + 1)]
    lines += ["| " + " | ".join([row["title"], *row["cells"].values()]) + " |" for row in recorded["rows"]]
    versions = ", ".join(f"{name} {version}" for name, version in recorded["versions"].items())
    return PAGE_TEXT.format(python=recorded["python"], versions=versions, table="\n".join(lines))


def main() -> None:
    if sys.argv[1:2] == ["--cell"]:
        answer_cell(*sys.argv[2:4])
        return
    recorded = record()
    page = render(recorded)
    print(page)
    if "--write" in sys.argv:
        RECORD.write_text(json.dumps(recorded, indent=2, ensure_ascii=False) + "\n")
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page)


if __name__ == "__main__":
    main()
