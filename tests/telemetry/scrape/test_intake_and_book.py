"""What the book hears of a target's pages, and how a target follows a book that renumbers its series."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.exposition import DEFAULT_PROTOCOLS, Protocol
from holdfast.telemetry.metrics.scrape import Action, RelabelRule, ScrapeJob
from holdfast.telemetry.metrics.scrape.config import Limits, Reading
from holdfast.telemetry.metrics.scrape.intake import Intake, SampleLimitError
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling
from holdfast.telemetry.metrics.scrape.sample_labels import SampleLabels
from holdfast.telemetry.metrics.storing import Book, Everybody
from telemetry.scrape.conftest import TENANT

THROWS_AWAY = RelabelRule(action=Action.DROP, source_labels=("__name__",), regex="thrown")


@pytest.fixture
def book():
    return Book(TENANT, Everybody(), lambda *_: 60)


@pytest.fixture
def intake(book):
    def make(limits=Limits(), rules=(), **fields):  # noqa: B008 -- frozen
        job = ScrapeJob("shop", Path(), 15.0, 5.0, Reading(DEFAULT_PROTOCOLS), limits=limits, **fields)
        return Intake(job, SampleLabels(job, Relabelling(rules), (("job", "shop"),)), book, "scrape:shop/a:1")

    return make


def _take(intake, page, at_ms):
    return intake.take_parsed(page, intake.parse(page, Protocol.TEXT), Protocol.TEXT, at_ms)


@pytest.mark.parametrize("rules", [(), (THROWS_AWAY,)])
def test_series_of_pages_over_their_limit_are_not_counted_as_active(intake, book, rules):
    one = intake(Limits(samples=2), rules)
    for number in range(30):
        page = b"".join(b'x{n="%d-%d"} 1\n' % (number, own) for own in range(3)) + b"thrown 1\n"
        with pytest.raises(SampleLimitError) as refused:
            _take(one, page, number)
        assert (refused.value.exposed, refused.value.kept) == (4, 3 if rules else 4)
    assert (len(book), book.tally.total) == (0, 0)
    assert len(_take(one, b'x{n="29-0"} 1\nx{n="29-1"} 1\n', 40).refs) == 2
    assert [dict(labels)["n"] for labels in book.labels] == ["29-0", "29-1"]


def test_a_page_with_one_label_too_many_leaves_no_series_behind(intake, book):
    page = b'x 1\ny{a="1",b="2"} 1\n'
    with pytest.raises(Exception, match="label_limit exceeded: y"):
        _take(intake(Limits(labels=3)), page, 1)
    assert len(book) == 0


def test_what_relabelling_throws_away_does_not_count_for_the_limit(intake, book):
    taken = _take(intake(Limits(samples=1), (THROWS_AWAY,)), b"x 1\nthrown 1\n", 1)
    assert (taken.exposed, taken.kept, len(book)) == (2, 1, 1)


def test_series_that_a_target_had_end_although_the_book_has_renumbered_them(intake, book):
    for number in range(5):
        book.ref((("__name__", f"idle_{number}"),), origin="another")
    one = intake()
    taken = _take(one, b"x 1\ny 1\n", 1)
    book.used_s.live[taken.refs] = 100
    assert book.forget_idle(before_s=50) == 5
    assert {dict(book.labels[ref])["__name__"] for ref in one.lost().tolist()} == {"x", "y"}
    assert len(one.lost()) == 0


def test_series_that_were_forgotten_with_all_others_end_nobody_elses(intake, book):
    one = intake()
    _take(one, b"x 1\n", 1)
    book.forget_all()
    book.ref((("__name__", "of another"),), origin="another")
    assert len(one.lost()) == 0


@pytest.mark.parametrize("honors", [True, False])
def test_a_label_that_is_empty_on_the_page_keeps_the_targets_own_away_where_labels_are_honoured(intake, book, honors):
    for page, protocol in ((b'x{job=""} 1\n', Protocol.TEXT), (b'y{job=""} 1\n# EOF\n', Protocol.OPENMETRICS1)):
        one = intake(honor_labels=honors)
        one.take_parsed(page, one.parse(page, protocol), protocol, 1)
    expected = {} if honors else {"job": "shop"}
    assert [dict(labels) for labels in book.labels] == [{"__name__": name} | expected for name in "xy"]


def test_a_series_whose_type_becomes_known_has_its_bound_written_as_the_type_demands(intake, book):
    one, series = intake(), b'h_bucket{le="1"} 1\n'
    untyped = _take(one, series, 1)
    typed = _take(one, b"# TYPE h histogram\n" + series, 2)
    again = _take(one, b"# TYPE h gauge\n" + series, 3)
    bounds = [dict(book.labels[taken.refs[0]])["le"] for taken in (untyped, typed, again)]
    assert bounds == ["1", "1.0", "1"]


def test_a_time_of_zero_is_a_time_for_a_page_that_is_known_too(intake):
    one = intake()
    _take(one, b"x 1 5\ny 1\n", 1)
    taken = one.take_known(b"x 1 0\ny 1\n", Protocol.TEXT, 2)
    assert taken is not None
    assert taken.ts_ms.tolist() == [0, 2]


def test_of_several_samples_of_a_series_the_first_counts_however_they_are_written(intake, book):
    drops = RelabelRule(action=Action.LABEL_DROP, regex="b")
    one = intake(rules=(drops,))
    page = b'x{a="1"} 1\nx{a="1",} 2\ny{b="1"} 1\ny{b="2"} 2\nz{a="2",} 3\n'
    for number, taken in enumerate(
        (_take(one, page, 1), one.take_known(page.replace(b"} ", b"} 1"), Protocol.TEXT, 2))
    ):
        assert taken is not None
        values = {
            dict(book.labels[ref])["__name__"]: value for ref, value in zip(taken.refs, taken.values, strict=True)
        }
        assert (len(taken.refs), taken.exposed, taken.kept) == (3, 5, 5)
        assert values == {"x": 1 + 10 * number, "y": 1 + 10 * number, "z": 3 + 10 * number}
    assert _take(one, b'x{a="1",} 2\n', 3).values.tolist() == [2]


def test_several_times_of_a_series_are_several_samples(intake):
    assert _take(intake(), b'x{a="1"} 1 1\nx{a="1",} 2 2\nx{a="1"} 3 2\n', 5).ts_ms.tolist() == [1, 2]
    assert _take(intake(honor_timestamps=False), b'x{a="1"} 1 1\nx{a="1",} 2 2\n', 5).values.tolist() == [1]


HEADS = (b"# TYPE h histogram\n", b"# TYPE h gauge\n", b"# TYPE h summary\n", b"")
BODIES = (
    b'h_bucket{le="1"} %(a)d%(t)s\nh_bucket{le="+Inf"} %(b)d\nh_count %(b)d%(t)s\nh_sum 2%(t)s\nx{job=""} %(a)d%(t)s\n',
    b'x{job=""} %(a)d%(t)s\nx{ job=""} %(b)d\nh{quantile="1",le="1"} %(b)d\nh_bucket{quantile="1",le="1"} 1\n',
)
pages = st.builds(
    lambda head, body, a, b, t: head + body % {b"a": a, b"b": b, b"t": t},
    st.sampled_from(HEADS),
    st.sampled_from(BODIES),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from((b"", b"", b" 0", b" 7")),
)


@given(st.lists(pages, min_size=2, max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_pages_one_after_another_give_what_each_of_them_gives_alone(pages, is_custom, is_classic_too, honors):
    reading = Reading(DEFAULT_PROTOCOLS, is_custom=is_custom, is_classic_too=is_classic_too)
    job = ScrapeJob("shop", Path(), 15.0, 5.0, reading, honor_labels=honors, honor_timestamps=honors)
    labels = SampleLabels(job, Relabelling(()), (("job", "shop"),))

    def told(one, book, page, at_ms):
        taken = one.take_known(page, Protocol.TEXT, at_ms) or _take(one, page, at_ms)
        rows = zip(taken.refs.tolist(), taken.ts_ms.tolist(), taken.values.tolist(), strict=True)
        floats = sorted((book.labels[ref], ts_ms, value) for ref, ts_ms, value in rows)
        natives = sorted((book.labels[each.ref], each.ts_ms, repr(each.histogram)) for each in taken.histograms)
        return floats, natives, taken.exposed, taken.kept

    book = Book(TENANT, Everybody(), lambda *_: 60)
    lasting = Intake(job, labels, book, "one")
    for at_ms, page in enumerate(pages, start=1000):
        fresh = Book(TENANT, Everybody(), lambda *_: 60)
        alone = told(Intake(job, labels, fresh, "one"), fresh, page, at_ms)
        assert told(lasting, book, page, at_ms) == alone
