"""Every action of relabelling does what Prometheus does; so do its validation and its templates."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.scrape import Action, Relabelling, RelabelRule
from holdfast.telemetry.metrics.scrape.relabelling import check_rule

LABELS = {"a": "foo", "b": "bar", "c": "baz"}


def _apply(labels=LABELS, **rule):
    return Relabelling([RelabelRule(**rule)]).apply(labels)


COPY = {"source_labels": ("a",), "target_label": "d"}


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ({**COPY, "regex": "f(.*)", "replacement": "ch${1}-ch${1}"}, {"d": "choo-choo"}),
        ({**COPY, "source_labels": ("a", "b"), "regex": "f(.*);(.*)r", "replacement": "b${1}${2}m"}, {"d": "boobam"}),
        ({**COPY, "regex": "no_match", "replacement": "x"}, {}),
        ({**COPY, "regex": "(?P<name>f.*)", "replacement": "$name"}, {"d": "foo"}),
        ({**COPY, "regex": "f(.*)", "replacement": "$1x"}, {}),
        ({**COPY, "regex": "f(.*)", "replacement": "$$1"}, {"d": "$1"}),
        ({**COPY, "regex": "(f).*", "target_label": "${1}_l", "replacement": "v"}, {"f_l": "v"}),
        ({"target_label": "d", "replacement": "static"}, {"d": "static"}),
        ({**COPY, "target_label": "b", "replacement": ""}, {"b": None}),
        ({"source_labels": ("none",), "target_label": "b"}, {"b": None}),
        ({**COPY, "action": Action.UPPERCASE}, {"d": "FOO"}),
        ({**COPY, "action": Action.LOWERCASE, "source_labels": ("a", "b"), "separator": "-"}, {"d": "foo-bar"}),
        ({"action": Action.LABEL_MAP, "regex": "(b)", "replacement": "bar_$1"}, {"bar_b": "bar"}),
        ({"action": Action.LABEL_DROP, "regex": "a|b"}, {"a": None, "b": None}),
        ({"action": Action.LABEL_KEEP, "regex": "c"}, {"a": None, "b": None}),
    ],
)
def test_a_rule_changes_labels_as_prometheus_does(rule, changed):
    expected = {name: value for name, value in {**LABELS, **changed}.items() if value is not None}
    assert _apply(**rule) == expected
    assert LABELS == {"a": "foo", "b": "bar", "c": "baz"}


@pytest.mark.parametrize(
    ("rule", "is_kept"),
    [
        ({"action": Action.KEEP, "source_labels": ("a",), "regex": "f.*"}, True),
        ({"action": Action.KEEP, "source_labels": ("a",), "regex": "f"}, False),
        ({"action": Action.DROP, "source_labels": ("a",), "regex": ".*o.*"}, False),
        ({"action": Action.DROP, "source_labels": ("a",), "regex": "x"}, True),
        ({"action": Action.KEEP_EQUAL, "source_labels": ("a",), "target_label": "b"}, False),
        ({"action": Action.KEEP_EQUAL, "source_labels": ("a",), "target_label": "a"}, True),
        ({"action": Action.DROP_EQUAL, "source_labels": ("a",), "target_label": "a"}, False),
        ({"action": Action.DROP_EQUAL, "source_labels": ("a",), "target_label": "b"}, True),
    ],
)
def test_a_rule_keeps_or_drops_as_prometheus_does(rule, is_kept):
    assert _apply(**rule) == (LABELS if is_kept else None)


def test_hashmod_takes_the_last_eight_bytes_of_the_md5():
    changed = _apply(action=Action.HASH_MOD, source_labels=("c",), target_label="d", separator=";", modulus=1000)
    assert changed is not None
    assert changed["d"] == "976"  # as in Prometheus' own test of the value "baz"


def test_case_is_changed_one_character_by_one():
    changed = _apply({"a": "Straße"}, action=Action.UPPERCASE, source_labels=("a",), target_label="a")
    assert changed == {"a": "STRAßE"}
    changed = _apply({"a": "ΟΔΟΣ İ"}, action=Action.LOWERCASE, source_labels=("a",), target_label="a")
    assert changed == {"a": "οδοσ i"}


def test_of_two_labels_that_become_one_the_last_by_name_counts():
    changed = _apply({"b_x": "2", "a_x": "1"}, action=Action.LABEL_MAP, regex="._(.*)")
    assert changed == {"b_x": "2", "a_x": "1", "x": "2"}


def test_the_dot_matches_line_ends_too():
    assert _apply({"a": "x\ny"}, action=Action.KEEP, source_labels=("a",), regex="x.y") == {"a": "x\ny"}


def test_rules_run_in_order_and_each_can_be_watched():
    rules = Relabelling(
        [
            RelabelRule(target_label="d", replacement="1"),
            RelabelRule(action=Action.DROP, source_labels=("d",), regex="1"),
            RelabelRule(target_label="e", replacement="2"),
        ]
    )
    assert rules.apply(LABELS) is None
    assert [labels for _, labels in rules.stepwise(LABELS)] == [{**LABELS, "d": "1"}, None]


def test_names_that_are_not_ascii_are_targets_only_where_names_may_be_any_text():
    rule = RelabelRule(source_labels=("a",), target_label="${1}.x", regex="(.*)")
    assert Relabelling([rule]).apply({"a": "ü"}) == {"a": "ü", "ü.x": "ü"}
    assert Relabelling([rule], is_legacy=True).apply({"a": "ü"}) == {"a": "ü"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"action": Action.HASH_MOD, "target_label": "d"}, "modulus"),
        ({"regex": "x"}, "target_label"),
        ({"regex": "abc(def", "target_label": "x"}, "missing \\)"),
        ({"action": Action.LOWERCASE, "target_label": "x", "replacement": "y"}, "no replacement"),
        ({"action": Action.KEEP_EQUAL, "target_label": "x", "regex": "y"}, "only source_labels"),
        ({"action": Action.LABEL_DROP, "regex": "x", "separator": ","}, "only a regex"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule, words):
    with pytest.raises(InvalidError, match=words):
        check_rule(RelabelRule(**rule), is_legacy=False)


@pytest.mark.parametrize("target", ["0x", "a-b", "$", "${a-b}"])
def test_a_legacy_target_must_be_a_label_name_or_a_template_of_one(target):
    with pytest.raises(InvalidError, match="target_label"):
        check_rule(RelabelRule(target_label=target), is_legacy=True)


names = st.text("abc_", min_size=1, max_size=4)
label_sets = st.dictionaries(names, st.text(min_size=1, max_size=8), max_size=6)


@given(label_sets, st.text(max_size=10), st.integers(1, 2**63))
def test_hashmod_is_always_below_its_modulus_and_depends_on_the_value_alone(labels, value, modulus):
    changed = _apply(
        {**labels, "v": value}, action=Action.HASH_MOD, source_labels=("v",), target_label="h", modulus=modulus
    )
    assert changed is not None
    expected = int.from_bytes(hashlib.md5(value.encode(), usedforsecurity=False).digest()[8:], "big") % modulus
    assert changed["h"] == str(expected)


@given(label_sets, st.sampled_from(["a.*", ".*b", "c", ""]))
def test_labeldrop_and_labelkeep_part_the_labels(labels, regex):
    dropped = _apply(labels, action=Action.LABEL_DROP, regex=regex)
    kept = _apply(labels, action=Action.LABEL_KEEP, regex=regex)
    assert dropped is not None
    assert kept is not None
    assert {**dropped, **kept} == labels
    assert not set(dropped) & set(kept)


@given(label_sets)
def test_no_rule_leaves_an_empty_label(labels):
    changed = _apply(labels, source_labels=("a", "b"), separator="", target_label="c")
    assert changed is not None
    assert all(changed.values())
    assert changed.get("c", "") == labels.get("a", "") + labels.get("b", "")
