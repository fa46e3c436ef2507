"""Walks a syntax tree: for whoever wants to know what a query reads, or what stands within parentheses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from holdfast.telemetry.metrics.promql.nodes import Expr, Node, Paren, VectorSelector
from holdfast.telemetry.metrics.samples import Matcher


def walk(node: Node) -> Iterator[Node]:
    """Give the node and all below it, in the order of the text."""
    yield node
    for each in fields(node):
        value = getattr(node, each.name)
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, Node):
                yield from walk(child)


def bare(node: Expr) -> Expr:
    """Give a node without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node


def selectors_of(expr: Expr) -> tuple[tuple[Matcher, ...], ...]:
    """Give the matchers of every selector, each set once, in the order of the text."""
    return tuple(dict.fromkeys(node.matchers for node in walk(expr) if isinstance(node, VectorSelector)))
