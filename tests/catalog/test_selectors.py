from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.catalog import Selector
from holdfast.kernel import decoding
from holdfast.kernel.errors import ConfigError, InvalidError

SYSTEM = (
    "---\napiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {owner: x, domain: sales}\n"
)


@pytest.fixture
def entities(ops_folder):
    web = component("web", "system: shop").replace(
        "name: web\n", "name: web\n  labels: {region: eu}\n  tags: [python]\n  annotations: {holdfast.dev/tier: '1'}\n"
    )
    database = component("db", "system: shop", kind="Resource").replace("service", "database")
    other = component("other").replace("platform", "group:research").replace("production", "experimental")
    return ops_folder.read(all=web + database + other + SYSTEM)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "WEB"}, ["web"]),
        ({"name": ["web", "db"]}, ["db", "web"]),
        ({"kind": "resource"}, ["db"]),
        ({"type": ["service", "database"]}, ["db", "other", "web"]),
        ({"tier": "1"}, ["web"]),
        ({"tag": "python"}, ["web"]),
        ({"owner": "platform"}, ["db", "web"]),
        ({"owner": "group:default/research"}, ["other"]),
        ({"owner": "user:research"}, []),
        ({"system": "shop"}, ["db", "web"]),
        ({"domain": "sales"}, ["db", "web"]),
        ({"lifecycle": "experimental"}, ["other"]),
        ({"labels": {"region": "eu"}}, ["web"]),
        ({"labels": {"region": "us"}}, []),
        ({"system": "shop", "kind": "component"}, ["web"]),
        ({}, []),
    ],
)
def test_a_selector_picks_the_services_for_which_all_of_it_holds(entities, given, expected):
    assert list(decoding.decode(Selector, given).select(entities)) == expected


def test_an_unknown_key_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError, match="did you mean 'owner'"):
        decoding.decode(Selector, {"ownr": "x"})


def test_the_flat_form_of_check_files_names_labels_by_their_prefix(entities):
    assert Selector.from_terms({"owner": "platform", "labels.region": "eu"}).select(entities) == ("web",)
    assert Selector.from_terms({"x.dev/region": "eu"}).labels == {"x.dev/region": "eu"}


def test_the_flat_form_refuses_a_key_that_is_neither_known_nor_a_label():
    with pytest.raises(InvalidError, match=r"did you mean 'owner'.*labels\.ownr"):
        Selector.from_terms({"ownr": "platform"})
