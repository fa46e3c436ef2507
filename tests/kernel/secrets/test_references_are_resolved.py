"""Text with references becomes a secret, and follows the secret when it changes."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.clock import FakeClock
from holdfast.kernel.errors import InvalidError, NotFoundError, UnavailableError
from holdfast.kernel.secrets import Redactor, Reference, Secrets, find_references


def build_secrets(environ=None, folder=None, plugins=()):
    return Secrets.standard(environ or {}, FakeClock(), folder=folder, plugins=plugins)


def test_the_environment_fills_a_reference_inside_a_text():
    secrets = build_secrets({"TOKEN": "s3cr3t"})
    assert secrets.resolve("Bearer ${env:TOKEN}!").reveal() == "Bearer s3cr3t!"


def test_a_variable_may_name_a_file_instead(tmp_path):
    (tmp_path / "token").write_text("from file\n")
    secrets = build_secrets({"TOKEN_FILE": str(tmp_path / "token")})
    assert secrets.resolve("${env:TOKEN}").reveal() == "from file"


def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "token"
    path.write_text("one")
    secrets = build_secrets()
    assert secrets.resolve(f"${{file:{path}}}").reveal() == "one"
    replacement = tmp_path / "new"
    replacement.write_text("two")
    replacement.rename(path)
    assert secrets.resolve(f"${{file:{path}}}").reveal() == "two"


def test_a_remounted_kubernetes_volume_is_noticed(tmp_path):
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "password").write_text(version)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "password").symlink_to("..data/password")
    secrets = build_secrets(folder=tmp_path)
    assert secrets.resolve("${dir:password}").reveal() == "v1"
    (tmp_path / "..tmp").symlink_to("v2")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    assert secrets.resolve("${dir:password}").reveal() == "v2"


@pytest.mark.parametrize("name", ["../shadow", ".hidden", "a/b", "..", ""])
def test_a_directory_secret_stays_in_its_folder(tmp_path, name):
    with pytest.raises(InvalidError):
        build_secrets(folder=tmp_path).resolve(f"${{dir:{name}}}")


@pytest.mark.parametrize("text", ["${env}", "${env:", "${:NAME}", "${ENV:X}", "${env:}"])
def test_a_malformed_reference_is_refused_with_the_right_spelling(text):
    with pytest.raises(InvalidError, match="write"):
        find_references(text)


def test_an_unknown_provider_is_refused_with_a_suggestion():
    with pytest.raises(InvalidError, match="did you mean 'env'"):
        build_secrets().verify("${enw:X}")
    with pytest.raises(InvalidError, match=r"secrets\.directory"):
        build_secrets().verify("${dir:x}")


def test_verifying_reads_nothing():
    assert build_secrets().verify("a ${env:GONE} b") == (Reference("env", "GONE"),)


def test_a_doubled_dollar_is_plain_text():
    assert build_secrets().resolve("cost $${env:X}").reveal() == "cost ${env:X}"


def test_a_missing_secret_names_what_to_set():
    with pytest.raises(NotFoundError, match="set GONE, or GONE_FILE"):
        build_secrets().resolve("${env:GONE}")


def test_a_missing_file_and_a_relative_path_are_named(tmp_path):
    with pytest.raises(NotFoundError, match="gone"):
        build_secrets().resolve(f"${{file:{tmp_path}/gone}}")
    with pytest.raises(InvalidError, match="begin the path with /"):
        build_secrets().resolve("${file:token}")


def test_binary_and_oversized_files_are_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "big").write_bytes(b"x" * 70_000)
    for name in ("binary", "big"):
        with pytest.raises(InvalidError):
            build_secrets(folder=tmp_path).resolve(f"${{dir:{name}}}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_says_so(tmp_path):
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(UnavailableError, match="Permission denied"):
        build_secrets(folder=tmp_path).resolve("${dir:closed}")


class Vault:
    """A stand-in for a provider over the network."""

    scheme = "vault"
    max_age_s = 60.0

    def __init__(self) -> None:
        self.value = "one"
        self.is_up = True
        self.reads = 0

    def version(self, _name):
        return None

    def read(self, _name):
        self.reads += 1
        if not self.is_up:
            raise UnavailableError("vault does not answer")
        return self.value


async def test_a_provider_with_an_age_is_asked_again_only_when_it_has_passed():
    vault, clock = Vault(), FakeClock()
    secrets = Secrets([vault], clock, Redactor())
    assert (await secrets.fetch("${vault:x}")).reveal() == "one"
    vault.value = "two"
    assert secrets.resolve("${vault:x}").reveal() == "one"
    await clock.advance(61)
    assert secrets.resolve("${vault:x}").reveal() == "two"
    assert vault.reads == 2


async def test_a_provider_that_is_down_keeps_its_last_value_for_a_while():
    vault, clock = Vault(), FakeClock()
    secrets = Secrets([vault], clock, Redactor())
    secrets.resolve("${vault:x}")
    vault.is_up = False
    await clock.advance(600)
    assert secrets.resolve("${vault:x}").reveal() == "one"
    await clock.advance(600)
    with pytest.raises(UnavailableError):
        secrets.resolve("${vault:x}")


@given(st.text())
def test_any_text_is_resolved_or_refused_but_never_crashes(text):
    try:
        result = build_secrets().resolve(text)
    except (InvalidError, NotFoundError):
        return
    assert "${" not in text or "$${" in text
    assert result.reveal() == text.replace("$${", "${")
