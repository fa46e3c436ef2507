"""Parents of checks as a graph."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from holdfast.health.checks.lineage import Lineage, find_circles


def test_descendants_come_after_all_of_their_ancestors():
    lineage = Lineage({"a": (), "b": ("a",), "c": ("a", "b"), "d": ("c",), "e": ()})
    assert lineage.descendants("a") == ("b", "c", "d")
    assert lineage.descendants("d") == ()
    assert lineage.parents("c") == ("a", "b")


def test_circles_are_found_with_their_way():
    assert find_circles({"a": ("b",), "b": ("c",), "c": ("a",), "d": ("a",)}) == [("a", "b", "c", "a")]
    assert find_circles({"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}) == []


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), max_size=10))
def test_a_circle_is_found_exactly_when_there_is_one(edges):
    parents = {str(name): tuple(map(str, above)) for name, above in edges.items()}

    def reaches(start: str, goal: str) -> bool:
        seen, todo = set(), list(parents.get(start, ()))
        while todo:
            name = todo.pop()
            if name == goal:
                return True
            if name not in seen:
                seen.add(name)
                todo += parents.get(name, ())
        return False

    circles = find_circles(parents)
    assert bool(circles) == any(reaches(name, name) for name in parents)
    for circle in circles:
        assert circle[0] == circle[-1]
        assert all(after in parents[before] for before, after in itertools.pairwise(circle))


def test_a_long_chain_does_not_exhaust_the_stack():
    chain = {str(number): (str(number - 1),) if number else () for number in range(20_000)}
    assert find_circles(chain) == []
    assert len(Lineage(chain).descendants("0")) == 19_999
