"""Counts words of which many differ, such as clients: put off and added up as columns, some blocks at a time.

A counter that takes a hundred thousand words with each block costs more than reading the block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.telemetry.logs.files.columns import array_of

_MOST: Final = 400_000  # words that wait


class Words:
    """Words on their way into a counter."""

    def __init__(self, counter: Counter[str]) -> None:
        self._counter = counter
        self._words: list[npt.NDArray[np.bytes_]] = []
        self._counts: list[Sequence[int]] = []
        self._size = 0

    def add(self, words: Sequence[bytes], counts: Sequence[int]) -> None:
        """Take words, each with how often it came; none ends with a zero byte."""
        if words:
            self._words.append(np.array(words))
            self._counts.append(counts)
            self._size += len(words)
        if self._size > _MOST:
            self.settle()

    def settle(self) -> None:
        """Count what waits."""
        if not self._words:
            return
        cells = np.concatenate(self._words)  # as wide as the longest
        column = pa.Array.from_buffers(pa.binary(cells.itemsize), len(cells), [None, pa.py_buffer(cells)])
        coded = column.dictionary_encode()
        counts = np.zeros(len(coded.dictionary), np.int64)
        np.add.at(counts, array_of(coded.indices), np.concatenate([np.array(each) for each in self._counts]))
        kind = np.dtype(f"S{cells.itemsize}")
        words = np.frombuffer(coded.dictionary.buffers()[1], kind, len(counts)).tolist()
        texts = b"\n".join(words).decode("utf-8", "replace").split("\n")
        for text, count in zip(texts, counts.tolist(), strict=True):
            self._counter[text] += count
        self._words, self._counts, self._size = [], [], 0
