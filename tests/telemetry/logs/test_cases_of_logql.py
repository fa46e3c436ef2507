"""Cases of LogQL as text: a query, lines, and what comes back; `cases/README.md` says how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.logs import Line, arrival
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import Direction, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.querying import LogEngine, Moments, Span
from holdfast.telemetry.metrics.api import write_value

SECOND = 10**9
START = 1_700_000_000 * SECOND
FOLDER = Path(__file__).parent / "cases"
HIDDEN = {"app", "detected_level"}
ESCAPES = {"n": "\n", "t": "\t", "e": "\x1b", "\\": "\\"}
EXTRA = re.compile(r'(?P<kind>[{\[])(?P<pairs>(?:\w+="[^"]*"(?:, )?)+)[}\]]\|')


@dataclass
class Case:
    title: str
    query: str = ""
    sent: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    refusal: str = ""


def read_cases():
    for file in sorted(FOLDER.glob("*.txt")):
        case = None
        for line in file.read_text().split("\n"):
            if line.startswith("== "):
                case = Case(f"{file.stem}: {line[3:]}")
                yield case
            elif case is None or not line:
                continue
            elif line.startswith("<"):
                case.sent.append(plain(line[2:]))
            elif line.startswith(">"):
                case.expected.append(plain(line[2:]))
            elif line.startswith("!"):
                case.refusal = line[2:]
            else:
                case.query += line


def plain(text):
    return re.sub(r"\\([nte\\])", lambda found: ESCAPES[found[1]], text)


def record(place, text):
    labels, metadata = {"app": "x"}, {}
    while extra := EXTRA.match(text):
        pairs = dict(re.findall(r'(\w+)="([^"]*)"', extra["pairs"]))
        (metadata if extra["kind"] == "{" else labels).update(pairs)
        text = text[extra.end() :]
    return Line(START + place * SECOND, text, labels, metadata)


def shown(labels):
    inner = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name not in HIDDEN)
    return f"{{{inner}}}" if inner else ""


async def answer(engine, query, count):
    expr, end = parse(query), START + max(count - 1, 0) * SECOND
    if isinstance(expr, LogSelector):
        span = Span(START, end + 1, Direction.FORWARD)
        found = (await engine.lines(DEFAULT_TENANT, expr, span)).streams
        lines = sorted((line.ts_ns, shown(each.labels), line.text) for each in found for line in each.lines)
        return [f"{labels} {text}".strip() for _, labels, text in lines]
    grid = (await engine.numbers(DEFAULT_TENANT, expr, Moments(end, end))).grid
    return sorted(
        f"{shown(dict(labels))} {write_value(float(row[0]))}".strip()
        for labels, row, is_there in zip(grid.labels, grid.values, grid.present, strict=True)
        if is_there[0]
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in read_cases()])
async def test_a_query_gives_what_its_case_says(case):
    source = MemoryLogSource()
    sink = MemoryLogSink(source)
    if case.sent:
        lines = [record(place, text) for place, text in enumerate(case.sent)]
        await sink.append(DEFAULT_TENANT, arrival(sink, lines))
    engine = LogEngine(source)
    if case.refusal:
        with pytest.raises(HoldfastError) as caught:
            await answer(engine, case.query, len(case.sent))
        assert case.refusal in str(caught.value)
        return
    found = await answer(engine, case.query, len(case.sent))
    expected = [text.strip() for text in case.expected]
    is_lines = isinstance(parse(case.query), LogSelector)
    assert found == (expected if is_lines else sorted(expected))
