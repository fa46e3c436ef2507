"""`info()`: adds labels of info series, such as `target_info`, to the series of the same instance and job.

Source: promql/info.go. Only `instance` and `job` identify, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, name_of
from holdfast.telemetry.metrics.matching import question_of
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools, Ints
from holdfast.telemetry.metrics.promql.evaluation.binary.matching import show_labels
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, merge_same
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

IDENTIFYING: Final = ("instance", "job")
ANY_INFO: Final = Matcher(METRIC_NAME, MatchOp.MATCHES, ".+_info")
TARGET_INFO: Final = Matcher(METRIC_NAME, MatchOp.EQUAL, "target_info")


def info_matchers(chosen: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Give what selects the info series: `target_info`, unless other names are asked for, or some are excluded."""
    names = [matcher for matcher in chosen if matcher.label == METRIC_NAME]
    if not names:
        return (TARGET_INFO, *chosen)
    if all(matcher.op in {MatchOp.NOT_EQUAL, MatchOp.NOT_MATCHES} for matcher in names):
        return (ANY_INFO, *chosen)
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class InfoSeries:
    """The info series as an instant vector, and the time of each sample (S x T, milliseconds)."""

    frame: Frame
    ts_ms: Ints


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What the second argument of `info` asks for."""

    chosen: tuple[Matcher, ...]

    @property
    def data_labels(self) -> frozenset[str]:
        """The labels to add; empty for all."""
        return frozenset(matcher.label for matcher in self.chosen if matcher.label != METRIC_NAME)

    @property
    def allows_none(self) -> bool:
        """Tell whether a series may go without any info series."""
        return all(question_of(matcher)("") for matcher in self.chosen if matcher.label != METRIC_NAME)

    def is_info(self, labels: Labels) -> bool:
        """Tell whether a series is itself one of the info series, which are left alone."""
        names = [matcher for matcher in info_matchers(self.chosen) if matcher.label == METRIC_NAME]
        if self.chosen and not any(matcher.label == METRIC_NAME for matcher in self.chosen):
            return False
        return all(question_of(matcher)(name_of(labels)) for matcher in names)

    def added(self, base: Labels, info: Labels) -> dict[str, str]:
        """Give the labels that one info series adds to one series."""
        own = {name for name, _ in base}
        wanted = self.data_labels
        return {
            name: value
            for name, value in info
            if name != METRIC_NAME and name not in own and (not wanted or name in wanted)
        }


def identity(labels: Labels) -> Labels:
    """Give the labels by which a series finds its info series."""
    return tuple(pair for pair in labels if pair[0] in IDENTIFYING)


def enrich(frame: Frame, info: InfoSeries, ask: Enrichment) -> Frame:
    """Add labels to every series; where info series change over time, a series is cut where its labels change.

    Raises:
        QueryExecutionError: two info series of the same name and time apply, or disagree on a label.
    """
    if info.frame.is_histogram.any():
        raise QueryExecutionError("this should be an info metric, with float samples")
    by_identity = _by_identity([labels for labels in frame.labels if not ask.is_info(labels)], info.frame.labels)
    rows: list[int] = []
    labels_out: list[Labels] = []
    masks: list[Bools] = []
    for row, labels in enumerate(frame.labels):
        rivals = [] if ask.is_info(labels) else by_identity.get(identity(labels), [])
        if ask.is_info(labels):
            pieces = [(labels, frame.present[row])]
        else:
            pieces = _pieces(labels, frame.present[row], info, rivals, ask)
        for piece, mask in pieces:
            rows.append(row)
            labels_out.append(piece)
            masks.append(mask)
    taken = frame.take(rows)
    present = np.stack(masks) if masks else taken.present
    return merge_same(Frame(labels_out, taken.values, present, taken.drops, taken.histograms).without_empty_rows())


def _by_identity(series: Sequence[Labels], infos: Sequence[Labels]) -> dict[Labels, list[int]]:
    """Give the rows of info series by what they identify; of a label that any series has, only its values count.

    So does Prometheus, which selects them by it; a series that nothing identifies is given nothing.
    """
    known: dict[str, set[str]] = {}
    for labels in series:
        for name, value in identity(labels):
            known.setdefault(name, set()).add(value)
    rows: dict[Labels, list[int]] = {}
    for row, labels in enumerate(infos):
        mine = dict(identity(labels))
        if known and all(mine.get(name, "") in values for name, values in known.items()):
            rows.setdefault(identity(labels), []).append(row)
    return rows


def _pieces(
    labels: Labels, present: Bools, info: InfoSeries, rivals: list[int], ask: Enrichment
) -> list[tuple[Labels, Bools]]:
    """Cut one series into pieces of steps at which the same info series apply."""
    winners = _winners(info, rivals)
    steps = np.flatnonzero(present).tolist()
    pieces: dict[Labels, Bools] = {}
    for step in steps:
        rows = sorted(rows[step] for rows in winners if rows[step] >= 0)
        if not rows and not ask.allows_none:
            continue
        added: dict[str, str] = {}
        for row in rows:
            for name, value in ask.added(labels, info.frame.labels[row]).items():
                if added.setdefault(name, value) != value:
                    raise QueryExecutionError(f"conflicting label: {name}")
        merged = tuple(sorted({**dict(labels), **added}.items()))
        pieces.setdefault(merged, np.zeros_like(present))[step] = True
    return list(pieces.items())


def _winners(info: InfoSeries, rivals: list[int]) -> list[list[int]]:
    """Give for each info metric the row with the newest sample at each step, -1 where there is none."""
    by_name: dict[str, list[int]] = {}
    for row in rivals:
        by_name.setdefault(name_of(info.frame.labels[row]), []).append(row)
    winners = []
    for rows in by_name.values():
        times = np.where(info.frame.present[rows], info.ts_ms[rows], -1)
        best = times.max(axis=0)
        ties = (times == best) & (best >= 0)
        clash = np.flatnonzero(ties.sum(axis=0) > 1)
        if len(clash):
            step = int(clash[0])
            one, two = (rows[place] for place in np.flatnonzero(ties[:, step]).tolist()[:2])
            raise QueryExecutionError(
                f"found duplicate series for info metric: existing {show_labels(info.frame.labels[one])} @ "
                f"{int(best[step])}, new {show_labels(info.frame.labels[two])} @ {int(best[step])}"
            )
        chosen = np.asarray(rows)[times.argmax(axis=0)]
        winners.append(np.where(best >= 0, chosen, -1).tolist())
    return winners
