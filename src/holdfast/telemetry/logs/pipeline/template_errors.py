"""What is wrong with a template, in the words and with the places that Go's `text/template` has.

Our engine of templates counts columns from 1 and names no command; Go counts from 0 and quotes the command at fault.
Source: Go's package `text/template`, its errors of parsing and executing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import gotpl

from holdfast.telemetry.logs.pipeline.template_arguments import WRONG, fault_of
from holdfast.telemetry.logs.pipeline.template_slices import go_type
from holdfast.telemetry.metrics.promql.quoting import quote

_PLACE: Final = re.compile(r"template:(\d+):\d+: ")
_QUOTED: Final = re.compile(r"'([^']*)'")
_IN_BRACES: Final = (
    (re.compile(r"^unexpected (end|else|break|continue)$"), r"unexpected {{\1}}"),
    (re.compile(r"^(break|continue) outside range$"), r"{{\1}} outside {{range}}"),
)
_FAILED: Final = re.compile(r"function '(\w+)' failed: (.*)", re.DOTALL)
_ARGUMENTS: Final = re.compile(r"wrong number of args for (\w+): .*", re.DOTALL)
_NO_LENGTH: Final = re.compile(r"value of type (\w+) has no length")
_OUT_OF_RANGE: Final = re.compile(r"index .*?(\d+)", re.DOTALL)
_NOT_ITERATED: Final = re.compile(r"range cannot iterate over str")
_RANGE: Final = re.compile(r"\.\w+")
_UNDEFINED: Final = re.compile(r"template '(.*)' is not defined", re.DOTALL)
_TOO_DEEP: Final = re.compile(r"exceeded maximum template depth \(\d+\)")
_CALL: Final = re.compile(r'(\{\{(?:- )?\s*template\s+)("(?:[^"\\]|\\.)*"|`[^`]*`)(.*?)(?: -)?\}\}', re.DOTALL)
_CLAUSE: Final = re.compile(
    r"\{\{(?:- )?\s*(?:else )?(if|range|with|block|define|template)\b(?:(?!\}\}).)*$", re.DOTALL
)
_TOKEN: Final = re.compile(r"\}\}|[^\s}]+")
_INDEXED: Final = re.compile(r'index\s.*?(?P<text>"|`)', re.DOTALL)
_NOT_INDEXED: Final = re.compile(r"cannot index value of type (\w+)")
_NOT_CALLED: Final = re.compile(r"value of type (\w+) is not callable")
_CONTROL: Final = re.compile(r"\b(?:if|range|with|template|block|define|and|or)\b|`|\\\\")
_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TEXT: Final = re.compile(r'"[^"]*"')
_CHAIN: Final = re.compile(r"(?<![\w.)\]$])\.\w+(?P<next>\.(?P<field>\w+))[.\w]*")
_STRING: Final = r'"(?:[^"\\]|\\.)*+"|`[^`]*`'
_BLOCK: Final = re.compile(
    rf"\{{\{{(?:-\s)?\s*(?:/\*.*?\*/|(?P<word>\w+)?(?:\s+(?P<name>{_STRING}))?(?:{_STRING}|[^\"`}}]|\}}(?!\}}))*+)\s*\}}\}}",
    re.DOTALL,
)
_OPENING: Final = frozenset({"if", "range", "with", "block", "define"})
_NAMED: Final = frozenset({"block", "define"})
_COMMAND: Final = r'(?<![\w.$]){}(?!\w)(?:"(?:[^"\\]|\\.)*"|`[^`]*`|\([^()]*\)|[^|(){{}}])*'


def problem_of_text(error: gotpl.TemplateError, name: str, source: str) -> str:
    """Say why a text is no template: `template: line:1: unclosed action`."""
    said = str(error)
    place = _PLACE.match(said)
    line = place[1] if place else "1"
    message = _of_clause(said[place.end() :] if place else said, source, place_of(error))
    for pattern, words in _IN_BRACES:
        message = pattern.sub(words, message)
    return f"template: {name}:{line}: {_QUOTED.sub(_in_double_quotes, message)}"


def _of_clause(message: str, source: str, position: int) -> str:
    """Name the clause in which a name or a value is missing, as Go does."""
    clause = _CLAUSE.search(source.encode()[:position].decode(errors="replace"))
    if clause is None:
        return message
    if message == "missing value for command":
        return f"missing value for {clause[1]}{' clause' if clause[1] == 'block' else ''}"
    found = _TOKEN.match(_letters(source, position))
    if message == "expected quoted template name" and found is not None:
        return f"unexpected {quote(found[0])} in {clause[1]} clause"
    return message


def place_of(error: gotpl.TemplateError) -> int:
    """Give where a template failed, in bytes."""
    return int(getattr(error, "position", None) or 0)


def is_endless(error: gotpl.TemplateError) -> bool:
    """Tell whether a template has called itself too often."""
    return _TOO_DEEP.fullmatch(str(getattr(error, "message", error))) is not None


def problem_of_run(error: gotpl.TemplateError, name: str, source: str, labels: Mapping[str, str]) -> str:
    """Say why a template could not be filled in: with the place and the text of the command, where it is known."""
    message = str(getattr(error, "message", error))
    position, command = place_of(error), ""
    if wrong := WRONG.fullmatch(message):
        position, call = _command(source, wrong[2], position)
        fault = fault_of(wrong, call)
        position, command, message = position + len(call[: fault.start].encode()), fault.text, fault.message
    elif failed := _FAILED.fullmatch(message):
        position, command = _command(source, failed[1], position)
        message = f"error calling {failed[1]}: {_told(failed[2], command)}"
    elif arguments := _ARGUMENTS.fullmatch(message):
        position, _ = _command(source, arguments[1], position)
        command = arguments[1]
    elif (_UNDEFINED.fullmatch(message) or _TOO_DEEP.fullmatch(message)) and (
        called := _CALL.match(_letters(source, position))
    ):
        position += len(called[1].encode())
        given = called[3].strip()
        command = f"{{{{template {called[2]}{given and ' '}{given}}}}}"
        message = _UNDEFINED.sub(r'template "\1" not defined', message)
    elif _NOT_ITERATED.fullmatch(message) and (field := _RANGE.match(_letters(source, position))):
        command, message = field[0], f"range can't iterate over {labels.get(field[0][1:], '')}"
    return _placed(name, source, position, command, message)


def problem_of_chain(name: str, source: str) -> tuple[int, str]:
    """Give the place of the first field of a label, such as `.a.b`, and what Go says of it; -1 if there is none.

    Labels are texts, which have no fields. Where a condition or a loop decides what is run, nothing is said of it.
    """
    for action in () if _CONTROL.search(source) else _ACTION.finditer(source):
        bare = _TEXT.sub(lambda text: " " * len(text[0]), action[0])
        if chain := _CHAIN.search(bare):
            place = len(source[: action.start() + chain.start("next")].encode())
            return place, _placed(
                name, source, place, chain[0], f"can't evaluate field {chain['field']} in type string"
            )
    return -1, ""


def _placed(name: str, source: str, position: int, command: str, message: str) -> str:
    before = source.encode()[:position].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2].encode())
    at = f" at <{command}>" if command else ""
    return f'template: {name}:{line}:{column}: executing "{_template_at(source, len(before), name)}"{at}: {message}'


def _template_at(source: str, place: int, outer: str) -> str:
    """Give the name of the template that a place stands in: of a `define` or `block` around it, or of all the text."""
    names: list[str | None] = []
    for action in _BLOCK.finditer(source, 0, place):
        if action["word"] in _OPENING:
            names.append(action["name"][1:-1] if action["word"] in _NAMED and action["name"] else None)
        elif action["word"] == "end" and names:
            names.pop()
    return next((each for each in reversed(names) if each is not None), outer)


def _told(message: str, command: str) -> str:
    if found := _NO_LENGTH.fullmatch(message):
        return f"len of type {found[1]}"
    if message == "index out of range" and (place := _OUT_OF_RANGE.fullmatch(command)):
        return f"{message}: {place[1]}"
    if message == "sequence index must be an integer":
        return f"cannot index slice/array with type {'string' if _INDEXED.match(command) else 'float64'}"
    if found := _NOT_CALLED.fullmatch(message):
        return f"non-function {command.removeprefix('call').strip()} of type {go_type(found[1])}"
    if found := _NOT_INDEXED.fullmatch(message):
        return f"can't index item of type {go_type(found[1])}"
    return message


def _letters(source: str, position: int) -> str:
    return source.encode()[position:].decode(errors="replace")


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
