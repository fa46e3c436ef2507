"""`label_replace` and `label_join`: they change labels and leave values alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, labels_of
from holdfast.telemetry.metrics.matching import compile_whole
from holdfast.telemetry.metrics.promql.errors import QueryExecutionError
from holdfast.telemetry.metrics.promql.evaluation.frames import Frame, merge_same
from holdfast.telemetry.metrics.promql.quoting import legible

REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")  # as regexp.Expand of Go reads `$1x` and `${1}x`


def label_replace(frame: Frame, target: str, template: str, source: str, pattern: str) -> Frame:
    """Set a label from what a pattern finds in another.

    Raises:
        QueryExecutionError: the pattern is no RE2, the name no label name, or two series become the same.
    """
    try:
        compiled = compile_whole(pattern)
    except InvalidError as error:
        raise QueryExecutionError(f"invalid regular expression in label_replace(): {legible(pattern)}") from error
    refuse_bad_name(target, "destination", "label_replace")
    labels: list[Labels] = []
    drops = frame.drops.copy()
    for row, before in enumerate(frame.labels):
        match = compiled.fullmatch(_bytes(dict(before).get(source, "")))
        if match is None:
            labels.append(before)
            continue
        labels.append(_with(before, target, expand(template, match)))
        if target == METRIC_NAME:
            drops[row] = False
    return merge_same(replace(frame, labels=labels, drops=drops))


def expand(template: str, match: Any) -> str:
    """Put what the groups found into a template: `$1`, `${1}`, `$name`, `${name}`; unknown ones are empty."""

    def fill(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        if name.isascii() and name.isdigit():
            number = int(name)
            found = match.group(number) if number <= match.re.groups else b""
        else:
            found = match.groupdict().get(_bytes(name))
        return (found or b"").decode("utf-8", "surrogateescape")

    return REFERENCE.sub(fill, template)


def label_join(frame: Frame, target: str, separator: str, sources: Sequence[str]) -> Frame:
    """Set a label to the values of others, joined.

    Raises:
        QueryExecutionError: a name is no label name, or two series become the same.
    """
    for source in sources:
        refuse_bad_name(source, "source", "label_join")
    refuse_bad_name(target, "destination", "label_join")
    labels = []
    for before in frame.labels:
        known = dict(before)
        labels.append(_with(before, target, separator.join(known.get(source, "") for source in sources)))
    drops = np.zeros_like(frame.drops) if target == METRIC_NAME else frame.drops
    return merge_same(replace(frame, labels=labels, drops=drops))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _with(labels: Labels, name: str, value: str) -> Labels:
    return labels_of({**dict(labels), name: value})


def refuse_bad_name(name: str, role: str, function: str) -> None:
    """Refuse what cannot be a label's name: nothing, or what is no UTF-8."""
    if not is_label_name(name):
        raise QueryExecutionError(f"invalid {role} label name in {function}(): {legible(name)}")


def is_label_name(name: str) -> bool:
    """Tell whether this can be a label's name: any UTF-8 that is not empty."""
    try:
        name.encode()
    except UnicodeEncodeError:  # lone surrogates stand for bytes that are no UTF-8
        return False
    return bool(name) and "\ufffd" not in name
