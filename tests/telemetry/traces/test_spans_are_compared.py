"""What is over-represented among some spans is found, with its counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.traces import Row, spans
from holdfast.telemetry.traces import analysis, spans_of


def made(*attributes):
    return spans_of(spans([Row(1, number, attributes=each) for number, each in enumerate(attributes, 1)]))


def test_the_attribute_that_sets_the_slow_apart_comes_first():
    slow = made(*({"region": "eu", "version": "2", "user": number} for number in range(8)))
    fast = made(*({"region": "eu", "version": "2" if number < 10 else "1", "user": number} for number in range(8, 32)))
    first, *_ = analysis.compare(slow, fast)
    assert (first.name, first.value, first.chosen, first.others) == ("version", "2", 8, 2)
    assert first.lift == 1.0 / (10 / 32)
    assert {each.name for each in analysis.compare(slow, fast)} == {"version"}


def test_nothing_is_said_of_few_spans_or_without_others():
    assert analysis.compare(made({"a": 1}), made({"a": 2})) == []
    assert analysis.compare(made(*[{"a": 1}] * 5), []) == []


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=20),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=20),
)
def test_counts_are_true_and_lifts_above_one(chosen, others):
    for each in analysis.compare(made(*chosen), made(*others)):
        if each.name in {"a", "b", "c"}:
            assert each.chosen == sum(one.get(each.name) == each.value for one in chosen)
            assert each.others == sum(one.get(each.name) == each.value for one in others)
        assert each.lift > 1
