"""What moved is told with its time, and what only wavers is not."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.telemetry.correlate import Direction, judge

STEPS = 60


def noise(level: float, scatter: float, steps: int = STEPS, seed: int = 1):
    return level + scatter * np.random.default_rng(seed).standard_normal(steps)


def test_a_step_is_told_with_its_time_and_both_levels():
    window = noise(100, 3, seed=2)
    window[41:] += 80
    found = judge(noise(100, 3), window)
    assert found is not None
    assert (found.first, found.last, found.direction) == (41, STEPS - 1, Direction.UP)
    assert found.before == pytest.approx(100, abs=2)
    assert found.now == pytest.approx(180, abs=3)
    assert found.sure > 0.95


def test_a_spike_that_is_over_has_an_end():
    window = noise(20, 1, seed=3)
    window[10:14] = 5
    found = judge(noise(20, 1), window)
    assert found is not None
    assert (found.first, found.last, found.direction) == (10, 13, Direction.DOWN)


@pytest.mark.parametrize("seed", range(40))
def test_noise_is_no_movement(seed):
    assert judge(noise(50, 5, seed=seed), noise(50, 5, seed=seed + 1000)) is None


@pytest.mark.parametrize(
    ("draw", "most"),
    [
        (lambda generator: generator.normal(50, 5, STEPS), 0.01),
        (lambda generator: generator.exponential(1, STEPS), 0.03),
        (lambda generator: generator.poisson(2, STEPS).astype(float), 0.04),
        (lambda generator: generator.lognormal(0, 0.5, STEPS), 0.03),
        (lambda generator: generator.lognormal(0, 1, STEPS), 0.03),
        (lambda generator: generator.lognormal(0, 1.5, STEPS), 0.03),
        (lambda generator: 100 + 5 * generator.standard_t(3, STEPS), 0.05),
    ],
    ids=["normal", "exponential", "counts", "skewed", "lognormal", "very skewed", "long tails"],
)
def test_false_alarms_are_rare(draw, most):
    generator = np.random.default_rng(7)
    told = sum(judge(draw(generator), draw(generator)) is not None for _ in range(300))
    assert told / 300 <= most


@pytest.mark.parametrize(
    ("scatter", "factor", "length", "least"),
    [
        (0.1, 1.5, 20, 0.95),
        (0.1, 2, 20, 0.95),
        (0.1, 10, 2, 0.95),
        (0.5, 5, 20, 0.95),
        (0.5, 2, 30, 0.8),
        (1, 5, 30, 0.8),
    ],
)
def test_what_moved_is_found_in_skewed_noise_too(scatter, factor, length, least):
    generator = np.random.default_rng(7)
    told = 0
    for _ in range(100):
        before, window = generator.lognormal(3, scatter, (2, STEPS))
        window[20 : 20 + length] *= factor
        told += judge(before, window) is not None
    assert told / 100 >= least


def test_one_wild_value_before_hides_nothing():
    before = noise(10, 0.5)
    before[7] = 10_000
    window = noise(10, 0.5, seed=2)
    window[30:] = 20
    found = judge(before, window)
    assert found is not None
    assert (found.first, found.before) == (30, pytest.approx(10, abs=0.5))


def test_a_constant_that_changes_is_sure():
    found = judge(np.full(STEPS, 3.0), np.concatenate((np.full(20, 3.0), np.full(40, 4.0))))
    assert found is not None
    assert (found.first, found.before, found.now) == (20, 3, 4)


def test_what_comes_every_week_is_usual():
    window = noise(10, 0.5, seed=2)
    window[30:] = 40
    week = noise(10, 0.5, seed=5)
    week[30:] = 39
    found = judge(noise(10, 0.5), window, week)
    assert found is not None
    assert (found.is_usual, found.last_week) == (True, 39)
    fresh = judge(noise(10, 0.5), window, noise(10, 0.5, seed=5))
    assert fresh is not None
    assert not fresh.is_usual


def test_what_stands_elsewhere_than_last_week_is_told_as_a_guess():
    found = judge(noise(10, 0.5), noise(10, 0.5, seed=2), noise(50, 1, seed=3))
    assert found is not None
    assert (found.direction, found.sure <= 0.5) == (Direction.DOWN, True)
    assert found.last_week == pytest.approx(50, abs=1)


def test_a_curve_that_ends_is_gone():
    window = noise(10, 0.5, seed=2)
    window[25:] = np.nan
    found = judge(noise(10, 0.5), window)
    assert found is not None
    assert (found.direction, found.first) == (Direction.GONE, 25)


def test_too_little_is_no_answer():
    nothing = np.full(STEPS, np.nan)
    assert judge(nothing, noise(1, 1)) is None
    assert judge(nothing, nothing) is None
    few = nothing.copy()
    few[:3] = 1
    assert judge(few, noise(100, 1)) is None


def test_a_small_difference_is_left_out():
    window = noise(100, 0.1, seed=2)
    window[30:] += 5
    assert judge(noise(100, 0.1), window) is None
    small = np.concatenate((np.zeros(30), np.full(30, 0.4)))
    assert judge(np.zeros(STEPS), small, least=0.5) is None
    assert judge(np.zeros(STEPS), small, least=0.1) is not None
