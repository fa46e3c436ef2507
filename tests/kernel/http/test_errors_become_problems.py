"""Every error has one status and one problem document, and an unexpected one tells nothing."""

from __future__ import annotations

import inspect

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import TypeAdapter

from holdfast.kernel import errors
from holdfast.kernel.errors import ConfigError, InvalidError, Place, after
from holdfast.kernel.http import PeerError, SlowBodyError, TooLargeError, problems


def build_app(error=None):
    app = FastAPI()
    problems.install(app, lambda: "abc123")

    @app.get("/fail")
    async def fail() -> None:
        raise error

    @app.get("/items/{number}")
    async def item(number: int, limit: int = 1) -> int:
        return number + limit

    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://t")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidError("x"), 422, "invalid"),
        (errors.UnauthenticatedError("x"), 401, "unauthenticated"),
        (errors.DeniedError("x"), 403, "denied"),
        (errors.NotFoundError("x"), 404, "not_found"),
        (errors.ConflictError("x"), 409, "conflict"),
        (errors.StaleSchemaError("x"), 409, "schema_from_the_future"),
        (errors.LimitError("x"), 429, "limit"),
        (TooLargeError("x"), 413, "too_large"),
        (SlowBodyError("x"), 408, "slow_body"),
        (PeerError("x"), 502, "peer_broken"),
        (errors.UnavailableError("x"), 503, "unavailable"),
        (errors.BusyError("x"), 503, "busy"),
        (errors.TimedOutError("x"), 504, "timed_out"),
        (errors.StorageFullError("x"), 507, "storage_full"),
        (errors.HoldfastError("x"), 500, "internal"),
        (HTTPException(404, "no such page"), 404, "not_found"),
        (HTTPException(418, "short and stout"), 418, "refused"),
    ],
)
async def test_each_error_has_its_status_and_code(error, status, code):
    async with build_app(error) as client:
        answer = await client.get("/fail")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    document = TypeAdapter(problems.ProblemDocument).validate_json(answer.content)
    assert (document.status, document.code, document.correlation_id) == (status, code, "abc123")
    assert document.type == f"urn:holdfast:error:{code}"


def test_every_class_of_the_tree_has_a_status():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    for kind in kinds:
        error = kind((InvalidError("x"),)) if kind is ConfigError else kind("x")
        assert problems.status_of(error) >= 400


async def test_a_config_error_lists_every_fault_with_its_place():
    faults = tuple(InvalidError(f"fault {line}", hint="mend it", place=Place("a.yml", line, "x.y")) for line in (3, 9))
    async with build_app(ConfigError(faults)) as client:
        document = (await client.get("/fail")).json()
    assert document["problems"] == [
        {"detail": f"fault {n}", "hint": "mend it", "place": {"file": "a.yml", "line": n, "field": "x.y"}}
        for n in (3, 9)
    ]


async def test_a_retry_time_is_in_the_header_and_the_body():
    async with build_app(errors.LimitError("slow down", retry=after(2.4))) as client:
        answer = await client.get("/fail")
    assert answer.headers["retry-after"] == "3"
    assert answer.json()["retry_after_s"] == 2.4


async def test_a_full_queue_always_says_when_to_come_back():
    async with build_app(errors.BusyError("full")) as client:
        assert (await client.get("/fail")).headers["retry-after"] == "1"


async def test_an_unauthenticated_answer_names_the_scheme():
    async with build_app(errors.UnauthenticatedError("who are you?")) as client:
        assert (await client.get("/fail")).headers["www-authenticate"].startswith("Bearer")


async def test_a_wrong_parameter_names_its_field():
    async with build_app() as client:
        document = (await client.get("/items/x?limit=y")).json()
    assert document["code"] == "invalid"
    assert [fault["place"]["field"] for fault in document["problems"]] == ["path.number", "query.limit"]
    assert "query.limit" in document["detail"]


def test_an_unexpected_error_tells_only_the_correlation_id():
    problem = problems.describe(ZeroDivisionError("secret detail"), correlation_id="abc123")
    assert problem.status == 500
    assert b"secret" not in problem.body()
    assert b"ZeroDivision" not in problem.body()
    assert problem.members["correlation_id"] == "abc123"
