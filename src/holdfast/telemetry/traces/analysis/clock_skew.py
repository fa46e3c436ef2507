"""Puts the spans of several hosts on one clock, as Jaeger's query service does it.

A child on another host that begins before its parent, or ends after it, is moved into the middle of it; all that ran on
the same host below it moves along. Within one host no clock is doubted. A consumer may well end after its producer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.traces.analysis.tree import NO_ROW
from holdfast.telemetry.traces.columns import Texts
from holdfast.telemetry.traces.spans import SpanKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.traces.analysis.tree import Tree

LAST_NS: Final = 2**63 - 1

_HOSTS: Final = ("host.id", "host.name", "k8s.pod.uid", "k8s.pod.name", "container.id", "service.instance.id", "ip")


def align(tree: Tree) -> Tree:
    """Give the tree with starts and ends on the clock of the topmost spans, and what was added to each."""
    apart = _are_apart(tree)
    if not _is_any_outside(tree, apart):
        return tree
    starts, ends, skews = tree.starts_ns.tolist(), tree.ends_ns.tolist(), tree.skews_ns.tolist()
    are_later = (tree.spans.kinds == SpanKind.CONSUMER).tolist()
    for row, (parent, is_apart) in enumerate(zip(tree.parents.tolist(), apart.tolist(), strict=True)):
        if parent == NO_ROW:
            continue
        skew = skews[parent]
        if is_apart:
            skew = _skew((starts[row], ends[row]), (starts[parent], ends[parent]), is_later=are_later[row])
        if skew:
            skew = max(min(skew, LAST_NS - ends[row]), min(-starts[row], 0))
            starts[row] += skew
            ends[row] += skew
            skews[row] = skew
    starts_ns, ends_ns, skews_ns = (np.array(each, np.int64) for each in (starts, ends, skews))
    return replace(tree, starts_ns=starts_ns, ends_ns=ends_ns, skews_ns=skews_ns)


def host_of(resource: Labels) -> str:
    """Give what tells the host of a resource's spans from others; empty if nothing does."""
    told = dict(resource)
    return next((told[name] for name in _HOSTS if told.get(name)), "")


def _are_apart(tree: Tree) -> npt.NDArray[np.bool_]:
    """Tell which spans have a parent that ran elsewhere: on another host, or in another service if nobody says."""
    hosts = Texts.of([host_of(resource) for resource in tree.spans.resources])
    unknown = hosts.values.index("") if "" in hosts.values else NO_ROW
    ran_on, services = hosts.codes[tree.spans.resource_refs], tree.spans.services.distinct().codes
    there = tree.parents  # of those at the top it is the last row, which does not matter
    are_known = (ran_on != unknown) & (ran_on[there] != unknown)
    is_other = np.where(are_known, ran_on != ran_on[there], services != services[there])
    found: npt.NDArray[np.bool_] = is_other & (tree.parents != NO_ROW)
    return found


def _is_any_outside(tree: Tree, apart: npt.NDArray[np.bool_]) -> bool:
    """Tell whether a clock is to be doubted at all; mostly none is."""
    rows = np.flatnonzero(apart)
    above = tree.parents[rows]
    is_early = tree.starts_ns[rows] < tree.starts_ns[above]
    is_late = (tree.ends_ns[rows] > tree.ends_ns[above]) & (tree.spans.kinds[rows] != SpanKind.CONSUMER)
    return bool((is_early | is_late).any())


def _skew(inner: tuple[int, int], outer: tuple[int, int], *, is_later: bool) -> int:
    (start, end), (from_ns, until_ns) = inner, outer
    if start >= from_ns and (end <= until_ns or is_later):
        return 0
    if end - start > until_ns - from_ns or is_later:  # it went on after its parent gave up: only the start is known
        return max(from_ns - start, 0)
    return from_ns + (until_ns - from_ns - (end - start)) // 2 - start
