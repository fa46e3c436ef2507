"""What a queue may be told, and how its rate counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.runs.queues import Queue, check_priority, parse_rate

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "My Queue"}, "'My Queue' is not a queue's name"),
        ({"name": "q", "concurrency": 0}, "concurrency is 0"),
        ({"name": "q", "per_key": -1}, "per_key is -1"),
        ({"name": "q", "max_queued": 0}, "max_queued is 0"),
        ({"name": "q", "rate": "10"}, "'10' is not a rate"),
        ({"name": "q", "rate": "0/1m"}, "'0/1m' is not a rate"),
        ({"name": "q", "rate": "10/60"}, "write 60s or 60ms"),
        ({"name": "q", "ageing": "never"}, "ageing"),
        ({"name": "q", "ageing": "2d"}, "at most 1d"),
        ({"name": "q", "while_waiting": "keeps"}, "while_waiting"),
    ],
)
def test_a_wrong_queue_is_refused_with_the_field_and_the_fix(given, message):
    with pytest.raises(InvalidError, match=message):
        Queue(**given)


def test_a_priority_has_bounds():
    assert check_priority(-1000) == -1000
    with pytest.raises(InvalidError, match="1001 is out of range"):
        check_priority(1001)


def test_only_a_queue_with_a_limit_asks_before_it_starts():
    assert not Queue("q").is_limited
    assert all(Queue("q", **{limit: 1}).is_limited for limit in ("concurrency", "per_worker", "per_key"))
    assert Queue("q", rate="1/1s").is_limited
    assert str(Queue("q", rate="90/1h30m").starts) == "90/1h30m"


ATTEMPTS = st.lists(st.tuples(st.integers(0, 4 * SECOND), st.integers(1, 40)), min_size=1, max_size=80)


@given(limit=st.sampled_from([1, 3, 100, 101, 250]), attempts=ATTEMPTS)
def test_no_period_ever_holds_more_starts_than_the_rate(limit, attempts):
    rate, starts, now, told = parse_rate(f"{limit}/10s"), (), 0, []
    for pause_us, wanted in attempts:
        now += pause_us
        count = min(wanted, rate.room(starts, now))
        if count:
            starts = rate.record(starts, now, count)
            told.append((now, count))
        assert sum(n for at, n in told if at > now - rate.period_us) <= limit
        assert len(starts) <= 102


@given(limit=st.sampled_from([1, 3, 100, 250]), attempts=ATTEMPTS)
def test_a_spent_rate_says_when_it_has_room_again(limit, attempts):
    rate, starts, now = parse_rate(f"{limit}/10s"), (), 0
    for pause_us, wanted in attempts:
        now += pause_us
        count = min(wanted, rate.room(starts, now))
        starts = rate.record(starts, now, count) if count else starts
        if not rate.room(starts, now):
            free_at = rate.free_at(starts, now)
            assert rate.room(starts, free_at - 1) == 0
            assert rate.room(starts, free_at) > 0


def test_a_clock_that_was_set_back_holds_the_queue_for_a_period_at_most():
    rate = parse_rate("2/10s")
    starts = rate.record((), 3600 * SECOND, 2)
    assert rate.room(starts, 3595 * SECOND) == 0
    assert rate.room(starts, 1800 * SECOND) == 2
