"""How pages are looked for: spans that grow and shrink, many pages of one query, the index over bodies."""

from __future__ import annotations

import time

import pytest

from fixtures.logs import FORWARD, Line, arrival, bodies, contains, wanted
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import LineFilter, LineOp
from holdfast.telemetry.logs.reading import Window

NOW_NS = time.time_ns()
S = 10**9


def spans(window: Window, *steps: tuple[int, int, int]) -> list[tuple[int, int]]:
    seen = [window.span]
    for step in steps:
        window.advance(*step)
        if window:
            seen.append(window.span)
    return seen


def test_an_empty_span_is_followed_by_one_that_is_forty_times_as_long():
    window = Window(0, 1000 * S, is_backward=True)
    assert spans(window, (0, 10, 0), (0, 10, 0), (0, 10, 0)) == [
        (990 * S, 1000 * S),
        (590 * S, 990 * S),
        (0, 590 * S),
    ]
    assert not window


def test_what_was_found_says_how_far_to_look():
    assert spans(Window(0, 1000 * S, is_backward=True), (10, 20, 0)) == [(990 * S, 1000 * S), (950 * S, 990 * S)]


def test_a_full_span_goes_on_behind_its_last_record():
    assert spans(Window(0, 1000 * S, is_backward=True), (10, 10, 999 * S)) == [
        (990 * S, 1000 * S),
        (997 * S, 999 * S),
    ]
    forward = spans(Window(0, 1000 * S, is_backward=False), (10, 10, S - 1), (0, 10, 0))
    assert forward == [(0, 10 * S), (S, 3 * S), (3 * S, 83 * S)]


async def test_all_records_come_once_whatever_the_page(stored_logs):
    lines = [Line(NOW_NS + place // 3, f"line {place}", attributes={"n": str(place)}) for place in range(3000)]
    await stored_logs.sink.append(DEFAULT_TENANT, arrival(stored_logs.sink, lines))

    for page in (700, 10_000):
        found = await bodies(stored_logs.source, wanted(direction=FORWARD), page=page)
        assert len(found) == 3000
        assert set(found) == {line.body for line in lines}


@pytest.mark.parametrize(
    ("line", "is_used"),
    [
        (contains("needle"), True),
        (contains("needle", "thread"), True),
        (LineFilter(LineOp.MATCHES, ("needle [0-9]+",)), True),
        (contains("x"), False),
    ],
)
async def test_the_index_leaves_out_what_cannot_match(stored_logs, store, line, is_used):
    await stored_logs.sink.append(DEFAULT_TENANT, arrival(stored_logs.sink, [Line(NOW_NS, "a haystack")]))
    condition = await stored_logs.source.where(DEFAULT_TENANT, wanted(lines=(line,)))

    told = await store.query(
        f"EXPLAIN indexes = 1 SELECT count() FROM log_records WHERE {condition.sql}",
        condition.parameters,
        tenant=DEFAULT_TENANT,
    )

    text = "\n".join(told.column(0).to_pylist())
    assert ("Granules: 0/1" in text.partition("Name: parts")[2]) is is_used
