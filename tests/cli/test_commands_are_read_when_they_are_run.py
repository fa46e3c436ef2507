"""The command line begins light: what a command needs is imported when it runs, and help says the same without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from holdfast.cli.configuration import SECTIONS
from holdfast.cli.contents import Contents
from holdfast.cli.logs.registering import QueryFirst
from holdfast.cli.main import main
from holdfast.cli.offering import Unread
from holdfast.cli.sections import NAMES

OFFERS = (*Contents.offers, *QueryFirst.offers)
HEAVY = ("chdb", "clickhouse_connect", "fastapi", "httpx", "numpy", "pyarrow", "pydantic", "sqlalchemy", "uvicorn")
SCRIPT = """
import contextlib, io, json, sys
from holdfast.cli import main
sys.argv = ["holdfast", *json.loads(sys.argv[1])]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def taken_by(*words):
    """Give the packages that a command line imported, in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT, json.dumps(words)]
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(told.stdout))


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_what_stands_in_the_table_is_what_the_command_says_of_itself(offer):
    command = Unread(offer).read()
    assert command.name == offer.name
    assert " ".join(command.help.split("\n\n")[0].split()) == offer.says


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_version_and_help_import_nothing_of_the_server(words):
    assert not taken_by(*words) & set(HEAVY)


def test_reading_log_files_imports_nothing_of_the_server(tmp_path):
    file = tmp_path / "app.log"
    file.write_text('{"level":"error","msg":"it broke"}\n' * 3)
    assert not taken_by("logs", "analyze", str(file)) & {*HEAVY} - {"numpy", "pyarrow", "pydantic"}


def test_shipping_imports_nothing_of_the_server(tmp_path):
    words = ["ship", "app.log", "--state", str(tmp_path / "state"), "--buffer", "as much as it takes"]
    assert not taken_by(*words) & {*HEAVY} - {"httpx", "pydantic"}


def test_an_exporter_imports_little_of_the_server(tmp_path):
    file = tmp_path / "shop.yml"
    file.write_text(
        "sources: [{name: gone, file: {path: gone.json}, json: {}, metrics: [{name: x, help: X, value: x}]}]"
    )
    assert not taken_by("exporter", str(file), "--once") & {*HEAVY} - {"httpx", "pydantic", "uvicorn"}


def test_names_of_sections_are_those_that_rooms_declare():
    assert {section.name for section in SECTIONS} == NAMES


@pytest.mark.parametrize("words", [["logs", "query"], ["query"], ["trace"], ["runs"], ["token"]])
def test_asking_a_server_imports_no_server(words):
    assert not taken_by(*words, "--help") & {*HEAVY} - {"httpx", "pydantic"}


def test_a_command_that_is_not_there_is_told_with_one_that_is(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["holdfast", "qeury"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "Did you mean 'query'" in capsys.readouterr().err
