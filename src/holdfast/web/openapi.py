"""The OpenAPI 3.1 document: FastAPI's, with our errors in it, in an order that never changes by itself.

The console's types are generated from it, and a test compares the committed copy, so it must be the same every time.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema

from holdfast import __version__
from holdfast.kernel import auth
from holdfast.kernel.http import problems

if TYPE_CHECKING:
    from fastapi import FastAPI

_PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDocument"}
_BORING: Final = ("HTTPValidationError", "ValidationError")
DESCRIPTION: Final = """\
Holdfast's own API.

Callers authenticate with `Authorization: Bearer hf_...` (a token) or with the console's session cookie. The tenant is
named by `X-Scope-OrgID` and is `default` without it. Errors are RFC 9457 problem documents. Times are RFC 3339 in UTC;
durations are seconds in fields that end in `_s`; lists are `{"items": [...], "next": cursor}`.
"""


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Build the document of all routes of `app`."""
    document = get_openapi(
        title="Holdfast",
        version=__version__,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _BORING:
        schemas.pop(name, None)
    _, definitions = models_json_schema(
        [(problems.ProblemDocument, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas |= definitions["$defs"]
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    guarded = _guarded(app)
    document["components"]["securitySchemes"] = auth.SECURITY_SCHEMES
    for path, operation in operations:
        if operation["operationId"] in guarded:
            operation["security"] = [{name: []} for name in auth.SECURITY_SCHEMES]
        _summarise(operation)
        _add_errors(path, operation)
    tags = {tag for _, operation in operations for tag in operation.get("tags", ())}
    document["tags"] = [{"name": tag} for tag in sorted(tags)]
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _guarded(app: FastAPI) -> set[str]:
    """Give the ids of the operations that ask for a permission."""
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    return {route.operation_id or "" for route in routes if isinstance(route, APIRoute) and auth.guards(route)[0]}


def write_document(document: dict[str, Any]) -> str:
    """Give the text of the committed file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _summarise(operation: dict[str, Any]) -> None:
    """Let the first sentence of the docstring be the summary, instead of the function's name."""
    first, _, rest = operation.get("description", "").partition("\n\n")
    operation["summary"] = " ".join(first.split())
    operation["description"] = rest
    if not rest:
        del operation["description"]


def _add_errors(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    statuses = set()
    if operation.get("security"):
        statuses |= {401, 403, 429}
    if "{" in path:
        statuses.add(404)
    if operation.get("parameters"):
        statuses.add(422)
    if "requestBody" in operation:
        statuses |= {400, 409, 413, 422, 507}
    if "422" in answers:
        del answers["422"]
    content = {problems.MEDIA_TYPE: {"schema": _PROBLEM}}
    for status in statuses:
        answers.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": content})
    answers.setdefault("default", {"description": "Any other error.", "content": content})
    operation["responses"] = dict(sorted(answers.items()))
