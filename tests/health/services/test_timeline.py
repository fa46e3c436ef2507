from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.services.timeline import MAX_TURNS, Timeline, Turn, WatchedTime
from holdfast.health.verdict import Verdict

UP, DOWN, DEGRADED, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.DEGRADED, Verdict.UNKNOWN
ALWAYS = WatchedTime([(-1e9, 1e9)])
TIMES = st.integers(0, 1000).map(float)
TURNS = st.lists(st.tuples(TIMES, st.sampled_from(list(Verdict)), st.booleans()), max_size=12)
SPANS = st.lists(st.tuples(TIMES, TIMES).map(sorted).map(tuple), max_size=6)


def timeline(*turns: tuple) -> Timeline:
    line = Timeline()
    for turn in turns:
        line.add(Turn(*turn))
    return line


def test_seconds_are_counted_from_turn_to_turn():
    line = timeline((0.0, UP), (60.0, DOWN), (90.0, UP))
    assert line.seconds(30, 100, ALWAYS) == {UP: 40, DOWN: 30, DEGRADED: 0, UNKNOWN: 0}


def test_uptime_is_the_usable_share_of_the_known_time():
    line = timeline((0.0, UP), (50.0, DOWN), (60.0, DEGRADED), (80.0, UNKNOWN))
    found = line.uptime(0, 100, ALWAYS)
    assert (found.ratio, found.coverage) == (pytest.approx(70 / 80), pytest.approx(0.8))


def test_time_that_nobody_watched_lowers_the_coverage_and_not_the_uptime():
    line = timeline((0.0, UP), (90.0, DOWN))
    found = line.uptime(0, 100, WatchedTime([(0, 20), (90, 100)]))
    assert (found.ratio, found.coverage) == (pytest.approx(20 / 30), pytest.approx(0.3))


def test_maintenance_counts_for_nothing():
    line = timeline((0.0, UP), (50.0, DOWN, True), (100.0, UP))
    assert line.uptime(0, 150, ALWAYS).ratio == 1.0
    assert line.uptime(0, 150, ALWAYS).coverage == pytest.approx(100 / 150)


def test_a_service_that_nobody_knew_has_no_uptime():
    assert timeline().uptime(0, 100, ALWAYS).ratio is None
    assert timeline((200.0, UP)).uptime(0, 100, ALWAYS).coverage == 0


def test_the_strip_shows_the_worst_of_each_part_and_what_nobody_saw():
    line = timeline((0.0, UP), (12.0, DOWN), (14.0, UP), (31.0, UNKNOWN))
    assert [verdict.value for _, verdict in line.strip(0, 50, 5, ALWAYS)] == ["up", "down", "up", "up", "unknown"]
    assert [at for at, _ in line.strip(0, 50, 5, ALWAYS)] == [0, 10, 20, 30, 40]


def test_a_flapping_service_keeps_its_newest_turns():
    line = timeline(*((float(number), UP if number % 2 else DOWN) for number in range(MAX_TURNS + 10)))
    assert len(line.turns) == MAX_TURNS
    assert line.last == Turn(MAX_TURNS + 9, UP)


def test_what_is_forgotten_changes_no_later_answer():
    line = timeline((0.0, UP), (10.0, DOWN), (20.0, UP), (30.0, DOWN))
    before = line.seconds(15, 40, ALWAYS)
    line.forget_before(15)
    assert len(line.turns) == 3
    assert line.seconds(15, 40, ALWAYS) == before


@given(TURNS, SPANS, TIMES, TIMES)
def test_the_seconds_of_a_stretch_always_add_up_to_it(turns, spans, one, other):
    line = timeline(*sorted(turns, key=lambda turn: turn[0]))
    start, end = sorted((one, other))
    watched = WatchedTime(spans)
    seconds = line.seconds(start, end, watched)
    assert sum(seconds.values()) == pytest.approx(end - start)
    assert min(seconds.values()) >= -1e-6
    assert end - start - seconds[UNKNOWN] <= watched.between(start, end) + 1e-6


@given(TURNS, SPANS, TIMES, TIMES, st.integers(0, 12))
def test_uptime_is_what_the_seconds_say_however_much_was_forgotten(turns, spans, one, other, forgotten):
    turns.sort(key=lambda turn: turn[0])
    line, watched = timeline(*turns), WatchedTime(spans)
    start, end = sorted((one, other))
    line.uptime(0, 1000, watched)
    if forgotten < len(turns) and turns[forgotten][0] <= start:
        line.forget_before(turns[forgotten][0])
    seconds = line.seconds(start, end, watched)
    known = seconds[UP] + seconds[DEGRADED] + seconds[DOWN]
    found = line.uptime(start, end, watched)
    assert found.coverage * (end - start) == pytest.approx(known)
    if known > 1e-6:
        assert found.ratio == pytest.approx((known - seconds[DOWN]) / known)


@given(TURNS, SPANS, st.integers(0, 500), st.integers(1, 20))
def test_a_part_of_the_strip_is_the_worst_of_its_seconds(turns, spans, start, points):
    line, watched = timeline(*sorted(turns, key=lambda turn: turn[0])), WatchedTime(spans)
    for begin, verdict in line.strip(start, start + 10 * points, points, watched):
        seconds = line.seconds(begin, begin + 10, watched)
        seen = [known for known in (DOWN, DEGRADED, UP) if seconds[known] > 1e-9]
        assert verdict is (seen[0] if seen else UNKNOWN)


@given(SPANS, TIMES, TIMES)
def test_watched_time_is_the_length_of_the_union_of_the_spans(spans, one, other):
    start, end = sorted((one, other))
    covered = sum(any(a <= second < b for a, b in spans) for second in range(int(start), int(end)))
    assert WatchedTime(spans).between(start, end) == pytest.approx(covered)
