"""Bad descriptor files: each fault with its file, line, field and fix; nothing half-read."""

from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.kernel.errors import ConfigError

GOOD = component("a")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  owner: platform", "  ownr: platform", "a.yaml:9: spec.ownr: unknown key 'ownr' (did you mean 'owner'?"),
        ("  owner: platform", "  ownr: platform", "a.yaml:6: spec.owner: 'owner' is required"),
        ("  name: a", "  nmae: a", "a.yaml:5: metadata.nmae: unknown key 'nmae' (did you mean 'name'?"),
        ("metadata:", "metdata:", "a.yaml:4: metdata: unknown key 'metdata' (did you mean 'metadata'?"),
        ("kind: Component", "kind: component", "a.yaml:3: kind: unknown kind 'component' (did you mean 'Component'?)"),
        ("kind: Component", "kind: Componet", "a.yaml:3: kind: unknown kind 'Componet' (did you mean 'Component'?)"),
        ("v1alpha1", "v1", "a.yaml:2: apiVersion: unknown apiVersion 'backstage.io/v1' (write backstage.io/v1alpha1)"),
        ("name: a", "name: a b", "a.yaml:5: metadata.name: the name 'a b' must be"),
        ("name: a", "name: 12", 'a.yaml:5: metadata.name: expected text, found 12 (write "12" in quotes)'),
        ("name: a", "name: a\n  namespace: A_b", "metadata.namespace: the namespace 'A_b' must be"),
        ("name: a", "name: a\n  tags: [Python]", "metadata.tags[0]: the tag 'Python' must be"),
        ("name: a", "name: a\n  tags: python", "metadata.tags: expected a list, found 'python' (write tags: [...])"),
        ("name: a", "name: a\n  labels: {x: 'not fine'}", "metadata.labels.x: the label's value 'not fine' must be"),
        ("name: a", "name: a\n  labels: {'A.b/x': y}", "must be a lower-case domain name"),
        (
            "name: a",
            "name: a\n  annotations:\n    x.dev/tier: 1",
            'a.yaml:7: metadata.annotations.x.dev/tier: expected text, found 1 (write "1" in quotes)',
        ),
        ("name: a", "name: a\n  annotations: {x: true}", 'found True (write "true" in quotes)'),
        ("name: a", "name: a\n  links: [{title: x}]", "metadata.links[0].url: 'url' is required"),
        ("name: a", "name: a\n  links: [{url: 'javascript:alert(1)'}]", "is not a link that a browser may follow"),
        (
            "name: a",
            "name: a\n  links: [{url: 'https://a.example', titel: x}]",
            "metadata.links[0].titel: unknown key 'titel' (did you mean 'title'?",
        ),
        ("type: service", "type: !!binary aGk=", "spec.type: JSON has no such value: b'hi'"),
        ("owner: platform", "owner: [platform]", "spec.owner: expected text, found a list"),
        (
            "owner: platform",
            "owner: a b",
            "spec.owner: 'a b' is not an entity reference (write [kind:][namespace/]name",
        ),
        ("owner: platform", "owner: platform\n  dependsOn: db", "spec.dependsOn: expected a list, found 'db'"),
        ("owner: platform", "owner: platform\n  dependsOn: [a, 7]", "spec.dependsOn[1]: expected text, found 7"),
    ],
)
def test_a_fault_names_the_place_and_the_fix(ops_folder, old, new, told):
    assert old in GOOD
    with pytest.raises(ConfigError) as refused:
        ops_folder.read(a=GOOD.replace(old, new, 1))
    assert told in str(refused.value)


def test_every_fault_of_every_file_is_told_at_once(ops_folder):
    with pytest.raises(ConfigError) as refused:
        ops_folder.read(
            a=GOOD.replace("owner", "ownr"), b="kind: [half", c="just text", d=component("d", "dependson: [x]")
        )
    files = {problem.place.file for problem in refused.value.problems}
    assert files == {f"services/{name}.yaml" for name in "abcd"}


def test_one_name_defined_twice_names_both_places(ops_folder):
    with pytest.raises(ConfigError) as refused:
        ops_folder.read(a=component("a"), b=component("b") + component("A"))
    assert str(refused.value).startswith(
        "services/b.yaml:14: metadata.name: component:default/a is defined twice: here and at services/a.yaml:5"
    )


def test_a_cyclic_dependency_names_every_step_with_its_place_and_the_fix(ops_folder):
    with pytest.raises(ConfigError) as refused:
        ops_folder.read(
            a=component("a", "dependsOn: [component:b]"),
            b=component("b", "dependencyOf: [component:a]", "dependsOn: [resource:c]"),
            c=component("c", "dependsOn: [component:a]", kind="Resource"),
        )
    told = str(refused.value)
    assert "component:default/a depends on component:default/b (services/a.yaml:10)" in told
    assert "component:default/b depends on resource:default/c (services/b.yaml:11)" in told
    assert "resource:default/c depends on component:default/a (services/c.yaml:10)" in told
    assert "remove one of these dependsOn relations" in told


def test_a_thing_that_depends_on_itself_is_a_cycle(ops_folder):
    with pytest.raises(ConfigError, match="component:default/a depends on component:default/a"):
        ops_folder.read(a=component("a", "dependsOn: [component:a]"))


def test_groups_that_are_each_others_parents_are_a_cycle(ops_folder):
    group = (
        "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: %s}\nspec: {type: team, parent: %s}\n"
    )
    with pytest.raises(ConfigError, match="is a child of"):
        ops_folder.read(g=group % ("a", "b") + group % ("b", "a"))


def test_a_half_written_file_is_refused_with_its_line(ops_folder):
    with pytest.raises(ConfigError, match=r"services/a\.yaml:4: .*half-written"):
        ops_folder.read(a="apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a")
