"""Labels of new series in the way in which senders write them: sorted, none empty, within the limits.

Each distinct label is looked into once per request. What is written otherwise is `version1`'s and `version2`'s to read
with care, and to refuse with words.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.series import JOINT

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.intake import LabelLimits

_NAME: Final = METRIC_NAME.encode()
_FIELD: Final = 0x0A
_REMEMBERED: Final = 4096  # labels per request; values that differ in each series are worth nothing


class Label(NamedTuple):
    """One label: its name, the pair, and what `identity_of` takes of it."""

    name: bytes
    pair: tuple[str, str]
    part: bytes


class UsualLabels:
    """What one request says again and again."""

    def __init__(self, limits: LabelLimits) -> None:
        self._limits = limits
        self._labels: dict[bytes | tuple[bytes, bytes], Label] = {}

    def read(self, data: bytes, at: int, end: int) -> tuple[list[Label], int] | None:
        """Give the labels of a 1.0 series at `at` and where they end; None if anything is unusual."""
        found: list[Label] = []
        before, known = b"", self._labels
        is_named = False
        while at < end - 1 and data[at] == _FIELD:
            stop = at + 2 + data[at + 1]
            raw = data[at:stop]
            label = known.get(raw) or self._learn(raw)
            if label is None or label[0] <= before:
                return None
            before = label[0]
            is_named = is_named or before == _NAME
            found.append(label)
            at = stop
        return (found, at) if is_named and at <= end and len(found) <= self._limits.max_labels else None

    def of(self, pairs: list[tuple[bytes, bytes]]) -> list[Label] | None:
        """Give the labels of a 2.0 series; None if anything is unusual."""
        found: list[Label] = []
        before, is_named = b"", False
        for pair in pairs:
            label = self._labels.get(pair) or self._make(pair, *pair)
            if label is None or label[0] <= before:
                return None
            before = label[0]
            is_named = is_named or before == _NAME
            found.append(label)
        return found if is_named and len(found) <= self._limits.max_labels else None

    def _learn(self, raw: bytes) -> Label | None:
        size = len(raw)
        if size < 6 or raw[1] >= 0x80 or raw[1] + 2 != size or raw[2] != _FIELD:
            return None
        middle = 4 + raw[3]
        if middle + 2 >= size or raw[middle] != 0x12 or middle + 2 + raw[middle + 1] != size:
            return None
        return self._make(raw, raw[4:middle], raw[middle + 2 :])

    def _make(self, key: bytes | tuple[bytes, bytes], name: bytes, value: bytes) -> Label | None:
        if not value or len(name) > self._limits.max_label_name or len(value) > self._limits.max_label_value:
            return None
        try:
            pair = (intern(name.decode()), value.decode())
        except UnicodeDecodeError:
            return None
        label = Label(name, pair, value if name == _NAME else JOINT.join((name, value)))
        if len(self._labels) < _REMEMBERED:
            self._labels[key] = label
        return label
