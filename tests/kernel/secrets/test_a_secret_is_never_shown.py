"""A Secret prints as a mask wherever values land."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from dataclasses import dataclass

import orjson
import pytest
from pydantic import TypeAdapter

from holdfast.kernel.secrets import Secret

VALUE = "correct horse battery"


@dataclass(frozen=True)
class Login:
    name: str
    password: Secret


def test_text_repr_and_format_mask_it():
    secret = Secret(VALUE)
    shown = f"{secret} {secret!r} {secret!s} {secret:>12} %s" % secret + str([secret]) + repr(Login("ada", secret))
    assert VALUE not in shown
    assert str(secret) == "***"


def test_logging_masks_it(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("t").info("password %s %r", Secret(VALUE), {"p": Secret(VALUE)})
    assert VALUE not in caplog.text
    assert "***" in caplog.text


def test_json_masks_it_or_refuses():
    assert json.dumps({"p": Secret(VALUE)}, default=str) == '{"p": "***"}'
    assert orjson.dumps({"p": Secret(VALUE)}, default=str) == b'{"p":"***"}'
    with pytest.raises(TypeError):
        json.dumps(Secret(VALUE))


def test_pydantic_reads_text_and_writes_the_mask():
    login = TypeAdapter(Login)
    read = login.validate_json(json.dumps({"name": "ada", "password": VALUE}))
    assert read == login.validate_python({"name": "ada", "password": Secret(VALUE)})
    assert read.password.reveal() == VALUE
    assert login.dump_json(read) == b'{"name":"ada","password":"***"}'
    assert login.dump_python(read) == {"name": "ada", "password": "***"}
    assert login.json_schema()["properties"]["password"]["format"] == "password"


def test_it_is_not_pickled():
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(Secret(VALUE))


def test_equality_is_by_value():
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_an_empty_secret_shows_that_it_is_empty():
    assert not Secret("")
    assert str(Secret("")) == ""
    assert bool(Secret("x"))
