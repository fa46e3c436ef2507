"""Which label sets may enter: well formed, named, and within the bounds of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """Bounds of one label set: labels with the name, characters of a name and of a value.

    `section` is where they are set, for messages.
    """

    max_labels: int = 64
    max_label_name: int = 1024
    max_label_value: int = 4096
    section: str = "remote_write"


class LabelsError(ValueError):
    """A label set that may not enter; the samples of its series are refused, the others are not."""


def admit_labels(pairs: Iterable[tuple[str, str]], limits: LabelLimits) -> Labels:
    """Give the label set of `pairs`, sorted; labels with an empty value are left out.

    Raises:
        LabelsError: a name is empty or twice, the metric has no name, or a limit is passed.
    """
    labels: Labels = tuple(sorted(pair for pair in pairs if pair[1]))
    if len(labels) > limits.max_labels:
        raise LabelsError(f"{_show(labels)} has {len(labels)} labels{_over(limits, 'max_labels')}")
    before, is_named = "", False
    for name, value in labels:
        if name == before:
            raise LabelsError(
                f"{_show(labels)} {f'has the label {_cut(name)} twice' if name else 'has a label without a name'}"
            )
        if len(name) > limits.max_label_name:
            raise LabelsError(f"the label name {_cut(name)} has {len(name)} letters{_over(limits, 'max_label_name')}")
        if len(value) > limits.max_label_value:
            raise LabelsError(
                f"{_show(labels)}: the value of {_cut(name)} has {len(value)} letters{_over(limits, 'max_label_value')}"
            )
        is_named = is_named or name == METRIC_NAME
        before = name
    if not is_named:
        raise LabelsError(f"{_show(labels)} has no metric name, which is the label {METRIC_NAME}")
    return labels


def _over(limits: LabelLimits, field: str) -> str:
    return f", more than {limits.section}.{field} = {getattr(limits, field)}"


def _show(labels: Labels) -> str:
    return _cut("{" + ", ".join(f'{name}="{value}"' for name, value in labels[:8]) + "}")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
