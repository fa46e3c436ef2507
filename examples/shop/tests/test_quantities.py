"""Quantities as people type them."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.quantities import parse_bytes_per_s, parse_duration_s, parse_share


@pytest.mark.parametrize(
    ("text", "seconds"), [("800ms", 0.8), ("5s", 5), ("10m", 600), ("1h", 3600), ("1.5 s", 1.5), (" 2d ", 172800)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "share"), [("30%", 0.3), ("0%", 0), ("100 %", 1), ("2.5%", 0.025)])
def test_a_share_is_a_percentage(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize(("text", "rate"), [("5MB/s", 5_000_000), ("64 KiB/s", 65_536), ("1GB/s", 10**9)])
def test_a_leak_is_a_size_per_second(text: str, rate: int) -> None:
    assert parse_bytes_per_s(text) == rate


@pytest.mark.parametrize("parse", [parse_duration_s, parse_share, parse_bytes_per_s])
@given(text=st.text())
def test_anything_else_is_refused_by_name(parse, text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse(text) >= 0
        return
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse(text)


@pytest.mark.parametrize("text", ["101%", "30", "-5%", "0.3"])
def test_a_share_outside_of_the_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 30%"):
        parse_share(text)
