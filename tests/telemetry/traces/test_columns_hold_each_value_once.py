"""Columns of spans hold each value once, and give the rows that were put in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.traces import Pairs, Texts

WORDS = st.sampled_from(["", "a", "b", "ü"])


@given(st.lists(WORDS))
def test_texts_come_back_as_they_were(rows):
    column = Texts.of(rows)
    assert list(column) == rows
    assert len(column.values) == len(set(rows))
    assert list(column[1:3]) == rows[1:3]


@given(st.lists(st.dictionaries(WORDS, st.tuples(WORDS, st.sampled_from("sidbj")), max_size=3)))
def test_attributes_come_back_by_span_with_their_types(rows):
    pairs = Pairs.of(rows)
    for place, row in enumerate(rows):
        assert pairs.row(place) == {key: text for key, (text, _) in row.items()}
        assert pairs.types(place) == "".join(letter for _, letter in row.values())
    chosen = np.array([place for place in range(len(rows)) if place % 2] * 2, np.intp)
    some = pairs.take(chosen)
    assert [some.row(at) for at in range(len(chosen))] == [pairs.row(place) for place in chosen.tolist()]
    first = [next(((name, *row[name]) for name in ("b", "a") if name in row), None) for row in rows]
    places = pairs.first_of(["b", "a"]).tolist()
    assert [(pairs.keys[at], pairs.values[at], pairs.letters[at]) if at >= 0 else None for at in places] == first
    wanted = {place: row["a"][0] for place, row in enumerate(rows) if "a" in row}
    assert pairs.rows_of("a") == wanted
    kept = pairs.kept(np.array([key != "a" for key in pairs.keys], np.bool_))
    for place, row in enumerate(rows):
        assert kept.row(place) == {key: text for key, (text, _) in row.items() if key != "a"}
