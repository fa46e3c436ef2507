"""Timers tell how long and how it ended; an audit log shows what was done to it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from holdfast import journal
from holdfast.journal import AuditLog, verify_audit


def test_a_timed_block_writes_one_line_at_its_end(lines):
    with journal.timed("report_built", kind="daily") as timer:
        timer.add(rows=7)
    assert (lines.last["event"], lines.last["kind"], lines.last["rows"]) == ("report_built", "daily", 7)
    assert lines.last["outcome"] == "ok"
    assert lines.last["duration_ms"] == round(timer.duration_s * 1000, 3)


def test_a_timed_function_that_fails_says_so(lines):
    @journal.timed("charge", customer="c1")
    def charge():
        raise RuntimeError("declined")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            charge()
    assert [event["level"] for event in lines.events] == ["error", "error"]
    assert (lines.last["outcome"], lines.last["exception.message"]) == ("failed", "declined")


async def test_a_timed_coroutine_is_timed_to_its_end(lines):
    @journal.timed("fetch")
    async def fetch(answer):
        assert not lines.events
        return answer

    assert await fetch(3) == 3
    assert lines.last["event"] == "fetch"


def test_only_what_is_slow_is_written(lines):
    with journal.timed("quick", slower_than_s=60):
        pass
    assert not lines.events
    with pytest.raises(ValueError, match="choose debug, info, warning"):
        journal.timed("x", level="loud")


@pytest.fixture
def audit(tmp_path):
    return AuditLog(tmp_path / "deep" / "audit.log")


def test_an_audit_line_says_who_did_what_and_the_chain_holds(audit):
    with journal.bind(correlation_id="c1"):
        audit.write("user.role_changed", actor="ada", target="bob", role="admin", password="x")
    last = audit.write("login", actor="eve", outcome="denied")
    first = json.loads(audit.path.read_text().splitlines()[0])
    assert (first["actor"], first["action"], first["target"], first["role"]) == (
        "ada",
        "user.role_changed",
        "bob",
        "admin",
    )
    assert (first["correlation_id"], first["password"], first["outcome"]) == ("c1", "***", "success")
    with audit.path.open() as held:
        assert verify_audit(held, last_hash=last) == 2


@pytest.mark.parametrize(
    ("harm", "place"),
    [
        (lambda lines: [lines[0], lines[1].replace("a1", "b1"), lines[2]], "line 2"),
        (lambda lines: [lines[0], lines[2]], "line 2"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1"),
        (lambda lines: lines[:2], "lines are missing"),
        (lambda lines: [lines[0], "{"], "line 2 is no line"),
        (lambda lines: [lines[0], "[]"], "line 2 is no line"),
    ],
)
def test_what_was_done_to_an_audit_log_shows(audit, harm, place):
    for number in range(3):
        last = audit.write(f"a{number}", actor="ada")
    with pytest.raises(ValueError, match=place):
        verify_audit(harm(audit.path.read_text().splitlines()), last_hash=last)


def test_half_a_line_is_not_built_upon(audit):
    audit.write("a", actor="ada")
    with audit.path.open("a") as held:
        held.write('{"half')
    with pytest.raises(OSError, match="half a line"):
        audit.write("b", actor="ada")
    with pytest.raises(ValueError, match="choose denied, failure, success"):
        audit.write("b", actor="ada", outcome="maybe")


@pytest.mark.slow
def test_several_processes_write_one_chain(audit):
    script = (
        "import sys; from holdfast.journal import AuditLog\n"
        "for n in range(50): AuditLog(sys.argv[1]).write('act', actor=sys.argv[2], n=n)"
    )
    audit.write("begun", actor="ada")
    writers = [subprocess.Popen([sys.executable, "-c", script, str(audit.path), str(n)]) for n in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    with audit.path.open() as held:
        assert verify_audit(held) == 151
