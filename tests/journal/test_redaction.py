"""Secrets stay out of the log, and what only looks like one stays in."""

from __future__ import annotations

import logging

import pytest

from holdfast import journal

log = journal.get_logger()


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "Authorization",
        "api_key",
        "x-api-key",
        "apiKey",
        "accessToken",
        "refresh_token",
        "client_secret",
        "Set-Cookie",
        "private_key",
        "aws_secret_access_key",
        "session_id",
        "passwd",
        "dsn",
    ],
)
def test_a_field_that_is_named_like_a_secret_is_masked(name):
    assert journal.redact("hunter2", name=name) == "***"
    assert journal.redact({"outer": [{name: "hunter2"}]}) == {"outer": [{name: "***"}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("token_count", 12), ("author", "Ada"), ("tokenizer", "bpe"), ("passed", "yes"), ("compass", "north")],
)
def test_a_field_that_only_sounds_like_a_secret_stays(name, value):
    assert journal.redact(value, name=name) == value


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("connect postgres://app:hunter2@db:5432/x failed", "connect postgres://app:***@db:5432/x failed"),
        ("redis://:hunter2@cache:6379", "redis://:***@cache:6379"),
        ("Authorization: Bearer abc.def-ghi123", "Authorization: Bearer ***"),
        ("sent basic dXNlcjpwYXNz now", "sent basic *** now"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("a basic question", "a basic question"),
    ],
)
def test_secrets_inside_texts_are_masked(text, safe):
    assert journal.redact(text) == safe


def test_no_way_into_the_log_lets_a_secret_through(lines):
    url = "postgres://app:hunter2@db/x"
    log.info("connecting", url=url, config={"password": "hunter2", "hosts": [url]})
    logging.getLogger("lib").error("no route to %s", url, extra={"token": "hunter2"})

    def connect():
        raise ConnectionError(f"no route to {url}")

    try:
        connect()
    except ConnectionError:
        log.exception(f"lost {url}")  # noqa: G004 -- the mistake that redaction has to survive
    with journal.bind(secret="hunter2"):
        log.info("bound")
    assert lines.text.count("***") >= 8
    assert "hunter2" not in lines.text
