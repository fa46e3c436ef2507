"""Blocks are joined into the samples of the asked series and span, whether their columns are even or not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.reading.assembling import assemble
from holdfast.telemetry.metrics.reading.blocks import Block, Loose, block_of
from holdfast.telemetry.metrics.reading.even import join_even

Samples = dict[int, dict[int, float]]


def block(samples: Samples) -> Block:
    """Make a block of the samples of some ids by their time."""
    ids = np.array(sorted(samples), np.uint64)
    flat = [(row, at, value) for row, key in enumerate(ids.tolist()) for at, value in samples[key].items()]
    rows, times, values = zip(*flat, strict=True) if flat else ((), (), ())
    return block_of(ids, Loose(np.array(rows, np.int64), np.array(times, np.int64), np.array(values, np.float64)))


def even(ids: range, times: range, *, late: int = 0) -> Samples:
    """Give as many samples for each series; odd ones tick `late` later."""
    return {key: {at + late * (key % 2): float(1000 * key + at) for at in times} for key in ids}


def told(blocks: list[Samples], ids: list[int], start: int, end: int) -> list[list[tuple[int, float]]]:
    """Say what is to come out."""
    return [
        sorted((at, value) for each in blocks for at, value in each.get(key, {}).items() if start < at <= end)
        for key in ids
    ]


def joined(blocks: list[Samples], ids: list[int], start: int, end: int) -> list[list[tuple[int, float]]]:
    """Join and read back; series with equal clocks must have equal timestamps."""
    found = assemble([block(each) for each in blocks], np.array(ids, np.uint64), start, end)
    bounds = found.offsets.tolist()
    series = [[*zip(found.ts_ms[a:b].tolist(), found.values[a:b].tolist(), strict=True)] for a, b in pairwise(bounds)]
    clocks: dict[int, list[int]] = {}
    for clock, samples in zip(found.clocks.tolist(), series, strict=True):
        times = [at for at, _ in samples]
        assert clocks.setdefault(clock, times) == times
    assert found.has_empty == (not all(series))
    return series


@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize("ids", [[1, 2, 3, 4], [2], [1, 4], [3, 4]])
def test_even_blocks_are_joined_as_columns(ids: list[int], late: int) -> None:
    blocks = [even(range(1, 5), range(0, 50, 10), late=late), even(range(1, 5), range(50, 90, 10), late=late)]
    made = [block(each) for each in blocks]
    assert join_even(made, np.array(ids, np.uint64), 15, 75) is not None
    assert joined(blocks, ids, 15, 75) == told(blocks, ids, 15, 75)


def test_a_series_that_is_only_in_one_block_keeps_its_samples() -> None:
    blocks = [even(range(1, 3), range(0, 50, 10)), even(range(1, 5), range(50, 90, 10))]
    assert joined(blocks, [1, 4], 0, 80) == told(blocks, [1, 4], 0, 80)


def test_a_block_of_other_series_gives_nothing() -> None:
    blocks = [even(range(1, 3), range(0, 50, 10)), even(range(5, 9), range(0, 50, 10))]
    assert join_even([block(each) for each in blocks], np.array([1, 2], np.uint64), -1, 80) is not None
    assert joined(blocks, [1, 2], -1, 80) == told(blocks, [1, 2], -1, 80)


def test_clocks_with_other_counts_in_the_span_are_told_apart() -> None:
    blocks = [even(range(1, 5), range(0, 50, 10), late=3)]
    assert join_even([block(blocks[0])], np.array([1, 2], np.uint64), 1, 40) is None
    assert joined(blocks, [1, 2], 1, 40) == told(blocks, [1, 2], 1, 40)


def test_nothing_in_the_span_is_nothing_of_each() -> None:
    blocks = [even(range(1, 5), range(0, 50, 10))]
    assert joined(blocks, [1, 2], 41, 49) == [[], []]
    assert joined(blocks, [1, 2], 100, 200) == [[], []]
    assert joined(blocks, [], 0, 40) == []


def test_more_samples_than_allowed_are_refused() -> None:
    made = [block(even(range(1, 5), range(0, 50, 10)))]
    ids = np.array([1, 2, 3, 4], np.uint64)
    assert len(assemble(made, ids, -1, 40, most=20).values) == 20
    with pytest.raises(LimitError, match="20 samples"):
        assemble(made, ids, -1, 40, most=19)


times = st.integers(0, 9).map(lambda tick: tick * 10)


@st.composite
def some_blocks(draw: st.DrawFn) -> list[Samples]:
    made = []
    for slot in range(draw(st.integers(1, 3))):
        ids = draw(st.sets(st.integers(1, 6), min_size=1))
        clocks = draw(st.lists(st.sets(times, min_size=1), min_size=1, max_size=2))
        made.append({key: {slot * 100 + at: float(key + at) for at in clocks[key % len(clocks)]} for key in ids})
    return made


@given(some_blocks(), st.sets(st.integers(1, 6), min_size=1), st.integers(-5, 300), st.integers(0, 300))
def test_whatever_the_blocks_are_what_comes_out_is_theirs(
    blocks: list[Samples], ids: set[int], start: int, length: int
) -> None:
    wanted = sorted(ids)
    assert joined(blocks, wanted, start, start + length) == told(blocks, wanted, start, start + length)
