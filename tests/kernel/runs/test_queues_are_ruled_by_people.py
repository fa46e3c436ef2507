"""What people say about a queue, what a process knows of it, and what it shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.kernel.errors import ConflictError, LimitError, NotFoundError
from holdfast.kernel.events import EventLog
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.kernel.runs.queues import Claimant, Queue, QueueBoard, QueueState
from kernel.runs.queuerows import START, enqueue, row

MAIL = Queue("mail", max_queued=3)
DEPLOYS = Queue("deploys", concurrency=1)


@pytest.fixture
def tables(db):
    return db


@pytest.fixture
def board(tables, fake_clock):
    return QueueBoard(tables, EventLog(tables, fake_clock), fake_clock, [MAIL, DEPLOYS])


async def test_a_pause_is_told_once_and_known_to_other_processes(tables, board, fake_clock):
    other = QueueBoard(tables, EventLog(tables, fake_clock), fake_clock, [MAIL])
    await board.pause("mail", actor="user/1")
    await board.pause("mail", actor="user/2")
    assert not board.may_start_at_once("mail")
    assert board.admit("mail") == MAIL
    assert other.may_start_at_once("mail")
    await other.refresh()
    assert not other.may_start_at_once("mail")
    events = await EventLog(tables, fake_clock).read(DEFAULT_TENANT, after=0)
    assert [(event.kind, event.actor, dict(event.data)) for event in events] == [
        ("queue.changed", "user/1", {"queue": "mail", "state": "paused"})
    ]
    await board.resume("mail", actor="user/1")
    assert board.may_start_at_once("mail")


async def test_a_draining_queue_takes_children_only(board):
    await board.drain("mail", actor="user/1")
    with pytest.raises(ConflictError, match="mail is draining"):
        board.admit("mail")
    assert board.admit("mail", is_child=True) == MAIL
    (view,) = [view for view in await board.views() if view.name == "mail"]
    assert (view.ruling.state, view.ruling.changed_by) == (QueueState.DRAINING, "user/1")


async def test_a_full_queue_refuses_and_takes_again_when_it_has_room(tables, board):
    for _ in range(3):
        board.admit("mail")
        await enqueue(tables, row(MAIL))
        board.note_queued("mail")
    with pytest.raises(LimitError, match=r"3 runs wait in queue mail \(max_queued\)"):
        board.admit("mail")
    claimed = await tables.write(lambda tx: board.claim(tx, Claimant("one", ("w",), 1)))
    board.note_claimed(claimed)
    assert board.admit("mail") == MAIL


async def test_a_process_that_starts_knows_how_full_the_queues_are(tables, board):
    await enqueue(tables, *(row(MAIL) for _ in range(5)))
    board.admit("mail")
    await board.refresh()
    with pytest.raises(LimitError):
        board.admit("mail")


async def test_nobody_skips_the_line(tables, board):
    assert board.may_start_at_once("mail")
    assert not board.may_start_at_once("deploys")
    await enqueue(tables, row(MAIL), row(MAIL))
    board.note_queued("mail")
    assert not board.may_start_at_once("mail")
    for room, is_free in ((1, False), (2, True)):
        claimed = await tables.write(lambda tx, room=room: board.claim(tx, Claimant("one", ("w",), room)))
        board.note_claimed(claimed)
        assert board.may_start_at_once("mail") is is_free


async def test_a_queue_that_is_gone_while_runs_wait_in_it_does_no_harm(tables, board):
    await enqueue(tables, row(DEPLOYS))
    board.note_queued("deploys")
    board.replace([DEPLOYS], [])
    await board.refresh_now_and_then(5.0)
    claimed = await tables.write(lambda tx: board.claim(tx, Claimant("one", ("w",), 5)))
    board.note_claimed(claimed)
    assert not claimed.runs
    with pytest.raises(NotFoundError):
        board.admit("deploys")


def test_two_queues_of_one_name_are_refused_and_the_default_may_be_limited(board):
    board.add(Queue("mail", max_queued=3))
    with pytest.raises(ConflictError, match="'mail' is there twice"):
        board.add(Queue("mail"))
    board.add(Queue("default", concurrency=5))
    assert board.find("default").concurrency == 5


async def test_an_unknown_queue_is_refused_with_a_suggestion(board):
    with pytest.raises(NotFoundError, match="did you mean 'deploys'"):
        board.admit("deploy")
    with pytest.raises(NotFoundError):
        await board.pause("deploy", actor="user/1")


async def test_the_list_tells_depth_delay_load_and_the_longest_wait(tables, board, fake_clock):
    await enqueue(tables, row(MAIL), row(MAIL), row(MAIL, delay_s=60), row(Queue("elsewhere")))
    claimed = await tables.write(lambda tx: board.claim(tx, Claimant("one", ("w",), 1)))
    assert [one.queue for one in claimed.runs] == ["mail"]
    views = {view.name: view for view in await board.views()}
    assert set(views) == {"default", "deploys", "elsewhere", "mail"}
    mail = views["mail"]
    assert (mail.queued, mail.delayed, mail.running) == (1, 1, 1)
    assert (views["elsewhere"].queue, views["elsewhere"].queued) == (None, 1)
    assert views["default"].oldest_wait_s is None
    await fake_clock.advance(90)
    mail = {view.name: view for view in await board.views()}["mail"]
    assert (mail.queued, mail.delayed) == (2, 0)
    assert mail.oldest_wait_s >= 30
    assert START + timedelta(seconds=90) == fake_clock.now()
