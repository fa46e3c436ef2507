from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog.refs import Ref
from holdfast.catalog.relations import Relation, RelationType, find_cycle, index_relations, reach

REFS = st.builds(Ref, st.sampled_from(["component", "group"]), st.just("default"), st.sampled_from("abcd"))
RELATIONS = st.builds(Relation, REFS, st.sampled_from(list(RelationType)), REFS)
GRAPHS = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), max_size=13)


def test_every_relation_type_has_an_inverse_of_its_own():
    for kind in RelationType:
        assert kind.inverse.inverse is kind
        assert kind.inverse is not kind


@given(st.lists(RELATIONS))
def test_both_ends_see_the_same_edges(stated):
    index = index_relations(stated)
    edges = {edge for found in index.values() for edge in found}
    assert edges == {edge.inverse for edge in edges}
    assert edges >= set(stated)
    assert all(edge.source == source for source, found in index.items() for edge in found)


@given(RELATIONS)
def test_an_edge_stated_at_both_ends_is_one_edge(relation):
    assert index_relations([relation]) == index_relations([relation, relation.inverse])


@given(GRAPHS)
def test_a_cycle_is_found_exactly_where_one_is(graph):
    cycle = find_cycle(graph)
    for here, there in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True):
        assert there in graph.get(here, ())
    assert len(set(cycle)) == len(cycle)
    goes_round = any(leads_to(graph, node, node) for node in graph)
    assert bool(cycle) is goes_round


@given(GRAPHS)
def test_reach_gives_each_reachable_node_once_and_ends(graph):
    for start in graph:
        found = list(reach(start, lambda node: graph.get(node, ())))
        assert len(set(found)) == len(found)
        assert set(found) == {node for node in range(13) if node != start and leads_to(graph, start, node)}


def test_a_chain_of_many_thousands_is_walked_without_recursion():
    chain = {number: [number + 1] for number in range(50_000)}
    assert find_cycle(chain) == ()
    assert sum(1 for _ in reach(0, lambda node: chain.get(node, ()))) == 50_000


def leads_to(graph, start, goal):
    waiting, seen = list(graph.get(start, ())), set()
    while waiting:
        node = waiting.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            waiting += graph.get(node, ())
    return False
