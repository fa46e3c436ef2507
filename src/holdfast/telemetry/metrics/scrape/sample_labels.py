"""From the labels of a sample on a page to those of its series: the target's joined, relabelled, within the limits.

Source: Prometheus 3, scrape.go (mutateSampleLabels, verifyLabelLimits). Done once per series and target.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import LimitError
from holdfast.telemetry.metrics.exposition import ExpositionError
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.scrape.relabelling import Relabelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.scrape.config import ScrapeJob

_EXPORTED: Final = "exported_"
_LEGACY_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LEGACY_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class SampleLabels:
    """The labels of the series of one target."""

    def __init__(self, job: ScrapeJob, relabelling: Relabelling, target: Labels) -> None:
        self._job = job
        self._relabelling = relabelling
        self._target = dict(target)

    @property
    def may_drop(self) -> bool:
        """Tell whether `of` may give None."""
        return bool(self._relabelling)

    def of(self, labels: Labels, empty: Sequence[str] = ()) -> Labels | None:
        """Give the labels of the series, or None if relabelling drops it, or all of its labels.

        `empty` are on the page without a value: where its labels are honoured, the target's give way to them.

        Raises:
            LimitError: it has too many labels, or too long ones.
            ExpositionError: relabelling left no name, or a name that is none.
        """
        joined = self._honored(labels, empty) if self._job.honor_labels else self._joined(labels)
        if self._relabelling:
            changed = self._relabelling.apply(joined)
            if not changed:
                return None
            joined = changed
        self._check(joined)
        return tuple(sorted(joined.items()))

    def report(self, name: str) -> Labels:
        """Give the labels of a series about the scrape itself."""
        return tuple(sorted({**self._target, METRIC_NAME: name}.items()))

    def _honored(self, labels: Labels, empty: Sequence[str]) -> dict[str, str]:
        return {name: value for name, value in self._target.items() if name not in empty} | dict(labels)

    def _joined(self, labels: Labels) -> dict[str, str]:
        exposed = dict(labels)
        joined = {**exposed, **self._target}
        for name in sorted(self._target.keys() & exposed.keys(), key=lambda name: (len(name), name)):
            moved = _EXPORTED + name
            while moved in joined:
                moved = _EXPORTED + moved
            joined[moved] = exposed[name]
        return joined

    def _check(self, labels: dict[str, str]) -> None:
        name = labels.get(METRIC_NAME, "")
        if not name:
            raise ExpositionError("a sample without a metric name after relabelling")
        if "" in labels or (self._job.reading.is_legacy and not _is_legacy(labels)):
            raise ExpositionError(f"{name!r} or a label of it is not a name that metric_name_validation_scheme allows")
        limits = self._job.limits
        if limits.labels and len(labels) > limits.labels:
            raise LimitError(f"label_limit exceeded: {name} has {len(labels)} labels, the limit is {limits.labels}")
        if not (limits.label_name_length or limits.label_value_length):
            return
        for label, value in labels.items():
            if limits.label_name_length and len(label.encode()) > limits.label_name_length:
                message = f"label_name_length_limit exceeded: {label[:50]!r} of {name}"
                raise LimitError(f"{message}, the limit is {limits.label_name_length}")
            if limits.label_value_length and len(value.encode()) > limits.label_value_length:
                message = f"label_value_length_limit exceeded: {label} of {name} begins with {value[:50]!r}"
                raise LimitError(f"{message}, the limit is {limits.label_value_length}")


def _is_legacy(labels: dict[str, str]) -> bool:
    return all(
        _LEGACY_METRIC.fullmatch(value) if name == METRIC_NAME else _LEGACY_LABEL.fullmatch(name)
        for name, value in labels.items()
    )
