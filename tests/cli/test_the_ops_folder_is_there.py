"""An ops folder that somebody named and that is missing is a mistake; the usual one may be missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import cli


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["up", "--ops", "rules"], {}),
        (["up", "--ops", "ops"], {}),
        (["run", "--roles", "api", "--ops", "rules"], {}),
        (["up"], {"HOLDFAST_SERVER_OPS": "rules"}),
        (["check-config", "--ops", "rules"], {}),
        (["check-config"], {"HOLDFAST_SERVER_OPS": "rules"}),
        (["check", "--ops", "rules"], {}),
    ],
)
def test_one_that_was_named_is_demanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], environ: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, argv, env=environ)
    told = f"{done.stderr} {done.exception}"
    assert done.exit_code != 0
    assert f"{'ops' if 'ops' in argv else 'rules'}: there is no such folder" in told
    assert "name" in told
    assert list(tmp_path.iterdir()) == []


def test_the_usual_one_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["check-config"])
    assert (done.exit_code, "the settings are valid; there is no folder ops" in done.output) == (0, True)
