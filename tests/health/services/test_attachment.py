from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.catalog import Entities
from holdfast.health.checks import Check
from holdfast.health.services import attach
from holdfast.kernel.errors import ConfigError, Place

PLACE = Place("checks/a.yaml", 7, "checks[0]")


@pytest.fixture
def entities(ops_folder):
    return ops_folder.read(a=component("payments", "system: shop"), b=component("orders", "system: shop"))


def check(service=None, labels=(), **selector):
    return Check("c", "http", spec=None, service=service, selector=selector, labels=dict(labels), place=PLACE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (check("payments"), {"payments"}),
        (check("Payments"), {"payments"}),
        (check("unheard-of"), {"unheard-of"}),
        (check(system="shop"), {"payments", "orders"}),
        (check(system="other"), set()),
        (check(), set()),
    ],
)
def test_a_check_speaks_for_what_it_names_or_selects(entities, given, expected):
    assert attach([given], entities).services["c"] == expected


def test_a_selector_that_asks_for_nonsense_is_refused_with_its_place(entities):
    with pytest.raises(ConfigError) as refused:
        attach([check(systm="shop"), check(system="shop"), check(owner="a b")], entities)
    one, other = refused.value.problems
    assert str(one).startswith("checks/a.yaml:7: checks[0].selector: services cannot be selected by 'systm'")
    assert "did you mean 'system'?" in one.hint
    assert "is not an entity reference" in str(other)


def test_what_is_worth_a_look_is_told(entities):
    checks = [check("paymnts"), check(system="x"), check("orders", {"impact": "partail"})]
    told = [str(warning) for warning in attach(checks, entities).warnings]
    assert "the service 'paymnts' is not in the catalog (did you mean 'payments'?)" in told[0]
    assert "picks no service" in told[1]
    assert "the impact 'partail' is not known, so the check counts in full (did you mean 'partial'?)" in told[2]
    assert len(told) == 3


def test_without_any_catalog_a_named_service_is_no_surprise():
    assert attach([check("payments")], Entities()).warnings == ()
