"""The identity of a series, and values carried from step to step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.series import series_id
from holdfast.telemetry.metrics.source import _carried

LABELS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


def named(name: str, labels: dict[str, str]) -> Labels:
    return labels_of({**labels, METRIC_NAME: name})


@given(st.lists(st.tuples(st.text(max_size=4), LABELS), max_size=20))
def test_different_series_have_different_ids_and_the_same_ones_the_same(series):
    ids = {}
    for name, labels in series:
        key = named(name, labels)
        assert ids.setdefault(series_id(key), key) == key
        assert named(name, dict(reversed(labels.items()))) == key


@given(LABELS, LABELS, st.text())
def test_the_series_of_one_metric_are_neighbours(one, other, name):
    assert len({series_id(named(name, labels)) >> 48 for labels in (one, other)}) == 1


def test_an_id_is_the_same_in_every_version_of_holdfast():
    assert series_id(named("up", {"job": "node", "instance": "a", "empty": ""})) == 6_373_241_247_982_696_977


@given(
    st.dictionaries(st.integers(-10, 20), st.floats(0, 1), max_size=15),
    st.integers(0, 15),
    st.integers(1, 6),
)
def test_every_step_has_the_newest_value_within_the_lookback(values, steps, held):
    known = sorted(values.items())
    expected = []
    for step in range(steps + 1):
        newest = max((slot for slot in values if step - held < slot <= step), default=None)
        if newest is not None:
            expected.append((step, values[newest]))
    assert _carried(known, steps, held) == expected
