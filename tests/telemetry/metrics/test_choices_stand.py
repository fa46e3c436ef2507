"""What a selector chose is given again while it is the same, and never when it is not; it is written the same, too."""

from __future__ import annotations

import json

import numpy as np
import pytest

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry import Matcher, MatchOp
from holdfast.telemetry.metrics.api.results import Form, write_answer
from holdfast.telemetry.metrics.indexing import Group, SeriesIndex, chosen
from holdfast.telemetry.metrics.indexing.loading import SeriesRow
from holdfast.telemetry.metrics.labels import LabelSets, labels_of
from holdfast.telemetry.metrics.promql import Answer, Grid, ValueType
from holdfast.telemetry.metrics.reading.cache import Entry

HOUR_MS = 3_600_000
HITS = (Matcher("__name__", MatchOp.EQUAL, "hits"),)
OF_WEB = (*HITS, Matcher("job", MatchOp.EQUAL, "web"))


def row(number, first_ms=0, last_ms=HOUR_MS, job="web"):
    return SeriesRow("hits", labels_of({"__name__": "hits", "job": job, "n": str(number)}), number, first_ms, last_ms)


@pytest.fixture
def group(monkeypatch):
    group = Group("hits")
    group.note([row(1), row(2), row(3, job="db")])

    async def known(_self, _tenant, _name):
        return group

    monkeypatch.setattr(SeriesIndex, "group", known)
    return group


@pytest.fixture
def index(group, fake_clock):
    return SeriesIndex(None, fake_clock, most=1000, is_fed=True, is_alone=True)


async def choose(index, matchers=OF_WEB, start_ms=0, end_ms=HOUR_MS):
    return await index.choose(DEFAULT_TENANT, matchers, start_ms, end_ms)


async def test_the_same_question_gets_the_very_same_series_at_other_times_too(index):
    first = await choose(index)
    assert first.ids.tolist() == [1, 2]
    assert await choose(index) is first
    assert await choose(index, start_ms=10, end_ms=2 * HOUR_MS) is first
    assert (await choose(index, HITS)).ids.tolist() == [1, 2, 3]


async def test_what_is_announced_is_chosen_at_once(index, group):
    first = await choose(index)
    group.note([row(4)])
    second = await choose(index)
    assert second.ids.tolist() == [1, 2, 4]
    group.note([row(4, last_ms=9 * HOUR_MS)])
    third = await choose(index)
    assert (third.lives.last_heard_ms, second.lives.last_heard_ms) == (9 * HOUR_MS, HOUR_MS)
    assert first.ids.tolist() == [1, 2]


async def test_series_that_do_not_live_then_are_left_out(index, group):
    group.note([row(5, first_ms=5 * HOUR_MS, last_ms=9 * HOUR_MS)])
    assert (await choose(index)).ids.tolist() == [1, 2]
    both = await choose(index, end_ms=6 * HOUR_MS)
    assert both.ids.tolist() == [1, 2, 5]
    assert (await choose(index)).ids.tolist() == [1, 2]
    assert (await choose(index, start_ms=8 * HOUR_MS, end_ms=9 * HOUR_MS)).ids.tolist() == [5]
    assert (await choose(index, start_ms=20 * HOUR_MS, end_ms=21 * HOUR_MS)).ids.tolist() == []


async def test_choices_are_forgotten_when_they_are_too_many(index, monkeypatch):
    monkeypatch.setattr(chosen, "MOST_STANDING", 4)
    of_web, of_all = await choose(index), await choose(index, HITS)
    assert await choose(index, HITS) is of_all
    assert await choose(index) is not of_web


def lacked(entry, *ids):
    return entry.lacks(np.array(ids, np.uint64)).tolist()


def test_what_an_entry_lacks_is_told_after_it_had_all_as_well():
    entry = Entry(np.array([2, 4, 6], np.uint64), [], 0)
    assert (lacked(entry, 2, 4, 6), lacked(entry, 4), lacked(entry, 1, 4, 7)) == ([], [], [1, 7])
    asked = np.array([2, 6], np.uint64)
    assert [entry.lacks(asked).tolist() for _ in range(2)] == [[], []]
    assert lacked(entry, 2, 7) == [7]
    assert lacked(Entry(np.zeros(0, np.uint64), [], 0), 3) == [3]


@pytest.mark.parametrize("limit", [0, 1, 2, 9])
def test_remembered_label_sets_are_written_as_others_are(limit):
    labels = [row(1).labels, row(3, job='d"b').labels]
    grid = {"values": np.array([[1.5], [np.nan]]), "present": np.ones((2, 1), np.bool_)}

    def write(labels):
        answer = Answer(ValueType.VECTOR, np.array([1500]), Grid(labels, **grid))
        return json.loads(b"".join(write_answer(answer, Form(is_range=False, limit=limit))))

    standing = LabelSets(labels)
    expected = [
        {"metric": dict(each), "value": [1.5, value]} for each, value in zip(labels, ("1.5", "NaN"), strict=True)
    ]
    for each in (labels, standing, standing):
        assert write(each)["data"]["result"] == expected[: limit or 2]
    assert standing.written is not None
    assert standing == labels


def test_an_answer_of_nothing_is_an_empty_list():
    answer = Answer(ValueType.VECTOR, np.array([0]), Grid([], np.zeros((0, 1)), np.zeros((0, 1), np.bool_)))
    assert json.loads(b"".join(write_answer(answer, Form(is_range=False))))["data"]["result"] == []
