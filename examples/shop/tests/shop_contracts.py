"""Reads contracts, stands in for a provider by one, and compares a provider's answer with one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parents[1] / "contracts"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a consumer wants of a provider."""

    pair: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.pair}: {self.facts['description']}"

    @property
    def given(self) -> str:
        """The state that the provider must be in."""
        return str(self.facts["given"])


def interactions(pair: str) -> list[Interaction]:
    """Read the contract of `consumer--provider`."""
    contract = json.loads((FOLDER / f"{pair}.json").read_text())
    assert f"{contract['consumer']}--{contract['provider']}" == pair
    return [Interaction(pair, facts) for facts in contract["interactions"]]


def named(pair: str, description: str) -> dict[str, Any]:
    """Return one interaction's facts."""
    return next(found.facts for found in interactions(pair) if found.facts["description"] == description)


def stand_in(pair: str) -> Starlette:
    """Return an app that answers what the contract says, and 501 to anything else."""
    known = [found.facts for found in interactions(pair)]

    async def answer(request: Request) -> Response:
        body = json.loads(await request.body() or b"null")
        for facts in known:
            if _is_asked(facts["request"], request, body):
                wanted = facts["response"]
                kind = "application/problem+json" if wanted["status"] >= 400 else "application/json"
                return JSONResponse(wanted["body"], wanted["status"], media_type=kind)
        return JSONResponse({"unexpected": f"{request.method} {request.url.path}", "body": body}, 501)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])])


def compare(example: Any, found: Any, place: str = "$") -> list[str]:
    """Return where `found` lacks a key of `example` or has a value of another kind."""
    if isinstance(example, dict):
        if not isinstance(found, dict):
            return [f"{place}: {found!r} is no object"]
        missing = [f"{place}.{key} is missing" for key in example.keys() - found.keys()]
        shared = example.keys() & found.keys()
        return missing + [fault for key in shared for fault in compare(example[key], found[key], f"{place}.{key}")]
    if isinstance(example, list):
        if not isinstance(found, list) or (example and not found):
            return [f"{place}: {found!r} is no list with something in it"]
        return [fault for item in found if example for fault in compare(example[0], item, f"{place}[]")]
    return [] if type(example) is type(found) else [f"{place}: {found!r} is not of the kind of {example!r}"]


def differences(wanted: dict[str, Any], found: Any) -> list[str]:
    """Return how a body falls short of what is wanted: kinds everywhere, equality where it says `exact`."""
    faults = compare(wanted["body"], found)
    exact = wanted.get("exact", [])
    return faults + [f"$.{key}: {found.get(key)!r}" for key in exact if found.get(key) != wanted["body"][key]]


def _is_asked(wanted: dict[str, Any], request: Request, body: Any) -> bool:
    parts = urlsplit(wanted["path"])
    return (
        request.method == wanted["method"]
        and request.url.path == parts.path
        and sorted(request.query_params.items()) == sorted(parse_qsl(parts.query, keep_blank_values=True))
        and body == wanted.get("body")
        and all(request.headers.get(name) == value for name, value in wanted.get("headers", {}).items())
    )
