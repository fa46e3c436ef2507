"""The agenda: grids that do not drift, an even spread, no bursts after a stall."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.engine.agenda import FIRST_RUN_WITHIN_S, Agenda


def run_until(agenda: Agenda, end_s: float, *, late_s: float = 0.0) -> list[tuple[float, str]]:
    """Take everything up to `end_s`, each time `late_s` after it was due."""
    taken = []
    while (at_s := agenda.next_s()) is not None and at_s + late_s <= end_s:
        taken += [(due.at_s, due.name) for due in agenda.take(at_s + late_s)]
    return taken


def test_the_first_run_comes_soon_however_long_the_period():
    agenda = Agenda(seed=1)
    for number in range(50):
        agenda.put(f"daily-{number}", 86400.0, 0.0)
    names = {name for _, name in run_until(agenda, FIRST_RUN_WITHIN_S)}
    assert len(names) == 50


@given(every_s=st.floats(1.0, 600.0), late_s=st.floats(0.0, 0.9))
def test_a_late_run_does_not_move_the_next(every_s, late_s):
    agenda = Agenda(seed=1)
    agenda.put("a", every_s, 0.0)
    times = [at_s for at_s, _ in run_until(agenda, every_s * 50, late_s=late_s)]
    grid = times[2:]
    for before, after in itertools.pairwise(grid):
        assert after - before == pytest.approx(every_s, abs=min(every_s * 0.02, 1.0) + 1e-6)
    assert len(times) >= 48


def test_checks_of_one_period_are_spread_evenly():
    agenda = Agenda(seed=1)
    for number in range(5000):
        agenda.put(f"check-{number}", 10.0, 0.0)
    run_until(agenda, 10.0)
    busy = Counter(int(at_s * 10) for at_s, _ in run_until(agenda, 19.0) if at_s >= 11.0)
    assert max(busy.values()) < 75, "50 per tenth of a second is even"
    assert min(busy.values()) > 25


def test_times_that_passed_during_a_stall_are_counted_and_not_caught_up():
    agenda = Agenda(seed=1)
    agenda.put("a", 1.0, 0.0)
    agenda.take(0.5)
    (due,) = agenda.take(100.2)
    assert due.missed >= 98
    assert agenda.due_s("a") == pytest.approx(101.0, abs=0.03)


def test_a_hastened_check_runs_early_once_and_then_on_its_grid():
    agenda = Agenda(seed=1)
    agenda.put("a", 60.0, 0.0)
    agenda.take(0.0)
    agenda.hasten("a", 10.0)
    agenda.hasten("a", 50.0)
    assert agenda.next_s() == 10.0
    assert [due.name for due in agenda.take(10.0)] == ["a"]
    assert agenda.due_s("a") == pytest.approx(60.0, abs=1.0)


def test_putting_a_check_again_keeps_its_times_unless_the_period_changes():
    agenda = Agenda(seed=1)
    agenda.put("a", 60.0, 0.0)
    agenda.take(0.0)
    before = agenda.due_s("a")
    agenda.put("a", 60.0, 30.0)
    assert agenda.due_s("a") == before
    agenda.put("a", 20.0, 30.0)
    assert agenda.due_s("a") != before
    assert len(agenda.take(31.0)) <= 1


def test_a_dropped_check_is_never_due_again():
    agenda = Agenda(seed=1)
    agenda.put("a", 1.0, 0.0)
    agenda.drop("a")
    assert agenda.next_s() is None
    assert agenda.take(1000.0) == []
    assert len(agenda) == 0
