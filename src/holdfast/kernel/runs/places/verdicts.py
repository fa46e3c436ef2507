"""Judges how a command ended, wherever it ran."""

from __future__ import annotations

from holdfast.kernel.runs.places.errors import CommandFailedError
from holdfast.kernel.runs.places.guarded import describe_exit
from holdfast.kernel.runs.places.lines import Tail
from holdfast.kernel.runs.places.ports import Command, CommandResult, Work


def judge_command(work: Work, command: Command, code: int, tails: dict[str, Tail]) -> CommandResult:
    """Give the result of a command, or raise when its exit code means failure."""
    stdout, stderr = tails["stdout"].text(), tails["stderr"].text()
    if code not in command.ok:
        last = (stderr.strip() or stdout.strip()).splitlines()[-1:] or ["it wrote nothing"]
        raise CommandFailedError(f"step {work.name}: {command.argv[0]} {describe_exit(code)}: {last[0][:500]}")
    return CommandResult(code, stdout, stderr, tails["stdout"].is_cut or tails["stderr"].is_cut)
