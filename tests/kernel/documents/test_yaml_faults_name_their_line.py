"""Strict YAML: positions, suggestions, and no surprises from YAML 1.1."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict

from holdfast.kernel.documents import load_yaml, load_yaml_all
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.units import Duration, format_duration, format_size, parse_duration, parse_size


@dataclass(frozen=True, slots=True)
class Target:
    __pydantic_config__ = ConfigDict(extra="forbid")
    url: str
    timeout: Duration = 5.0


@dataclass(frozen=True, slots=True)
class Targets:
    __pydantic_config__ = ConfigDict(extra="forbid")
    targets: tuple[Target, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    named: dict[str, Target] = field(default_factory=dict)


def faults(tmp_path: Path, text: str, model: Any = Targets) -> list[str]:
    file = tmp_path / "targets.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_yaml(file, model, root=tmp_path)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text("targets:\n  - {url: a, timeout: 250ms}\nlabels: {on: 'off', version: '1.10'}\n")
    document = load_yaml(file, Targets, root=tmp_path)
    assert document.value.targets[0].timeout == 0.25
    assert document.value.labels == {"on": "off", "version": "1.10"}
    assert str(document.place("targets", 0, "url")) == "targets.yaml:2: targets[0].url"


def test_each_fault_has_its_line_and_fix(tmp_path: Path) -> None:
    told = faults(tmp_path, "targets:\n  - url: a\n    timeot: 1s\n  - timeout: 5\nnamed:\n  x:\n    ulr: b\n")
    assert "targets.yaml:3: targets[0].timeot: unknown key 'timeot' (did you mean 'timeout'?)" in told
    assert "targets.yaml:4: targets[1].url: 'url' is required" in told
    assert "targets.yaml:4: targets[1].timeout: 5 is not a duration: write 5s or 5ms" in told
    assert any(line.startswith("targets.yaml:7: named.x.ulr: unknown key 'ulr' (did you mean 'url'?)") for line in told)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("targets: [", "not valid YAML"),
        ("targets:\n\t- url: a", "not valid YAML"),
        ("labels: {a: b}\nlabels: {c: d}\n", "stands here twice"),
        ("- a\n- b\n", "expected a mapping, found a list"),
        ("targets: []\n---\ntargets: []\n", "one document is expected"),
        ("targets: !!python/object/apply:os.system [id]", "not valid YAML"),
        (
            "targets:\n\t- url: a",
            "targets.yaml:2: not valid YAML: found character that cannot start any token (indent with",
        ),
        ("targets: []\nlabels: \x00", "targets.yaml:2: the character '\\x00' has no place in a text"),
        ("labels:\n  a: !!int x", "targets.yaml:2: not valid YAML: 'x' is no int"),
        ("labels: {a: " + "9" * 5000 + "}", "targets.yaml:1: not valid YAML: '999"),
        ("labels:\n  ? [a, b]\n  : c", "targets.yaml:2: labels: a key is no text"),
        ("labels: &a\n  <<: *a", "too deeply or too large"),
        ("labels:\n  " + "k" * 300 + ": {}", "targets.yaml:2: labels.kkk"),
    ],
)
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, text: str, expected: str) -> None:
    told = faults(tmp_path, text)
    assert any(expected in line for line in told)
    assert all(line.startswith("targets.yaml") for line in told)


@pytest.mark.parametrize("text", ["[" * 1_000_000, "- " * 1_000_000, "{a: " * 10_000, "? " * 10_000 + "a"])
def test_depth_is_refused_before_the_composer_fills_the_stack(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, "targets:\n " + text, dict[str, Any]) == [
        "targets.yaml:2: nested too deeply or too large (at most 64 levels, and 200000 parts)"
    ]


def test_what_is_no_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_bytes(b"targets: []\nlabels: {a: \xff}\n")
    with pytest.raises(ConfigError, match=r"targets.yaml:2: the file is not UTF-8 text \(byte 24\)"):
        load_yaml(file, Targets, root=tmp_path)


def test_of_many_unknown_keys_the_first_hundred_are_told(tmp_path: Path) -> None:
    told = faults(tmp_path, "\n".join(f"k{number}: 1" for number in range(20_000)))
    assert (len(told), told[0].partition(" (")[0]) == (100, "targets.yaml:1: k0: unknown key 'k0'")


def test_aliases_that_explode_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert any("too large" in line for line in faults(tmp_path, "\n".join(lines), dict[str, Any]))


def test_empty_files_and_documents_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text("# nothing yet\n")
    assert load_yaml(file, Targets).value == Targets()
    file.write_text("---\n---\ntargets: []\n---\n")
    assert len(load_yaml_all(file, Targets)) == 1


@given(st.binary(max_size=300))
def test_garbage_never_escapes_as_anything_but_a_config_error(tmp_path_factory: Any, data: bytes) -> None:
    file = tmp_path_factory.mktemp("garbage") / "x.yaml"
    file.write_bytes(data)
    try:
        load_yaml_all(file, Targets)
    except ConfigError as error:
        error.problems[0].place.line  # noqa: B018 - has one, with a place


@given(st.integers(min_value=1, max_value=10**12))
def test_durations_survive_writing_and_reading(ms: int) -> None:
    assert parse_duration(format_duration(ms / 1000)) == pytest.approx(ms / 1000)


@pytest.mark.parametrize(
    ("text", "count"), [("512B", 512), ("10MB", 10_000_000), ("1GiB", 1024**3), ("1.5KiB", 1536), ("2kB", 2000)]
)
def test_sizes_mean_what_they_say(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["10", 10, "ten MB", "10 QB", None, "-5MB"])
def test_other_sizes_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


def test_sizes_are_written_for_people() -> None:
    assert [format_size(n) for n in (12, 1536, 10 * 1024**3)] == ["12 B", "1.5 KiB", "10.0 GiB"]
