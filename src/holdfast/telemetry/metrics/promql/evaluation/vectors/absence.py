"""`absent` and `absent_over_time`: one series where there is none, with the labels that the selector asks for."""

from __future__ import annotations

import numpy as np

from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels
from holdfast.telemetry.metrics.promql.evaluation.arrays import Bools
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, empty_frame
from holdfast.telemetry.metrics.promql.nodes import Expr, MatrixSelector, Paren, VectorSelector
from holdfast.telemetry.metrics.samples import MatchOp


def absent(frame: Frame, argument: Expr) -> Frame:
    """Give 1 at the steps at which the frame has nothing."""
    missing: Bools = np.logical_not(frame.present.any(axis=0))
    if not missing.any():
        return empty_frame(len(missing))
    return Frame([labels_asked(argument)], np.ones((1, len(missing))), missing[None, :], np.zeros(1, dtype=np.bool_))


def labels_asked(argument: Expr) -> Labels:
    """Give the labels that a selector asks for by `=`, unless a later matcher is of the same label."""
    while isinstance(argument, Paren):
        argument = argument.expr
    if isinstance(argument, MatrixSelector):
        argument = argument.selector
    if not isinstance(argument, VectorSelector):
        return ()
    asked: dict[str, str] = {}
    settled = set()
    for matcher in argument.matchers:
        if matcher.label == METRIC_NAME:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.label not in settled:
            asked[matcher.label] = matcher.value
            settled.add(matcher.label)
        else:
            asked.pop(matcher.label, None)
    return tuple(sorted((name, value) for name, value in asked.items() if value))
