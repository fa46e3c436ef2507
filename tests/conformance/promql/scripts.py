"""Prometheus' test scripts read into commands: load, clear, and what an evaluation must give.

The language: prometheus/prometheus promql/promqltest/README.md; lines are numbered from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from holdfast.telemetry.metrics.promql.literals import parse_duration, parse_number
from holdfast.telemetry.metrics.promql.quoting import unquote
from holdfast.telemetry.metrics.promql.series_notation import (
    NotedSeries,
    is_starts,
    parse_series,
    parse_starts,
)

_LOAD = re.compile(r"load(?P<nhcb>_with_nhcb)?\s+(?P<step>\S+)")
_INSTANT = re.compile(r"eval(?:_(?P<mode>fail|warn|ordered|info))?\s+instant\s+(?:at\s+(?P<at>\S+)\s+)?(?P<query>.+)")
_RANGE = re.compile(
    r"eval(?:_(?P<mode>fail|warn|info))?\s+range\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)\s+"
    r"(?P<query>.+)"
)
_EXPECT = re.compile(
    r"expect\s+(?P<what>ordered|fail|warn|no_warn|info|no_info)(?:\s+(?P<how>regex|msg):(?P<text>.+))?"
)
_EXPECT_RANGE = re.compile(r"expect range vector\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)")
_OLD_FAILURE = re.compile(r"expected_fail_(?P<how>message|regexp)\s+(?P<text>.+)")


@dataclass(frozen=True)
class Clear:
    """Forget everything."""


@dataclass(frozen=True)
class Load:
    """Samples, one per step from 0; starts are relative to their samples."""

    step_ms: int
    series: list[tuple[NotedSeries, tuple[int | None, ...]]]
    with_nhcb: bool = False


@dataclass(frozen=True)
class Message:
    """A message that must come: exactly, by expression, or any."""

    text: str = ""
    how: str = ""

    def fits(self, message: str) -> bool:
        if self.how == "msg":
            return message == self.text
        return self.how != "regex" or re.search(self.text, message) is not None


@dataclass
class Evaluation:
    """A query and what it must give; `end_ms` is None for an instant one."""

    line: int
    query: str
    start_ms: int
    end_ms: int | None = None
    step_ms: int = 0
    fails: list[Message] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    infos: list[Message] = field(default_factory=list)
    allows_warnings: bool = True
    allows_infos: bool = True
    is_ordered: bool = False
    scalar: float | None = None
    text: str | None = None
    points_at_ms: tuple[int, int, int] | None = None  # start, end, step of an expected range vector
    series: list[NotedSeries] = field(default_factory=list)


Command = Clear | Load | Evaluation


def read_script(text: str) -> list[Command]:
    """Read a whole file."""
    lines = ["" if line.strip().startswith("#") else line.strip() for line in text.split("\n")]
    commands: list[Command] = []
    number = 0
    while number < len(lines):
        block = [lines[number]]
        if block[0].lower().startswith(("load", "eval")):
            while number + len(block) < len(lines) and lines[number + len(block)]:
                block.append(lines[number + len(block)])
        if block[0]:
            commands.append(_read(block, number + 1))
        number += len(block)
    return commands


def _read(block: list[str], line: int) -> Command:
    word = block[0].split()[0].lower()
    if word == "clear":
        return Clear()
    if word.startswith("load"):
        return _read_load(block)
    if word.startswith("eval"):
        return _read_evaluation(block, line)
    message = f"line {line}: invalid command {block[0]!r}"
    raise ValueError(message)


def _read_load(block: list[str]) -> Load:
    head = _LOAD.fullmatch(block[0])
    assert head, block[0]
    series: list[tuple[NotedSeries, tuple[int | None, ...]]] = []
    everyones: tuple[int | None, ...] = ()
    next_ones: tuple[int | None, ...] = ()
    for line in block[1:]:
        if is_starts(line):
            labels, starts = parse_starts(line)
            everyones, next_ones = (everyones, starts) if labels else (starts, ())
            continue
        noted = parse_series(line)
        if next_ones:
            assert len(next_ones) == len(noted.values), line
        series.append((noted, next_ones or _cycled(everyones, len(noted.values))))
        next_ones = ()
    return Load(parse_duration(head["step"]), series, with_nhcb=head["nhcb"] is not None)


def _cycled(starts: tuple[int | None, ...], length: int) -> tuple[int | None, ...]:
    return tuple(starts[place % len(starts)] if starts else None for place in range(length))


def _read_evaluation(block: list[str], line: int) -> Evaluation:
    if head := _INSTANT.fullmatch(block[0]):
        evaluation = Evaluation(line, head["query"], parse_duration(head["at"]))
    else:
        head = _RANGE.fullmatch(block[0])
        assert head, block[0]
        start, end, step = (parse_duration(head[name]) for name in ("start", "end", "step"))
        evaluation = Evaluation(line, head["query"], start, end, step)
    _read_mode(evaluation, head["mode"])
    for text in block[1:]:
        if _read_expectation(evaluation, text):
            continue
        evaluation.scalar = _number(text)
        if evaluation.scalar is not None:
            break
        noted = parse_series(text)
        is_instant = evaluation.end_ms is None and evaluation.points_at_ms is None
        assert not (is_instant and len(noted.values) > 1), text
        evaluation.series.append(noted)
    return evaluation


def _read_mode(evaluation: Evaluation, mode: str | None) -> None:
    if mode is not None:
        _note(evaluation, mode, Message())


def _read_expectation(evaluation: Evaluation, text: str) -> bool:
    if text.startswith("expect string"):
        evaluation.text = unquote(text.removeprefix("expect string").strip())
        return True
    if moment := _EXPECT_RANGE.fullmatch(text):
        start, end, step = (parse_duration(moment[name]) for name in ("start", "end", "step"))
        evaluation.points_at_ms = start, end, step
        evaluation.start_ms = end
        return True
    if old := _OLD_FAILURE.fullmatch(text):
        evaluation.fails = [Message(old["text"], "msg" if old["how"] == "message" else "regex")]
        return True
    expected = _EXPECT.fullmatch(text)
    if expected is None:
        return False
    _note(evaluation, expected["what"], Message((expected["text"] or "").strip(), expected["how"] or ""))
    return True


def _note(evaluation: Evaluation, what: str, message: Message) -> None:
    match what:
        case "ordered":
            evaluation.is_ordered = True
        case "fail":
            evaluation.fails.append(message)
        case "warn":
            evaluation.warnings.append(message)
        case "info":
            evaluation.infos.append(message)
        case "no_warn":
            evaluation.allows_warnings = False
        case "no_info":
            evaluation.allows_infos = False


def _number(text: str) -> float | None:
    sign, word = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    if not word or word[0] not in "0123456789.iInN":
        return None
    try:
        return sign * parse_number(word)
    except ValueError:
        return None
