"""What the strict parser of OpenMetrics gives: families, labels, times, exemplars, starts; and the place of a fault."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.exposition import ExpositionError, PageExemplar, parse_openmetrics


def _samples(text: str):
    return list(parse_openmetrics(text.encode()).samples())


def test_a_family_has_what_is_said_about_it():
    page = b'# HELP wait_seconds How \\"long\\"\\nit takes\n'
    page += b"# TYPE wait_seconds gauge\n# UNIT wait_seconds seconds\nwait_seconds 1\n# EOF\n"
    (family,) = parse_openmetrics(page).families
    assert (family.name, family.type, family.unit) == ("wait_seconds", "gauge", "seconds")
    assert family.help == 'How "long"\nit takes'


def test_labels_are_sorted_with_the_name_among_them_and_without_empty_ones():
    (sample,) = _samples('x{b="2",a="one \\"quoted\\"\\n",empty=""} 4\n# EOF\n')
    assert sample.labels == (("__name__", "x"), ("a", 'one "quoted"\n'), ("b", "2"))
    assert sample.series == b'x{b="2",a="one \\"quoted\\"\\n",empty=""}'


def test_names_in_quotes_may_be_any_text():
    (sample,) = _samples('# TYPE "http.duration" gauge\n{"http.duration","über.label"="x"} 1.5\n# EOF\n')
    assert sample.labels == (("__name__", "http.duration"), ("über.label", "x"))


def test_times_are_seconds_and_become_milliseconds():
    (sample,) = _samples("x 1 1700000000.1234\n# EOF\n")
    assert sample.ts_ms == 1_700_000_000_123


def test_an_exemplar_has_its_own_labels_value_and_time():
    (sample,) = _samples('# TYPE x counter\nx_total 7 # {trace_id="abc"} 0.5 12.5\n# EOF\n')
    assert sample.exemplar == PageExemplar((("trace_id", "abc"),), 0.5, 12_500)


def test_a_counter_knows_since_when_it_counts():
    total, _ = _samples('# TYPE x counter\nx_total{a="1"} 7\nx_created{a="1"} 1700000000.5\n# EOF\n')
    assert (total.start_ms, total.created) == (1_700_000_000_500, 3)


def test_the_start_of_a_histogram_is_that_of_all_its_samples():
    text = '# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_count 3\nh_sum 2\nh_created 5\n# EOF\n'
    assert [sample.start_ms for sample in _samples(text)] == [5000, 5000, 5000, 0]


def test_bounds_are_written_the_canonical_way():
    text = '# TYPE h histogram\nh_bucket{le="1"} 3\nh_bucket{le="10000000"} 3\nh_bucket{le="+Inf"} 3\n# EOF\n'
    assert [dict(sample.labels)["le"] for sample in _samples(text)] == ["1.0", "1e+07", "+Inf"]


@pytest.mark.parametrize(
    ("page", "line", "words"),
    [
        ("x 1\ny abc\n# EOF\n", 2, "'abc' is not a number"),
        ("x 1\n", 1, "does not end with '# EOF'"),
        ("# TYPE x counter\nx_total -1\n# EOF\n", 2, "neither negative nor NaN"),
        ('x{a="1",a="2"} 1\n# EOF\n', 1, "stands twice"),
        ("# TYPE x counter\nx_created NaN\n# EOF\n", 2, "no time"),
        ('x{a="\udcff"} 1\n# EOF\n', 1, "not UTF-8"),
    ],
)
def test_a_fault_names_its_line(page, line, words):
    with pytest.raises(ExpositionError, match=words) as fault:
        parse_openmetrics(page.encode(errors="surrogateescape"))
    assert fault.value.place.line == line


def test_a_time_beyond_all_numbers_is_cut_to_the_largest():
    (sample,) = _samples("x 1 1e999\n# EOF\n")
    assert sample.ts_ms == 2**62


@pytest.mark.parametrize("kind", ["counter", "histogram", "gaugehistogram", "info"])
def test_a_sample_with_the_bare_name_of_a_type_that_has_suffixes_is_a_fault(kind):
    with pytest.raises(ExpositionError, match=f"x is a {kind}"):
        parse_openmetrics(f"# TYPE x {kind}\nx 1\n# EOF\n".encode())
