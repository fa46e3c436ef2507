"""Every fault of the settings is told at once, with its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ConfigDict

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section, load
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    __pydantic_config__ = ConfigDict(extra="forbid")

    timeout: Duration = 5.0
    buffer: Size = 1024
    concurrency: int = 4
    is_strict: bool = False
    password: Secret = Secret("")
    tags: tuple[str, ...] = ()


SECTIONS = (Section("probe", ProbeSettings),)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "holdfast.toml"
    file.write_text(text)
    return file


def test_no_settings_at_all_give_the_defaults() -> None:
    assert load(SECTIONS, environ={})[ProbeSettings] == ProbeSettings()


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    file = written(tmp_path, '[probe]\ntimeout = "1s"\nconcurrency = 1\nbuffer = "2KiB"\n')
    environ = {"HOLDFAST_PROBE_CONCURRENCY": "2", "HOLDFAST_PROBE_BUFFER": "3KiB"}
    probe = load(SECTIONS, file=file, environ=environ, overrides={"probe": {"buffer": "4KiB"}})[ProbeSettings]
    assert (probe.timeout, probe.concurrency, probe.buffer) == (1.0, 2, 4096)


def test_environment_text_becomes_what_the_field_expects() -> None:
    environ = {"HOLDFAST_PROBE_IS_STRICT": "on", "HOLDFAST_PROBE_TAGS": "a, b", "HOLDFAST_PROBE_TIMEOUT": "1m30s"}
    probe = load(SECTIONS, environ=environ)[ProbeSettings]
    assert (probe.is_strict, probe.tags, probe.timeout) == (True, ("a", "b"), 90.0)


def test_a_secret_comes_from_a_file_and_prints_masked(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    settings = load(SECTIONS, environ={"HOLDFAST_PROBE_PASSWORD_FILE": str(tmp_path / "password")})
    assert settings[ProbeSettings].password.reveal() == "hunter2"
    assert "hunter2" not in repr(settings[ProbeSettings])
    assert settings.as_dict()["probe"]["password"] == "***"


def test_all_faults_are_told_with_file_line_field_and_fix(tmp_path: Path) -> None:
    file = written(tmp_path, '[probe]\nconcurrency = 1\ntimeot = "5s"\ntimeout = 5\n\n[prob]\nx = 1\n')
    with pytest.raises(ConfigError) as caught:
        load(SECTIONS, file=file, environ={"HOLDFAST_PROBE_CONCURENCY": "3"})
    told = "\n".join(map(str, caught.value.problems))
    assert f"{file}:3: probe.timeot: unknown key 'timeot' (did you mean 'timeout'?)" in told
    assert f"{file}:4: probe.timeout: 5 is not a duration: write 5s or 5ms" in told
    assert f"{file}:6: prob: unknown section 'prob' (did you mean 'probe'?)" in told
    assert "HOLDFAST_PROBE_CONCURENCY: unknown setting (did you mean 'HOLDFAST_PROBE_CONCURRENCY'?)" in told


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"[probe\n", "not valid TOML"), (b"\xff\xfe\x00", "not UTF-8"), (b"x" * 5_000_000, "larger than 4 MiB")],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "holdfast.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        load(SECTIONS, file=file, environ={})
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(SECTIONS, file=tmp_path / "none.toml", environ={})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 20_000, "holdfast.toml: not valid TOML: it is nested too deeply"),
        ("[probe]\nconcurrency = " + "9" * 5000, "holdfast.toml: not valid TOML: Exceeds the limit"),
        ("[probe]\nconcurrency = many", "holdfast.toml:2: not valid TOML"),
    ],
)
def test_toml_that_python_cannot_read_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(SECTIONS, file=Path("holdfast.toml"), environ={})
    assert str(caught.value.problems[0]).startswith(words)


def test_a_number_of_many_digits_in_the_environment_is_told() -> None:
    with pytest.raises(ConfigError, match=r"HOLDFAST_PROBE_CONCURRENCY: probe.concurrency: expected a whole number"):
        load(SECTIONS, environ={"HOLDFAST_PROBE_CONCURRENCY": "9" * 5000})


def test_what_others_read_is_passed_over_and_what_nobody_reads_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, '[probe]\nconcurrency = 3\n\n[board]\nlines = "no number"\n\n[boart]\nlines = 1\n')
    environ = {"HOLDFAST_BOARD_LINES": "x", "HOLDFAST_BORD_LINES": "1", "HOLDFAST_PROBE_LINES": "1"}
    with pytest.raises(ConfigError) as caught:
        load(SECTIONS, file=file, environ=environ, elsewhere={"probe", "board"})
    told = sorted(map(str, caught.value.problems))
    assert len(told) == 3
    assert f"{file}:7: boart: unknown section 'boart' (did you mean 'board'?)" in told[0]
    assert told[1].startswith("environment variable HOLDFAST_BORD_LINES: unknown setting")
    assert told[2].startswith("environment variable HOLDFAST_PROBE_LINES: unknown setting")
    file = written(tmp_path, "[probe]\nconcurrency = 3\n\n[board]\nlines = 4\n")
    environ = {"HOLDFAST_BOARD_LINES": "x"}
    assert load(SECTIONS, file=file, environ=environ, elsewhere={"board"})[ProbeSettings].concurrency == 3
