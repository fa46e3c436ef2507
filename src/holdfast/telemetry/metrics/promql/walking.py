"""Walks a syntax tree: for whoever wants to know what a query reads, or what stands within parentheses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from holdfast.telemetry.metrics.promql.nodes import Binary, Expr, Node, Paren, VectorSelector
from holdfast.telemetry.metrics.samples import Matcher


def walk(node: Node) -> Iterator[Node]:
    """Give the node and all below it, in the order of the text."""
    ahead = [node]
    while ahead:
        node = ahead.pop()
        yield node
        values = [getattr(node, each.name) for each in fields(node)]
        below = [child for value in values for child in (value if isinstance(value, tuple) else (value,))]
        ahead += [child for child in reversed(below) if isinstance(child, Node)]


def links_of(node: Binary) -> list[Binary]:
    """Give the operations of a chain that leans to the left, `a + b - c`, the first one first; chains may be long."""
    links = [node]
    while isinstance(links[-1].left, Binary):
        links.append(links[-1].left)
    return links[::-1]


def bare(node: Expr) -> Expr:
    """Give a node without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node


def selectors_of(expr: Expr) -> tuple[tuple[Matcher, ...], ...]:
    """Give the matchers of every selector, each set once, in the order of the text."""
    return tuple(dict.fromkeys(node.matchers for node in walk(expr) if isinstance(node, VectorSelector)))
