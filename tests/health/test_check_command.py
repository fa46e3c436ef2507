"""`holdfast check`: verdicts, exit codes and documents, over real sockets and without a server."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest
import typer
from typer.testing import CliRunner

from holdfast.health import register_commands


@pytest.fixture
def port():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.fixture
def run(tmp_path):
    """Run `holdfast check` in the test's ops folder; errors end up in `run.errors`."""
    cli = typer.Typer()
    errors = []
    cli.callback()(lambda: None)
    register_commands(cli, {"TOKEN": "secret"}, errors.append)

    def run(*arguments):
        return CliRunner().invoke(cli, ["check", "--ops", str(tmp_path), *arguments])

    run.errors = errors
    return run


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="a"):
        (tmp_path / "checks").mkdir(exist_ok=True)
        entries = "\n".join(f"  - {{{line}}}" for line in lines)
        (tmp_path / "checks" / f"{name}.yaml").write_text(f"defaults: {{retries: {{attempts: 0}}}}\nchecks:\n{entries}")

    return write


def tcp(name, port, more=""):
    return f"name: {name}, kind: tcp, tcp: {{host: 127.0.0.1, port: {port}}}{more}"


SCRIPT = "name: {name}, kind: script, script: {{shell: 'exit {code}'}}"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0,), 0), ((0, 1), 1), ((0, 1, 2), 2), ((0, 3), 3), ((1, 3), 1), ((2, 3), 2), ((0, 1, 2, 3), 2)],
)
def test_the_exit_code_tells_the_worst(run, write, codes, expected):
    write(*(SCRIPT.format(name=f"c{code}", code=code) for code in codes))
    assert run().exit_code == expected


def test_the_table_shows_the_worst_first_with_words(run, write, port):
    write(tcp("fine", port, ", service: shop"), tcp("broken", 1))
    result = run()
    lines = result.stdout.splitlines()
    assert lines[1].startswith("✖ down")
    assert "broken" in lines[1]
    assert "connection refused" in lines[1]
    assert "shop" in lines[2]
    assert "1 up, 1 down in" in lines[-1]


def test_json_has_everything_a_program_needs(run, write, port):
    write(tcp("fine", port))
    document = json.loads(run("--json").stdout)
    assert (document["verdict"], document["exit_code"], document["counts"]["up"]) == ("up", 0, 1)
    (check,) = document["checks"]
    assert (check["name"], check["target"], check["attempts"]) == ("fine", f"127.0.0.1:{port}", 1)
    assert check["phases"]["connect_s"] > 0


def test_foreign_text_cannot_break_out_of_a_document(run, write):
    write("name: odd, kind: script, script: {shell: 'echo \"<script>|*x*\"; exit 2', metrics: none}")
    markdown, html = run("--markdown").stdout, run("--html").stdout
    assert "<script>" not in markdown + html
    assert "\\|\\*x\\*" in markdown
    assert html.startswith("<!doctype html>")


def test_below_a_failed_parent_a_check_is_unknown(run, write):
    write(tcp("gateway", 1), tcp("service", 1, ", parents: [gateway]"), tcp("job", 1, ", parents: [service]"))
    document = json.loads(run("--json").stdout)
    shown = {check["name"]: (check["verdict"], check["blocked_by"]) for check in document["checks"]}
    assert shown == {"gateway": ("down", None), "service": ("unknown", "gateway"), "job": ("unknown", "gateway")}


def test_a_chosen_check_brings_its_parents_and_shows_them_when_they_explain(run, write, port):
    write(tcp("gateway", 1), tcp("service", 1, ", parents: [gateway]"), tcp("other", port))
    document = json.loads(run("service", "--json").stdout)
    assert [check["name"] for check in document["checks"]] == ["gateway", "service"]
    write(tcp("gateway", port), tcp("service", port, ", parents: [gateway]"))
    assert [check["name"] for check in json.loads(run("service", "--json").stdout)["checks"]] == ["service"]


def test_checks_are_chosen_by_service(run, write, port):
    write(tcp("a", port, ", service: shop"), tcp("b", port, ", service: bank"))
    assert [check["name"] for check in json.loads(run("--service", "shop", "--json").stdout)["checks"]] == ["a"]
    assert run("--service", "shpo").exit_code == 3
    assert run.errors[0].hint == "did you mean 'shop'?"


def test_a_bad_attempt_is_repeated(run, write, tmp_path):
    counted = f"echo x >> {tmp_path}/runs; test $(wc -l < {tmp_path}/runs) -ge 2 || exit 2"
    write(f"name: shy, kind: script, retries: {{attempts: 1, backoff: 1ms}}, script: {{shell: '{counted}'}}")
    (check,) = json.loads(run("--json").stdout)["checks"]
    assert (check["verdict"], check["attempts"]) == ("up", 2)


def test_heartbeats_are_left_out_unless_named(run, write, port):
    write(tcp("fine", port), "name: backup, kind: heartbeat, heartbeat: {every: 1h}")
    result = run()
    assert result.exit_code == 0
    assert "left out: backup" in result.stdout
    assert run("backup").exit_code == 3


def test_secrets_come_from_the_environment_and_are_not_shown(run, write):
    write("name: a, kind: script, script: {shell: 'echo $T; exit 2', env: {T: '${env:TOKEN}'}}")
    result = run("--json")
    assert json.loads(result.stdout)["checks"][0]["verdict"] == "down"
    assert "secret" not in result.stdout


@pytest.mark.parametrize("arguments", [("nope",), ("--file", "/nowhere.yaml")])
def test_what_cannot_be_checked_is_unknown_and_says_why(run, write, port, arguments):
    write(tcp("fine", port))
    assert run(*arguments).exit_code == 3
    assert run.errors


def test_a_faulty_file_is_unknown_and_says_where(run, write):
    write("name: a, kind: tpc")
    assert run().exit_code == 3
    assert "checks/a.yaml:3" in str(run.errors[0])


def test_no_checks_are_not_healthy(run, write):
    write("name: a, kind: heartbeat, heartbeat: {every: 1h}")
    assert run().exit_code == 3
