from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.catalog import Ref, RelationType, read_folder
from holdfast.kernel.errors import ConfigError

SHOP = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Payments
  title: Payments API
  description: |
    Takes money.
  labels:
    holdfast.dev/region: eu-1
  annotations:
    holdfast.dev/tier: "1"
    backstage.io/techdocs-ref: dir:.
    github.com/project-slug: shop/payments
  tags: [python, c++, grpc]
  links:
    - url: https://runbooks.example/payments
      title: Runbook
      icon: docs
spec:
  type: service
  lifecycle: production
  owner: team-pay
  system: shop
  providesApis: [payments-api]
  dependsOn:
    - resource:payments-db
    - orders
---
apiVersion: backstage.io/v1beta1
kind: Resource
metadata: {name: payments-db}
spec: {type: database, owner: team-pay, system: shop}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: payments-api}
spec:
  type: openapi
  lifecycle: production
  owner: team-pay
  definition:
    $text: ./openapi.yaml
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: team-pay, domain: commerce}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: commerce}
spec: {owner: team-pay}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-pay}
spec:
  type: team
  profile: {displayName: Payments team, email: pay@example.com}
  children: []
  members: [ada]
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {memberOf: [team-pay]}
"""


def test_every_kind_of_backstage_is_read_with_relations_from_both_ends(ops_folder):
    entities = ops_folder.read(shop=SHOP + component("orders", "consumesApis: [payments-api]"))
    payments = entities.service("payments")
    assert (payments.name, payments.tier, payments.description) == ("Payments", "1", "Takes money.")
    assert payments.links[0].title == "Runbook"
    told = {(edge.type.value, str(edge.target)) for edge in entities.relations_of(payments.ref)}
    assert told == {
        ("ownedBy", "group:default/team-pay"),
        ("partOf", "system:default/shop"),
        ("providesApi", "api:default/payments-api"),
        ("dependsOn", "resource:default/payments-db"),
        ("dependsOn", "component:default/orders"),
    }
    team = Ref("group", "default", "team-pay")
    assert len(entities.related(team, RelationType.OWNER_OF)) == 5
    assert entities.related(team, RelationType.HAS_MEMBER) == (Ref("user", "default", "ada"),)
    assert [entity.display_name for entity in entities.teams] == ["Payments team"]


def test_services_are_what_runs_under_the_name_that_people_use(ops_folder):
    entities = ops_folder.read(shop=SHOP, other=component("api", namespace="Billing"))
    assert list(entities.services) == ["Payments", "billing/api", "payments-db"]
    assert entities.service("PAYMENTS").name == "Payments"


def test_a_resource_that_shares_its_name_with_a_component_goes_by_its_kind_too(ops_folder):
    entities = ops_folder.read(a=component("redis", kind="Resource"), b=component("redis"))
    assert list(entities.services) == ["redis", "resource:redis"]
    assert entities.service("redis").kind == "Component"
    assert "goes by 'resource:redis'" in str(entities.warnings[-1])


def test_dependencies_run_through_apis_and_can_be_followed_all_the_way(ops_folder):
    entities = ops_folder.read(
        api="apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: prices}\n"
        "spec: {type: grpc, lifecycle: production, owner: platform, definition: x}\n",
        a=component("web", "consumesApis: [prices]"),
        b=component("pricing", "providesApis: [prices]", "dependsOn: [resource:db]"),
        c=component("db", kind="Resource"),
    )
    assert entities.dependencies("web") == ("pricing",)
    assert entities.all_dependencies("web") == ("pricing", "db")
    assert entities.dependents("db") == ("pricing",)
    assert entities.all_dependents("db") == ("pricing", "web")


def test_services_that_consume_each_others_apis_are_no_cycle_and_the_walk_ends(ops_folder):
    api = "---\napiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: %s}\n"
    spec = "spec: {type: grpc, lifecycle: production, owner: platform, definition: x}\n"
    entities = ops_folder.read(
        apis=api % "a-api" + spec + api % "b-api" + spec,
        a=component("a", "providesApis: [a-api]", "consumesApis: [b-api]"),
        b=component("b", "providesApis: [b-api]", "consumesApis: [a-api]"),
    )
    assert entities.all_dependencies("a") == ("b",)


def test_a_folder_without_services_has_an_empty_catalog(tmp_path):
    assert len(read_folder(tmp_path)) == 0


def test_hidden_files_and_editor_copies_are_not_read(ops_folder):
    ops_folder.write("services/.#a.yaml", "kind: [half")
    ops_folder.write("services/a.yaml~", "kind: [half")
    ops_folder.write("services/readme.md", "# hello")
    assert list(ops_folder.read(a=component("a")).services) == ["a"]


def test_a_dangling_reference_is_told_once_with_its_place_and_refuses_nothing(ops_folder):
    entities = ops_folder.read(a=component("a", "dependsOn: [resource:b]"), b=component("b"))
    told = [(str(warning.place), warning.message, warning.hint) for warning in entities.warnings]
    assert told == [
        (
            "services/a.yaml:9: spec.owner",
            "group:default/platform is named here and not in the catalog",
            "2 references; define it or mend them",
        ),
        (
            "services/a.yaml:10: spec.dependsOn[0]",
            "resource:default/b is named here and not in the catalog",
            "did you mean component:default/b?",
        ),
    ]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("scaffolder.backstage.io/v1beta3", "Template"),
        ("backstage.io/v1alpha1", "Environment"),
        ("backstage.io/v1alpha1", "AiResource"),
        ("shop.example/v1", "Componet"),
    ],
)
def test_an_unknown_kind_is_kept_and_warned_of(ops_folder, version, kind):
    entities = ops_folder.read(a=f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: t}}\nspec: {{steps: [1]}}\n")
    assert [str(entity.ref) for entity in entities] == [f"{kind.lower()}:default/t"]
    assert f"{kind!r} is not one that Holdfast knows" in str(entities.warnings[0])


def test_what_backstage_adds_on_export_is_passed_over(ops_folder):
    text = component("a").replace("name: a\n", "name: a\n  uid: 1-2\n  etag: x\n") + "relations: []\n"
    entities = ops_folder.read(a=text)
    assert "'relations' is computed" in str(entities.warnings[0])


def test_an_organisations_own_keys_are_let_in_by_the_setting(ops_folder):
    ops_folder.write("services/a.yaml", component("a", "costCentre: 7").replace("name: a\n", "name: a\n  team: x\n"))
    entities = read_folder(ops_folder.root, extra_keys=("spec.costCentre", "metadata.team"))
    assert entities.service("a").spec["costCentre"] == 7


def test_a_location_brings_in_files_of_the_ops_folder(ops_folder):
    ops_folder.write("teams/one.yaml", component("one"))
    ops_folder.write("teams/two.yaml", component("two"))
    location = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec:\n"
    entities = ops_folder.read(
        all=location + "  targets: [../teams/*.yaml, ./all.yaml, 'https://elsewhere.example/x.yaml']\n"
    )
    assert list(entities.services) == ["one", "two"]
    assert "is not read" in str(entities.warnings[0])


def test_a_location_of_urls_still_means_relative_files_and_misses_them_without_refusing(ops_folder):
    ops_folder.write("services/parts/one.yaml", component("one"))
    location = (
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec:\n  type: url\n"
        "  owner: platform\n  targets: [./parts/one.yaml, ./elsewhere/two.yaml]\n  rules: [{allow: [Component]}]\n"
    )
    entities = ops_folder.read(all=location)
    assert list(entities.services) == ["one"]
    assert any("no file './elsewhere/two.yaml'" in str(warning) for warning in entities.warnings)


def test_what_older_files_say_of_groups_is_taken(ops_folder):
    group = (
        "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: acme}\nspec:\n  type: organization\n"
        "  ancestors: []\n  children: [infra]\n  descendants: [infra, web]\n"
    )
    entities = ops_folder.read(g=group)
    assert entities.related(Ref("group", "default", "acme"), RelationType.PARENT_OF) == (
        Ref("group", "default", "infra"),
    )


@pytest.mark.parametrize("target", ["./gone.yaml", "../../etc/passwd", "/etc/passwd", "**x"])
def test_a_location_without_a_file_or_out_of_the_folder_is_refused(ops_folder, target):
    location = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec:\n"
    with pytest.raises(ConfigError, match="in the ops folder"):
        ops_folder.read(all=location + f"  target: '{target}'\n")
