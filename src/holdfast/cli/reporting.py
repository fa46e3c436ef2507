"""How an error is told: one clear message to a person, or JSON to a program."""

from __future__ import annotations

import sys

import orjson
from rich.console import Console
from rich.text import Text

from holdfast.kernel.errors import ConfigError, HoldfastError


def report(error: HoldfastError, *, as_json: bool) -> None:
    """Tell `error` to a person on stderr, or to a program as JSON on stdout."""
    problems = error.problems if isinstance(error, ConfigError) else (error,)
    if as_json:
        told = [
            {
                "code": problem.code,
                "message": problem.message,
                "hint": problem.hint,
                "file": problem.place.file,
                "line": problem.place.line,
                "field": problem.place.field,
            }
            for problem in problems
        ]
        sys.stdout.write(orjson.dumps({"error": error.code, "problems": told}).decode() + "\n")
        return
    console = Console(stderr=True, highlight=False)
    for problem in problems:
        line = Text("error: ", style="bold red")
        place = str(problem.place)
        if place:
            line.append(f"{place}: ", style="bold")
        line.append(problem.message)
        console.print(line, soft_wrap=True)
        if problem.hint:
            console.print(Text(f"       {problem.hint}", style="dim"), soft_wrap=True)
