"""The identity of a series, and the memory of which ones the store knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.series import Life, SeriesCache, series_id, series_key
from holdfast.telemetry.metrics.source import _carried

START = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


@given(st.lists(st.tuples(st.text(max_size=4), LABELS), max_size=20))
def test_different_series_have_different_ids_and_the_same_ones_the_same(series):
    ids = {}
    for name, labels in series:
        key = series_key(DEFAULT_TENANT, name, labels)
        assert ids.setdefault(series_id(key), key) == key
        assert series_key(DEFAULT_TENANT, name, dict(reversed(labels.items()))) == key


@given(LABELS, LABELS, st.text())
def test_the_series_of_one_metric_are_neighbours(one, other, name):
    keys = [series_key(DEFAULT_TENANT, name, labels) for labels in (one, other)]
    assert len({series_id(key) >> 48 for key in keys}) == 1


def test_an_id_is_the_same_in_every_version_of_holdfast():
    key = series_key(DEFAULT_TENANT, "up", {"job": "node", "instance": "a", "empty": ""})
    assert series_id(key) == 6_373_241_247_982_696_977


def test_the_cache_forgets_what_was_not_seen_for_longest():
    cache = SeriesCache(2)
    keys = [series_key(DEFAULT_TENANT, name, {}) for name in "abc"]
    life = Life(START, START)
    for key in keys[:2]:
        cache.announced(key, life)
    cache.find(keys[0])
    cache.announced(keys[2], life)
    assert len(cache) == 2
    assert [cache.find(key) for key in keys] == [
        (series_id(keys[0]), life),
        (series_id(keys[1]), None),
        (series_id(keys[2]), life),
    ]


def test_the_life_of_a_series_only_grows():
    cache, key = SeriesCache(2), series_key(DEFAULT_TENANT, "a", {})
    for hours in (0, 3, -2, 1):
        at = START + timedelta(hours=hours)
        cache.announced(key, Life(at, at))
    assert cache.find(key)[1] == Life(START - timedelta(hours=2), START + timedelta(hours=3))


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
