"""What a trace tells beyond its spans, on traces made by hand and on any that hypothesis thinks of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.traces import MS, NOW_NS, Row, span_id, spans, trace_id
from holdfast.telemetry.traces import SpanKind, Trace, analysis
from holdfast.telemetry.traces.analysis import NO_ROW, RepetitionKind, WarningCode
from holdfast.telemetry.traces.tracing import gather

BACKEND = {"host.name": "b"}
FRONTEND = {"host.name": "a"}


def grown(*rows: Row):
    return analysis.align(analysis.grow(gather(spans(rows))[trace_id(1)]))


def names(tree) -> list[tuple[int, str]]:
    return [(depth, span.name) for depth, span in zip(tree.depths, tree.spans, strict=True)]


def path(tree) -> list[tuple[str, int, int]]:
    found = analysis.find_critical_path(tree)
    return [
        (tree.spans[piece.row].name, (piece.start_ns - NOW_NS) // MS, (piece.end_ns - NOW_NS) // MS) for piece in found
    ]


def codes(tree, duplicates: int = 0) -> list[WarningCode]:
    return [each.code for each in analysis.find_warnings(tree, duplicates)]


def test_rows_are_those_of_a_waterfall():
    tree = grown(
        Row(1, 4, 2, name="d", start_ms=3),
        Row(1, 3, 1, name="c", start_ms=4),
        Row(1, 2, 1, name="b", start_ms=2, length_ms=2),
        Row(1, 1, name="a", length_ms=100),
    )
    assert names(tree) == [(0, "a"), (1, "b"), (2, "d"), (1, "c")]
    assert list(tree.parents) == [NO_ROW, 0, 1, 0]
    assert tree.root == 0
    assert codes(tree) == []


def test_the_critical_path_goes_through_what_was_waited_for():
    tree = grown(
        Row(1, 1, name="root", length_ms=100),
        Row(1, 2, 1, name="beside", start_ms=10, length_ms=30),
        Row(1, 3, 1, name="slow", start_ms=20, length_ms=60),
        Row(1, 4, 3, name="inner", start_ms=30, length_ms=40),
        Row(1, 5, 1, name="before", start_ms=5, length_ms=10),
    )
    assert path(tree) == [
        ("root", 0, 5),
        ("before", 5, 15),
        ("root", 15, 20),
        ("slow", 20, 30),
        ("inner", 30, 70),
        ("slow", 70, 80),
        ("root", 80, 100),
    ]


def test_self_time_counts_children_that_overlap_once():
    tree = grown(
        Row(1, 1, name="root", length_ms=100),
        Row(1, 2, 1, start_ms=10, length_ms=30),
        Row(1, 3, 1, start_ms=30, length_ms=30),
        Row(1, 4, 1, start_ms=90, length_ms=50),
    )
    assert [own // MS for own in analysis.measure_self_times(tree)] == [40, 30, 30, 50]


def test_a_child_of_another_host_that_begins_too_early_is_moved_into_its_parent():
    tree = grown(
        Row(1, 1, name="call", length_ms=100, kind=SpanKind.CLIENT, resource=FRONTEND),
        Row(1, 2, 1, "store", "serve", -500, 60, resource=BACKEND),
        Row(1, 3, 2, "store", "read", -490, 20, SpanKind.INTERNAL, resource=BACKEND),
    )
    assert [(start - NOW_NS) // MS for start in tree.starts_ns] == [0, 20, 30]
    assert [skew // MS for skew in tree.skews_ns] == [0, 520, 520]
    (warned,) = analysis.find_warnings(tree)
    assert (warned.code, warned.rows) == (WarningCode.CLOCK_SKEW, [1])
    assert warned.message.startswith("Clocks differ: 1 span was moved")
    assert "+520.000 ms" in warned.message


def test_a_child_that_lasts_longer_than_its_parent_only_begins_with_it():
    tree = grown(
        Row(1, 1, length_ms=10, kind=SpanKind.CLIENT, resource=FRONTEND),
        Row(1, 2, 1, "store", "early", -5, 60, resource=BACKEND),
    )
    assert [(start - NOW_NS) // MS for start in tree.starts_ns] == [0, 0]


def test_within_a_host_and_for_consumers_no_clock_is_doubted():
    tree = grown(
        Row(1, 1, length_ms=10, kind=SpanKind.PRODUCER, resource=FRONTEND),
        Row(1, 2, 1, "mail", "take", 500, 5, SpanKind.CONSUMER, resource=BACKEND),
        Row(1, 3, 1, "beside", "late", 5, 50, resource=FRONTEND),
    )
    assert set(tree.skews_ns) == {0}


def test_halves_that_share_an_id_are_client_above_server_whichever_comes_first():
    for first, second in ((SpanKind.CLIENT, SpanKind.SERVER), (SpanKind.SERVER, SpanKind.CLIENT)):
        services = {SpanKind.CLIENT: "shop", SpanKind.SERVER: "cart"}
        tree = grown(
            Row(1, 1, name="root", length_ms=100),
            Row(1, 2, 1, services[first], "half", 10, 50, first),
            Row(1, 2, 1, services[second], "half", 10, 50, second),
            Row(1, 3, 2, "cart", "inner", 20, 10, SpanKind.INTERNAL),
        )
        assert [(depth, span.service) for depth, span in zip(tree.depths, tree.spans, strict=True)] == [
            (0, "shop"),
            (1, "shop"),
            (2, "cart"),
            (3, "cart"),
        ]


def test_what_is_missing_twice_or_in_a_circle_is_told():
    tree = grown(Row(1, 2, 1, name="orphan"), Row(1, 3, 2, name="child", start_ms=1, length_ms=2))
    assert codes(tree, 2) == [WarningCode.MISSING_ROOT, WarningCode.MISSING_PARENT, WarningCode.DUPLICATES]
    assert tree.spans[tree.root].name == "orphan"
    assert codes(grown(Row(1, 1), Row(1, 2))) == [WarningCode.MANY_ROOTS]
    ring = grown(Row(1, 1, 2, name="a"), Row(1, 2, 1, name="b", start_ms=1), Row(1, 3, 3, name="own", start_ms=2))
    assert WarningCode.CIRCLE in codes(ring)
    assert sorted(span.name for span in ring.spans) == ["a", "b", "own"]


def test_a_query_per_row_is_an_n_plus_one():
    rows = [Row(1, 1, name="list", length_ms=200)]
    for number in range(8):
        statement = {"db.statement": f"SELECT * FROM items WHERE id = {number} AND name = 'x{number}'"}
        rows.append(Row(1, 10 + number, 1, "shop", "SELECT", number * 12, 10, SpanKind.CLIENT, attributes=statement))
    (found,) = analysis.find_repetitions(grown(*rows))
    assert (found.kind, found.parent, len(found.rows), found.distinct, found.at_once) == (
        RepetitionKind.N_PLUS_ONE,
        0,
        8,
        8,
        1,
    )
    assert found.statement == "SELECT * FROM items WHERE id = ? AND name = ?"
    assert found.busy_ns == 80 * MS
    assert analysis.find_repetitions(grown(*rows[:5])) == []


def test_calls_made_at_once_are_a_fan_out():
    rows = [Row(1, 1, name="gather", length_ms=200)]
    rows += [Row(1, 10 + number, 1, "shop", "GET", number, 50, SpanKind.CLIENT) for number in range(12)]
    (found,) = analysis.find_repetitions(grown(*rows))
    assert (found.kind, found.at_once) == (RepetitionKind.FAN_OUT, 12)
    assert analysis.find_repetitions(grown(*rows[:9])) == []


@st.composite
def any_trace(draw) -> Trace:
    count = draw(st.integers(1, 25))
    ids = st.integers(0, count + 2)
    rows = []
    for number in range(1, count + 1):
        service = draw(st.sampled_from(["a", "b", "c"]))
        times = draw(st.integers(-50, 50)), draw(st.integers(0, 60))
        kind = draw(st.sampled_from(list(SpanKind)))
        rows.append(Row(1, number, draw(ids), service, draw(st.sampled_from("xyz")), *times, kind))
    return gather(spans(rows))[trace_id(1)]


@given(any_trace())
def test_any_trace_is_a_tree_with_each_span_once(trace):
    tree = analysis.align(analysis.grow(trace))
    assert sorted(span.span_id for span in tree.spans) == sorted(span.span_id for span in trace.spans)
    assert all(parent < row for row, parent in enumerate(tree.parents))
    for row, span in enumerate(tree.spans):
        assert tree.ends_ns[row] - tree.starts_ns[row] == span.duration_ns
        assert tree.starts_ns[row] == span.start_ns + tree.skews_ns[row]
    analysis.find_warnings(tree)
    analysis.find_repetitions(tree)


@given(any_trace())
def test_the_critical_path_covers_the_root_without_gap_or_overlap(trace):
    tree = analysis.align(analysis.grow(trace))
    pieces = analysis.find_critical_path(tree)
    at = tree.starts_ns[tree.root]
    for piece in pieces:
        assert piece.start_ns == at
        assert tree.starts_ns[piece.row] <= piece.start_ns < piece.end_ns <= tree.ends_ns[piece.row]
        at = piece.end_ns
    assert at == tree.ends_ns[tree.root]


@given(any_trace())
def test_self_times_are_within_the_span(trace):
    tree = analysis.align(analysis.grow(trace))
    for row, own in enumerate(analysis.measure_self_times(tree)):
        assert 0 <= own <= tree.ends_ns[row] - tree.starts_ns[row]
        if not tree.children[row]:
            assert own == tree.spans[row].duration_ns


def test_a_deep_trace_needs_no_recursion():
    count = 20_000
    rows = [Row(1, number, number - 1, "a", "n", 0, 1) for number in range(1, count + 1)]
    tree = grown(*rows)
    assert tree.depths[-1] == count - 1
    assert len(analysis.find_critical_path(tree)) == 1
    assert tree.spans[-1].span_id == span_id(count)
