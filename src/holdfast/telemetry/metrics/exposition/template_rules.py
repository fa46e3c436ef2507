"""The rules of OpenMetrics that depend on values, as index columns over a page whose rest is known to be right.

Stricter than the strict parser where that is simpler: what does not hold here is only sent there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from holdfast.telemetry.metrics.labels import name_of, without

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.exposition.page import Family, Page, PageSample

_FREE = frozenset({"gauge", "unknown"})


@dataclass(frozen=True, slots=True)
class TemplateRules:
    """Indexes into the values of a page."""

    counting: npt.NDArray[np.int64]
    quantiles: npt.NDArray[np.int64]
    ones: npt.NDArray[np.int64]
    states: npt.NDArray[np.int64]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    tops: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    takes_exemplar: npt.NDArray[np.bool_]

    def hold(self, values: npt.NDArray[np.float64]) -> bool:
        """Tell whether the values break no rule for sure."""
        counting, states = values[self.counting], values[self.states]
        return bool(
            ((counting >= 0) & (counting < np.inf)).all()
            and not (values[self.quantiles] < 0).any()
            and (values[self.ones] == 1).all()
            and ((states == 0) | (states == 1)).all()
            and (values[self.low] <= values[self.high]).all()
            and (values[self.tops] == values[self.counts]).all()
        )


def rules_of(page: Page, samples: list[PageSample]) -> TemplateRules:
    """Give the rules of a page; `samples` are all of it, in the order of their values."""
    index = {sample.line: number for number, sample in enumerate(samples)}
    found: dict[str, list[int]] = {name: [] for name in TemplateRules.__dataclass_fields__}
    takes_exemplar = np.zeros(len(samples), np.bool_)
    for family in page.families:
        for sample in family.samples:
            number, suffix = index[sample.line], name_of(sample.labels)[len(family.name) :]
            _sort_in(found, family, suffix, number)
            takes_exemplar[number] = (family.type == "counter" and suffix == "_total") or suffix == "_bucket"
        if family.type in {"histogram", "gaugehistogram"}:
            _climb(found, family, index)
    columns = {name: np.array(numbers, np.int64) for name, numbers in found.items() if name != "takes_exemplar"}
    return TemplateRules(**columns, takes_exemplar=takes_exemplar)


def _sort_in(found: dict[str, list[int]], family: Family, suffix: str, number: int) -> None:
    if family.type == "info":
        found["ones"].append(number)
    elif family.type == "stateset":
        found["states"].append(number)
    elif family.type == "summary" and not suffix:
        found["quantiles"].append(number)
    elif family.type not in _FREE:
        found["counting"].append(number)


def _climb(found: dict[str, list[int]], family: Family, index: dict[int, int]) -> None:
    """Pair the buckets of each histogram with their neighbours, and the topmost with the count."""
    ladders: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for sample in family.samples:
        if name_of(sample.labels).endswith("_bucket"):
            ladders.setdefault(without(sample.labels, "__name__", "le"), []).append(index[sample.line])
    for ladder in ladders.values():
        for low, high in pairwise(ladder):
            found["low"].append(low)
            found["high"].append(high)
    for sample in family.samples:
        top = ladders.get(without(sample.labels, "__name__"))
        if top and name_of(sample.labels).endswith(("_count", "_gcount")):
            found["tops"].append(top[-1])
            found["counts"].append(index[sample.line])
