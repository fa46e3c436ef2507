"""Puts the spans of several hosts on one clock, as Jaeger's query service does it.

A child on another host that begins before its parent, or ends after it, is moved into the middle of it; all that ran on
the same host below it moves along. Within one host no clock is doubted. A consumer may well end after its producer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.traces.analysis.tree import NO_ROW
from holdfast.telemetry.traces.spans import SpanKind

if TYPE_CHECKING:
    from holdfast.telemetry.traces.analysis.tree import Tree
    from holdfast.telemetry.traces.spans import Span

_HOSTS: Final = ("host.id", "host.name", "k8s.pod.uid", "k8s.pod.name", "container.id", "service.instance.id", "ip")


def align(tree: Tree) -> Tree:
    """Give the tree with starts and ends on the clock of the topmost spans, and what was added to each."""
    starts, ends, skews = list(tree.starts_ns), list(tree.ends_ns), list(tree.skews_ns)
    hosts = [host_of(span) for span in tree.spans]
    for row, parent in enumerate(tree.parents):
        if parent == NO_ROW:
            continue
        if _same_host(tree, hosts, row, parent):
            skew = skews[parent]
        else:
            skew = _skew(tree.spans[row], (starts[row], ends[row]), (starts[parent], ends[parent]))
        starts[row] += skew
        ends[row] += skew
        skews[row] = skew
    return replace(tree, starts_ns=starts, ends_ns=ends, skews_ns=skews)


def host_of(span: Span) -> str:
    """Give what tells the host of a span from others; empty if nothing does."""
    resource = span.resource
    return next((resource[name] for name in _HOSTS if resource.get(name)), "")


def _same_host(tree: Tree, hosts: list[str], row: int, parent: int) -> bool:
    if hosts[row] and hosts[parent]:
        return hosts[row] == hosts[parent]
    return tree.spans[row].service == tree.spans[parent].service


def _skew(child: Span, inner: tuple[int, int], outer: tuple[int, int]) -> int:
    (start, end), (from_ns, until_ns) = inner, outer
    is_later = child.kind is SpanKind.CONSUMER
    if start >= from_ns and (end <= until_ns or is_later):
        return 0
    if end - start > until_ns - from_ns or is_later:  # it went on after its parent gave up: only the start is known
        return max(from_ns - start, 0)
    return from_ns + (until_ns - from_ns - (end - start)) // 2 - start
