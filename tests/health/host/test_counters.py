from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.host.counters import busy, rate, shares

MODES = st.dictionaries(st.sampled_from(["user", "system", "idle", "iowait", "steal", "guest"]), st.floats(0, 1e9))


def test_growth_becomes_a_rate():
    assert rate(100, 300, 4) == 50


@pytest.mark.parametrize(("before", "after", "elapsed"), [(None, 1, 1), (1, None, 1), (5, 1, 1), (1, 2, 0), (1, 2, -1)])
def test_a_reset_a_first_reading_or_no_time_yields_no_rate(before, after, elapsed):
    assert rate(before, after, elapsed) is None


@given(MODES, MODES)
def test_shares_are_shares_whatever_the_counters_do(before, after):
    found = shares(before, after)
    assert not found or sum(found.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in found.values())
    assert "guest" not in found
    assert busy(found) is None or 0 <= busy(found) <= 1


def test_waiting_for_a_disk_is_not_busy():
    found = shares({"user": 0, "idle": 0, "iowait": 0}, {"user": 1, "idle": 2, "iowait": 1})
    assert busy(found) == pytest.approx(0.25)
