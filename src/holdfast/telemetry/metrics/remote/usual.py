"""Labels of new series in the way in which senders write them: sorted, none empty, within the limits.

Each distinct label is looked into once per request, and decoded only if its series comes in. What is written otherwise
is `version1`'s and `version2`'s to read with care, and to refuse with words.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.series import JOINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.intake import LabelLimits
    from holdfast.telemetry.metrics.labels import Labels

_NAME: Final = METRIC_NAME.encode()
_FIELD: Final = 0x0A
_REMEMBERED: Final = 4096  # labels per request; values that differ in each series are worth nothing

Parts = list[bytes]
"""What `identity_of` takes: the metric's name, then each other label's name and value, joined."""

_Label = tuple[bytes, bytes]
"""A label's name, and its part."""


class UsualLabels:
    """What one request says again and again."""

    def __init__(self, limits: LabelLimits) -> None:
        self._limits = limits
        self._labels: dict[bytes | tuple[bytes, bytes], _Label] = {}
        self._pairs: dict[bytes, tuple[str, str]] = {}

    def read(self, data: bytes, at: int, end: int) -> tuple[Parts, int] | None:
        """Give the parts of the labels of a 1.0 series at `at` and where they end; None if anything is unusual."""
        parts = [b""]
        before, find = b"", self._labels.get
        while at < end - 1 and data[at] == _FIELD:
            stop = at + 2 + data[at + 1]
            raw = data[at:stop]
            name, part = find(raw) or self._learn(raw)
            if name <= before:
                return None
            if name == _NAME:
                parts[0] = part
            else:
                parts.append(part)
            before = name
            at = stop
        return (parts, at) if at <= end and self._are_usual(parts) else None

    def of(self, pairs: Sequence[tuple[bytes, bytes]]) -> Parts | None:
        """Give the parts of the labels of a 2.0 series; None if anything is unusual."""
        parts = [b""]
        before, find = b"", self._labels.get
        for pair in pairs:
            name, part = find(pair) or self._make(pair, *pair)
            if name <= before:
                return None
            if name == _NAME:
                parts[0] = part
            else:
                parts.append(part)
            before = name
        return parts if self._are_usual(parts) else None

    def _are_usual(self, parts: Parts) -> bool:
        return bool(parts[0]) and len(parts) <= self._limits.max_labels

    def _learn(self, raw: bytes) -> _Label:
        """Give a label, or one that comes before all others if it is unusual."""
        size = len(raw)
        if size < 6 or raw[1] >= 0x80 or raw[1] + 2 != size or raw[2] != _FIELD:
            return b"", b""
        middle = 4 + raw[3]
        if middle + 2 >= size or raw[middle] != 0x12 or middle + 2 + raw[middle + 1] != size:
            return b"", b""
        return self._make(raw, raw[4:middle], raw[middle + 2 :])

    def _make(self, key: bytes | tuple[bytes, bytes], name: bytes, value: bytes) -> _Label:
        limits = self._limits
        if not value or len(name) > limits.max_label_name or len(value) > limits.max_label_value or JOINT in value:
            return b"", b""
        label = (name, value if name == _NAME else name + JOINT + value)
        if len(self._labels) < _REMEMBERED:
            self._labels[key] = label
        return label

    def labels(self, parts: Parts) -> Labels:
        """Give the label set.

        Raises:
            UnicodeDecodeError: a label is no UTF-8.
        """
        found = [self._pairs.get(part) or self._pair(part) for part in parts[1:]]
        found.append((METRIC_NAME, parts[0].decode()))
        found.sort()
        return tuple(found)

    def _pair(self, part: bytes) -> tuple[str, str]:
        name, _, value = part.partition(JOINT)
        pair = (intern(name.decode()), value.decode())
        if len(self._pairs) < _REMEMBERED:
            self._pairs[part] = pair
        return pair
