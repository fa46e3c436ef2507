"""The description of the API: complete, stable, and equal to the copy from which the console's types are made."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from holdfast.cli.documents import describe

COMMITTED = Path(__file__).parents[2] / "ui" / "openapi.json"


@pytest.fixture(scope="module")
def text():
    return asyncio.run(describe())


@pytest.fixture(scope="module")
def document(text):
    return json.loads(text)


def each_operation(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", path, operation


def test_the_committed_copy_is_the_servers(text):
    assert COMMITTED.read_text() == text, "the API changed: run `make openapi`"


def test_every_operation_is_named_described_and_tagged(document):
    ids = []
    for where, _, operation in each_operation(document):
        ids.append(operation["operationId"])
        assert re.fullmatch(r"[a-z]+[A-Za-z]+", operation["operationId"]), where
        assert re.fullmatch(r"[A-Z].{5,200}[.:]", operation["summary"]), where
        assert len(operation["tags"]) == 1, where
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere(text, document):
    for target in set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text)):
        assert target in document["components"]["schemas"]


def test_every_operation_tells_its_errors_as_problem_documents(document):
    for where, path, operation in each_operation(document):
        answers = operation["responses"]
        assert "application/problem+json" in answers["default"]["content"], where
        expected = ({"401", "403"} if "security" in operation else set()) | ({"404"} if "{" in path else set())
        assert expected <= set(answers), where


def test_it_is_written_in_openapi_3_1_with_both_ways_to_authenticate(document):
    assert document["openapi"] == "3.1.0"
    assert set(document["components"]["securitySchemes"]) == {"session", "token"}
    assert list(document["paths"]) == sorted(document["paths"])
