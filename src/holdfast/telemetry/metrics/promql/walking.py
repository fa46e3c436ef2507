"""Walks a syntax tree: for whoever wants to know what a query reads, or what stands within parentheses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from holdfast.telemetry.metrics.promql.nodes import Expr, Node, Paren, VectorSelector
from holdfast.telemetry.metrics.samples import Matcher


def walk(node: Node) -> Iterator[Node]:
    """Give the node and all below it, in the order of the text."""
    waiting = [node]  # no recursion: a row of operators is as deep as it is long
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(_below(one))


def count_nodes(node: Node) -> dict[int, int]:
    """Tell of the node and of all below it, by identity, how many nodes each is."""
    counts: dict[int, int] = {}
    for one in reversed(list(walk(node))):  # what is below comes before what it is below of
        counts[id(one)] = 1 + sum(counts[id(child)] for child in _below(one))
    return counts


def _below(node: Node) -> list[Node]:
    values = [getattr(node, each.name) for each in fields(node)]
    children = [child for value in values for child in (value if isinstance(value, tuple) else (value,))]
    return [child for child in children if isinstance(child, Node)]


def bare(node: Expr) -> Expr:
    """Give a node without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node


def selectors_of(expr: Expr) -> tuple[tuple[Matcher, ...], ...]:
    """Give the matchers of every selector, each set once, in the order of the text."""
    return tuple(dict.fromkeys(node.matchers for node in walk(expr) if isinstance(node, VectorSelector)))
