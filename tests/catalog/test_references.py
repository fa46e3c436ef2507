from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.catalog import Ref, parse_ref
from holdfast.kernel.errors import InvalidError

NAMES = st.from_regex(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", fullmatch=True)
KINDS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,62}", fullmatch=True)
NAMESPACES = st.from_regex(r"[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("payments", "component:default/payments"),
        ("Payments", "component:default/payments"),
        ("billing/payments", "component:billing/payments"),
        ("resource:payments-db", "resource:default/payments-db"),
        ("API:Billing/v1.Payments_x", "api:billing/v1.payments_x"),
    ],
)
def test_the_context_fills_in_what_a_reference_leaves_out(text, expected):
    assert str(parse_ref(text, kind="Component")) == expected


def test_the_namespace_defaults_to_that_of_the_referring_entity():
    assert parse_ref("group:sre", namespace="billing") == Ref("group", "billing", "sre")


@pytest.mark.parametrize(
    "text", ["", ":", "a:b:c", "a/b/c", "x:", "/x", "a b", "a:/b", "-a", "a-", "kind!:x", "x" * 64]
)
def test_other_forms_are_refused(text):
    with pytest.raises(InvalidError, match="is not an entity reference"):
        parse_ref(text, kind="component")


@given(KINDS, NAMESPACES, NAMES)
def test_what_a_reference_prints_reads_back_as_itself(kind, namespace, name):
    ref = parse_ref(f"{kind}:{namespace}/{name}")
    assert parse_ref(str(ref)) == ref
    assert parse_ref(str(ref).upper()) == ref


@given(st.text(max_size=80))
def test_any_text_is_a_reference_or_an_error_that_says_so(text):
    try:
        ref = parse_ref(text, kind="component")
    except InvalidError:
        return
    assert parse_ref(str(ref)) == ref
