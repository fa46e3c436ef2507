"""Text that leaves the process carries no credentials."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.secrets import Redactor, Secret, Secrets


def test_a_resolved_value_is_masked_from_then_on():
    secrets = Secrets.standard({"TOKEN": "opensesame"}, FakeClock())
    assert secrets.redactor.mask("opensesame") == "opensesame"
    secrets.resolve("Bearer ${env:TOKEN}")
    assert secrets.redactor.mask("refused: opensesame!") == "refused: ***!"


def test_encoded_forms_are_masked_too():
    redactor = Redactor()
    redactor.learn(Secret("p@ss/wörd"))
    encoded = base64.b64encode("p@ss/wörd".encode()).decode()
    masked = redactor.mask(f"/login?x=p%40ss%2Fw%C3%B6rd {encoded}")
    assert "p%40ss" not in masked
    assert encoded.rstrip("=") not in masked


def test_a_secret_inside_another_is_masked_whole():
    redactor = Redactor()
    redactor.learn(Secret("hunter"))
    redactor.learn(Secret("hunter22-long"))
    assert redactor.mask("x hunter22-long y") == "x *** y"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ada:pw@db:5432/x", "postgresql://***@db:5432/x"),
        ("cannot reach redis://:pw@cache/0 now", "cannot reach redis://***@cache/0 now"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("{'authorization': 'Basic YWRhOnB3'}", "{'authorization': '***'}"),
        ("sent bearer abcdefghijkl to it", "sent bearer *** to it"),
        ("GET /x?user=ada&api_key=12345&y=1", "GET /x?user=ada&api_key=***&y=1"),
        ('{"password": "pw", "name": "ada"}', '{"password": "***", "name": "ada"}'),
        ("hf_0123456789ab_abcdefghijklmnopqrstuvwxyz", "hf_***"),
        ("the token bucket is empty", "the token bucket is empty"),
    ],
)
def test_credentials_in_known_shapes_are_masked(text, masked):
    result = Redactor().mask(text)
    assert result.replace("Bearer ***", "***").replace("Basic ***", "***") == masked


def test_short_values_are_not_learned_because_they_would_mask_everything():
    redactor = Redactor()
    redactor.learn(Secret("a"))
    assert redactor.mask("a banana") == "a banana"


def test_the_oldest_values_are_forgotten_beyond_the_bound():
    redactor = Redactor(max_known=2)
    for value in ("first-value", "second-value", "third-value"):
        redactor.learn(Secret(value))
    assert redactor.mask("first-value second-value third-value") == "first-value *** ***"


@given(st.text(), st.text(min_size=4).filter(lambda value: "*" not in value))
def test_a_known_value_is_never_left_in_the_text(text, value):
    redactor = Redactor()
    redactor.learn(Secret(value))
    assert value not in redactor.mask(text + value + text)
