"""Fields that follow what the program does, through tasks and threads, and end with it."""

from __future__ import annotations

import asyncio
import logging
import threading

import structlog

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
        thread.join(timeout=30)
    assert lines.last["request"] == "r1"


def test_the_correlation_id_is_the_bound_one_or_empty():
    assert not journal.correlation_id()
    fresh = journal.new_correlation_id()
    with journal.bind(correlation_id=fresh):
        assert journal.correlation_id() == fresh
    assert not journal.correlation_id()
    assert fresh != journal.new_correlation_id()


def test_an_event_may_be_said_by_name_and_a_field_may_be_called_self(lines):
    log.info(event="by_name", self=1)
    assert (lines.events[0]["event"], lines.events[0]["self"]) == ("by_name", 1)


def test_a_silent_logger_speaks_while_lines_are_held(lines):
    log.debug("unseen")
    with journal.keep_on_error() as held:
        log.debug("held")
        held.release()
    del held
    log.debug("unseen")
    assert [event["event"] for event in lines.events] == ["held"]


def test_a_silent_logger_follows_whoever_configures_structlog_later(lines):
    said = []

    def take(_logger, _level, event):
        said.append(event["event"])
        raise structlog.DropEvent

    structlog.configure(processors=[take], wrapper_class=structlog.BoundLogger)
    log.debug("theirs")
    assert (said, lines.events) == (["theirs"], [])


def test_a_task_that_outlives_its_block_still_holds_its_lines(lines):
    async def late(done):
        await done.wait()
        log.debug("late")

    async def main():
        done = asyncio.Event()
        with journal.keep_on_error() as held:
            task = asyncio.create_task(late(done))
            await asyncio.sleep(0)
            held.release()
        del held
        done.set()
        await task

    asyncio.run(main())
    assert [event["event"] for event in lines.events] == ["late"]
