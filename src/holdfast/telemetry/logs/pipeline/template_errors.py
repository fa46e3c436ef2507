"""What is wrong with a template, in the words and with the places that Go's `text/template` has.

Our engine of templates counts columns from 1 and names no command; Go counts from 0 and quotes the command at fault.
Source: Go's package `text/template`, its errors of parsing and executing.
"""

from __future__ import annotations

import re
from typing import Final

import gotpl

_PLACE: Final = re.compile(r"template:(\d+):\d+: ")
_QUOTED: Final = re.compile(r"'([^']*)'")
_IN_BRACES: Final = (
    (re.compile(r"^unexpected (end|else|break|continue)$"), r"unexpected {{\1}}"),
    (re.compile(r"^(break|continue) outside range$"), r"{{\1}} outside {{range}}"),
)
_FAILED: Final = re.compile(r"function '(\w+)' failed: (.*)", re.DOTALL)
_ARGUMENTS: Final = re.compile(r"wrong number of args for (\w+): .*", re.DOTALL)
_COMMAND: Final = r'(?<![\w.$]){}(?!\w)(?:"(?:[^"\\]|\\.)*"|`[^`]*`|\([^()]*\)|[^|(){{}}])*'


def problem_of_text(error: gotpl.TemplateError, name: str) -> str:
    """Say why a text is no template: `template: line:1: unclosed action`."""
    said = str(error)
    place = _PLACE.match(said)
    line = place[1] if place else "1"
    message = said[place.end() :] if place else said
    for pattern, words in _IN_BRACES:
        message = pattern.sub(words, message)
    return f"template: {name}:{line}: {_QUOTED.sub(_in_double_quotes, message)}"


def problem_of_run(error: gotpl.TemplateError, name: str, source: str) -> str:
    """Say why a template could not be filled in: with the place and the text of the command, where it is known."""
    message = str(getattr(error, "message", error))
    position = int(getattr(error, "position", None) or 0)
    command = ""
    if failed := _FAILED.fullmatch(message):
        position, command = _command(source, failed[1], position)
        message = f"error calling {failed[1]}: {failed[2]}"
    elif arguments := _ARGUMENTS.fullmatch(message):
        position, _ = _command(source, arguments[1], position)
        command = arguments[1]
    before = source.encode()[:position].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2].encode())
    at = f" at <{command}>" if command else ""
    return f'template: {name}:{line}:{column}: executing "{name}"{at}: {message}'


def _command(source: str, function: str, position: int) -> tuple[int, str]:
    """Find the call of a function from a place on, in bytes; give its place and its text."""
    start = len(source.encode()[:position].decode(errors="replace"))
    found = re.compile(_COMMAND.format(function)).search(source, start)
    if found is None:
        return position, function
    text = found[0].strip()
    return len(source[: found.start()].encode()), text.removesuffix("-").strip() if text.endswith(" -") else text


def _in_double_quotes(found: re.Match[str]) -> str:
    return f'"{found[1]}"'
