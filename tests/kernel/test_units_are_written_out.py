"""Durations and moments are text with its unit or zone; anything else is told, not guessed and not a crash."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.kernel.units import Duration, Moment


@pytest.mark.parametrize("given", [5, "5", [], {}, None, "1m30"])
def test_what_is_no_duration_is_told(given: object) -> None:
    with pytest.raises(ValidationError, match="is not a duration"):
        TypeAdapter(Duration).validate_python(given)


@pytest.mark.parametrize("given", [0, 1_770_000_000, 1.5, True, []])
def test_a_bare_number_is_no_moment(given: object) -> None:
    with pytest.raises(ValidationError, match="is not a time"):
        TypeAdapter(Moment).validate_python(given)


def test_moments_are_read_from_text() -> None:
    assert TypeAdapter(Moment).validate_python("2026-02-01T12:00:00Z") == datetime(2026, 2, 1, 12, tzinfo=UTC)
