"""Matchers become questions about a label's value, with RE2's and Prometheus' meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.matching import chosen, compile_whole, question_of, whole_match
from holdfast.telemetry.metrics.samples import Matcher, MatchOp


@pytest.mark.parametrize(
    ("expression", "value", "does_match"),
    [
        ("a|b", "a", True),
        ("a|b", "ab", False),
        ("a|b|", "", True),
        ("web.*", "web\n1", True),
        ("web.+", "web", False),
        ("(?i)web", "WEB", True),
        ("b", "abc", False),
        ("^b$", "b", True),
        (".", "\n", True),
        ("", "", True),
        ("", "x", False),
    ],
)
def test_an_expression_matches_the_whole_value(expression: str, value: str, *, does_match: bool) -> None:
    assert whole_match(expression)(value) is does_match
    assert question_of(Matcher("l", MatchOp.MATCHES, expression))(value) is does_match
    assert question_of(Matcher("l", MatchOp.NOT_MATCHES, expression))(value) is not does_match


@given(st.text("ab|.*+c\n", max_size=6), st.text("abc\n", max_size=4))
def test_the_short_cuts_answer_as_re2_would(expression: str, value: str) -> None:
    try:
        slow = compile_whole(expression)
    except InvalidError:
        with pytest.raises(InvalidError):
            whole_match(expression)
        return
    assert whole_match(expression)(value) is (slow.fullmatch(value.encode()) is not None)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("(", "error parsing regexp: missing closing ): `(`"),
        ("[a", "error parsing regexp: missing closing ]: `[a`"),
        ("*a", "error parsing regexp: missing argument to repetition operator: `*`"),
        ("\udcff", "error parsing regexp: invalid UTF-8: `\ufffd`"),
        ("\udcff|.+", "error parsing regexp: invalid UTF-8: `\ufffd|.+`"),
    ],
)
def test_what_is_no_re2_is_refused_in_gos_words(expression: str, problem: str) -> None:
    with pytest.raises(InvalidError) as caught:
        question_of(Matcher("l", MatchOp.MATCHES, expression))
    assert caught.value.message == problem


def test_a_label_that_is_not_there_is_empty() -> None:
    series = [(("__name__", "up"), ("job", "web")), (("__name__", "up"),)]
    assert chosen(series, [Matcher("job", MatchOp.EQUAL, "")]) == [1]
    assert chosen(series, [Matcher("job", MatchOp.NOT_EQUAL, ""), Matcher("__name__", MatchOp.EQUAL, "up")]) == [0]
    assert chosen(series, [Matcher("job", MatchOp.MATCHES, "web|")]) == [0, 1]
