"""Sampling leaves lines out by chance or by key, and what goes wrong is kept whole."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from holdfast import journal
from holdfast.journal import Sampling

log = journal.get_logger()


def configured(**options):
    stream = io.StringIO()
    told = journal.configure(stream=stream, **options)
    return told, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_rate_keeps_its_share_and_every_warning():
    draws = iter([0.05, 0.5, 0.09, 0.99])
    told, events = configured(sampling=Sampling(rate=0.1, draw=lambda: next(draws)))
    for number in range(4):
        log.info("busy", n=number)
    log.warning("kept")
    assert [event.get("n") for event in events()] == [0, 2, None]
    assert told.sampled_out == 2


def test_an_event_has_its_own_rate():
    _, events = configured(sampling=Sampling(events={"cache_hit": 0.0}))
    log.info("cache_hit")
    log.info("order_placed")
    assert [event["event"] for event in events()] == ["order_placed"]


def test_lines_with_one_key_stay_or_go_together():
    told, events = configured(sampling=Sampling(rate=0.3, by="correlation_id"))
    for number in range(200):
        with journal.bind(correlation_id=f"c{number}"):
            log.info("a")
            log.info("b")
    kept = [event["correlation_id"] for event in events()]
    assert all(kept.count(one) == 2 for one in kept)
    assert 0.15 < len(set(kept)) / 200 < 0.45
    assert told.sampled_out == 400 - len(kept)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="share"):
        Sampling(rate=rate)
    with pytest.raises(ValueError, match="share"):
        Sampling(events={"x": rate})


def test_all_lines_of_what_went_wrong_are_written_in_order():
    _, events = configured(level="warning", sampling=Sampling(rate=0.0))
    with pytest.raises(KeyError), journal.keep_on_error():
        log.debug("one")
        log.info("two")
        raise KeyError("sku")
    with journal.keep_on_error():
        log.debug("forgotten")
    log.debug("outside")
    assert [event["event"] for event in events()] == ["one", "two"]


def test_a_line_at_error_lets_what_waits_go_and_what_follows_too():
    _, events = configured()
    with journal.keep_on_error():
        log.debug("one")
        log.error("broke")
        log.debug("two")
    assert [event["event"] for event in events()] == ["one", "broke", "two"]


def test_the_buffer_is_bounded_and_keeps_the_newest():
    _, events = configured()
    with journal.keep_on_error(most_lines=3) as kept:
        for number in range(10):
            log.debug("n", n=number)
        kept.release()
    assert [event["n"] for event in events()] == [7, 8, 9]
    assert kept.held.dropped == 7


async def test_buffers_of_requests_side_by_side_do_not_mix():
    _, events = configured()

    async def serve(name, *, fails):
        with journal.keep_on_error() as kept:
            log.debug("step", of=name)
            await asyncio.sleep(0)
            log.debug("step", of=name)
            if fails:
                kept.release()

    await asyncio.gather(serve("good", fails=False), serve("bad", fails=True))
    assert [event["of"] for event in events()] == ["bad", "bad"]
