"""Binary operations between two vectors, and between a vector and a scalar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools
from holdfast.telemetry.metrics.promql.evaluation.binary import matching as matches
from holdfast.telemetry.metrics.promql.evaluation.binary.operators import ARITHMETIC, COMPARISONS, TRIMS, compute
from holdfast.telemetry.metrics.promql.evaluation.binary.pairs import Outcome, Side, operate, operate_with_histograms
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, Scalars, empty_frame, merge_same
from holdfast.telemetry.metrics.promql.evaluation.notes import Notes
from holdfast.telemetry.metrics.promql.nodes import Binary, Matching

PLAIN = Matching()


def scalar_with_scalar(node: Binary, left: Scalars, right: Scalars) -> Scalars:
    """Compute between scalars; a comparison (always `bool`) gives 0 or 1.

    Raises:
        QueryExecutionError: the operator is one of histograms, which the parser does not know to be none.
    """
    if node.op in TRIMS:
        raise QueryExecutionError(f'operator "{node.op}" not allowed for Scalar operations')
    values, holds = compute(node.op, left.values, right.values)
    return Scalars(values if holds is None else holds.astype(np.float64))


def vector_with_scalar(node: Binary, vector: Frame, scalar: Scalars, notes: Notes, *, is_swapped: bool) -> Frame:
    """Compute between a vector and a scalar; `is_swapped`: the scalar stands on the left."""
    mine, theirs = Side(vector.values, vector.histograms), Side(scalar.values[None, :])
    left, right = (theirs, mine) if is_swapped else (mine, theirs)
    outcome = _operate(node, left, right, vector.present, notes)
    values, histograms = outcome.values, outcome.histograms
    if node.op in COMPARISONS and not node.returns_bool:
        values, histograms = vector.values, vector.histograms  # the vector's own, on whichever side it stands
    drops = vector.drops
    if node.op in ARITHMETIC or node.returns_bool:
        drops = np.ones_like(drops)
    return Frame(vector.labels, values, outcome.kept, drops, histograms).without_empty_rows()


def _operate(node: Binary, left: Side, right: Side, present: np.ndarray, notes: Notes) -> Outcome:
    if left.histograms is None and right.histograms is None and node.op not in TRIMS:
        return operate(node.op, left, right, present, returns_bool=node.returns_bool)
    return operate_with_histograms(
        node.op, left, right, present, span=node.span, notes=notes, returns_bool=node.returns_bool
    )


def vector_with_vector(node: Binary, left: Frame, right: Frame, notes: Notes) -> Frame:
    """Match the two sides and compute.

    Raises:
        QueryExecutionError: matches are ambiguous.
    """
    rule = node.matching or PLAIN
    is_swapped = rule.card == "one-to-many"
    many, one = (right, left) if is_swapped else (left, right)
    many_keys, one_keys = matches.signatures(many.labels, rule), matches.signatures(one.labels, rule)
    has_fill = rule.fill_left is not None or rule.fill_right is not None
    if not (len(many.labels) and len(one.labels)) and not has_fill:
        return empty_frame(left.values.shape[1])
    # Where one side is empty and nothing fills it, Prometheus looks no further: duplicates do not matter there.
    active: Bools = np.asarray(many.present.any(axis=0) | has_fill)
    matches.refuse_duplicates(one, one_keys, "left" if is_swapped else "right", active)
    # As in Prometheus, the fills follow the swap: with `group_right`, `fill_left` stands in for the many side.
    more_one = _fill(rule.fill_right, (one, one_keys), (many, many_keys))
    more_many = _fill(rule.fill_left, (many, many_keys), (one, one_keys))
    many_keys += [] if more_many is None else list(more_many.labels)
    one_keys += [] if more_one is None else list(more_one.labels)
    many, one = matches.append(many, more_many), matches.append(one, more_one)
    return _compute_pairs(node, rule, (many, many_keys), (one, one_keys), notes)


def _fill(value: float | None, side: tuple[Frame, list[Labels]], other: tuple[Frame, list[Labels]]) -> Frame | None:
    return None if value is None else matches.fill_rows(*side, other[1], other[0], value)


def _compute_pairs(
    node: Binary, rule: Matching, many: tuple[Frame, list[Labels]], one: tuple[Frame, list[Labels]], notes: Notes
) -> Frame:
    pairing = matches.pair_up(many, one)
    if not len(pairing.many):
        return empty_frame(many[0].values.shape[1])
    here, there = many[0].take(pairing.many), one[0].take(pairing.one)
    present = here.present & there.present
    left, right = (there, here) if rule.card == "one-to-many" else (here, there)
    outcome = _operate(node, Side(left.values, left.histograms), Side(right.values, right.histograms), present, notes)
    labels = matches.result_labels(node.op, here.labels, there.labels, rule)
    numbers = pairing.signatures.tolist()
    if rule.card == "one-to-one":
        matches.refuse_overlaps(numbers, outcome.happened, matches.MANY_MATCHES)
    else:
        matches.refuse_overlaps(list(zip(numbers, labels, strict=True)), outcome.happened, matches.NOT_UNIQUE)
    drops = _names_that_go(node, rule, here.drops)
    result = Frame(labels, np.array(outcome.values), np.array(outcome.kept), drops, outcome.histograms)
    return merge_same(result.without_empty_rows())


def _names_that_go(node: Binary, rule: Matching, drops: np.ndarray) -> np.ndarray:
    """Tell which names are still to be dropped: arithmetic has done so, and a name that was asked for stays."""
    if node.returns_bool:
        return np.ones_like(drops)
    if node.op in ARITHMETIC or METRIC_NAME in rule.include:
        return np.zeros_like(drops)
    return drops


def combine_sets(node: Binary, left: Frame, right: Frame) -> Frame:
    """Compute `and`, `or`, `unless`."""
    rule = node.matching or PLAIN
    left_keys, right_keys = matches.signatures(left.labels, rule), matches.signatures(right.labels, rule)
    if node.op == "or":
        taken = matches.by_signature(left_keys, left.present, right_keys)
        rest = replace(right, present=right.present & ~taken).without_empty_rows()
        return _unite(left, rest)
    meets = matches.by_signature(right_keys, right.present, left_keys)
    present = left.present & (meets if node.op == "and" else ~meets)
    return replace(left, present=present).without_empty_rows()


def _unite(left: Frame, right: Frame) -> Frame:
    """Put both together; series of the same labels become one, whose name is dropped if one of them drops it."""
    both = matches.append(left, right)
    if len(set(both.labels)) == len(both.labels):
        return both
    known = {labels: bool(drop) for labels, drop in zip(left.labels, left.drops.tolist(), strict=True)}
    clashing = [known.get(labels, bool(drop)) for labels, drop in zip(both.labels, both.drops.tolist(), strict=True)]
    return merge_same(replace(both, drops=np.array(clashing, dtype=np.bool_)))
