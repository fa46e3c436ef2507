"""OpenMetrics' own test vectors: each page is taken or refused as its `test.json` says."""

from __future__ import annotations

import json

import pytest

from fixtures.conformance import cases
from holdfast.telemetry.metrics.exposition import ExpositionError, make_template, parse_openmetrics


def _expectation(vector) -> bool:
    return json.loads((vector / "test.json").read_text())["shouldParse"]


@pytest.mark.parametrize("vector", cases("openmetrics", "*"))
def test_a_page_is_taken_or_refused_as_its_vector_says(vector):
    page = (vector / "metrics").read_bytes()
    if _expectation(vector):
        assert parse_openmetrics(page) is not None
        return
    with pytest.raises(ExpositionError) as refusal:
        parse_openmetrics(page)
    assert refusal.value.place.line >= 0


@pytest.mark.parametrize("vector", cases("openmetrics", "*"))
def test_the_fast_way_gives_what_the_strict_parser_gives(vector):
    page = (vector / "metrics").read_bytes()
    if not _expectation(vector):
        return
    parsed = parse_openmetrics(page)
    made = make_template(page, parsed, is_openmetrics=True)
    if made is None:
        assert any(sample.ts_ms is not None for sample in parsed.samples()) or not list(parsed.samples())
        return
    template, samples = made
    reading = template.read(page)
    if reading is not None:
        expected = [sample.value for sample in samples]
        assert [str(value) for value in reading.values.tolist()] == [str(value) for value in expected]
