"""Fields that follow what the program does, through tasks and threads, and end with it."""

from __future__ import annotations

import asyncio
import logging
import threading

from holdfast import journal

log = journal.get_logger()


def test_bound_fields_are_on_every_line_inside_and_on_none_after(lines):
    with journal.bind(order_id=7):
        log.info("a")
        logging.getLogger("lib").warning("b")
    log.info("c")
    assert [event.get("order_id") for event in lines.events] == [7, 7, None]


def test_inner_values_win_and_outer_ones_come_back(lines):
    with journal.bind(step="outer", kept=1):
        with journal.bind(step="inner"):
            log.info("a")
        log.info("b")
    assert [(event["step"], event["kept"]) for event in lines.events] == [("inner", 1), ("outer", 1)]


def test_a_lines_own_field_wins_over_a_bound_one(lines):
    with journal.bind(order_id=7):
        log.info("a", order_id=8)
    assert lines.last["order_id"] == 8


async def test_tasks_inherit_fields_and_keep_their_own(lines):
    async def work(name):
        with journal.bind(worker=name):
            await asyncio.sleep(0)
            log.info("worked")

    with journal.bind(request="r1"):
        await asyncio.gather(work("a"), work("b"))
    assert sorted((event["worker"], event["request"]) for event in lines.events) == [("a", "r1"), ("b", "r1")]


async def test_a_thread_of_asyncio_inherits_fields(lines):
    with journal.bind(request="r1"):
        await asyncio.to_thread(log.info, "threaded")
    assert lines.last["request"] == "r1"


def test_fields_can_be_carried_into_a_thread_by_hand(lines):
    def work(fields):
        with journal.bind(**fields):
            log.info("threaded")

    with journal.bind(request="r1"):
        thread = threading.Thread(target=work, args=(journal.bound_fields(),))
        thread.start()
        thread.join()
    assert lines.last["request"] == "r1"


def test_the_correlation_id_is_the_bound_one_or_empty():
    assert not journal.correlation_id()
    fresh = journal.new_correlation_id()
    with journal.bind(correlation_id=fresh):
        assert journal.correlation_id() == fresh
    assert not journal.correlation_id()
    assert fresh != journal.new_correlation_id()
