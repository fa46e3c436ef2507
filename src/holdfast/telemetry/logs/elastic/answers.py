"""Answers as Elasticsearch gives them: who we are, what became of each item, and errors by its names of exceptions.

Source: Elasticsearch's reference, "Bulk API"; its official clients refuse a server without `X-Elastic-Product`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import Response

from holdfast.kernel.errors import (
    BusyError,
    HoldfastError,
    InvalidError,
    LimitError,
    UnauthenticatedError,
    UnavailableError,
)
from holdfast.kernel.http import TooLargeError, problems
from holdfast.telemetry.logs.elastic.filtering import filtered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.logs.elastic.taking import Item

_HEADERS: Final = {"x-elastic-product": "Elasticsearch"}
_TYPES: Final[tuple[tuple[type[HoldfastError], str], ...]] = (
    (TooLargeError, "content_too_long_exception"),
    (InvalidError, "illegal_argument_exception"),
    (LimitError, "es_rejected_execution_exception"),
    (UnavailableError, "es_rejected_execution_exception"),
    (UnauthenticatedError, "security_exception"),
)


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Give a document."""
    return Response(orjson.dumps(document), status, {**_HEADERS, **(headers or {})}, media_type="application/json")


def information(version: str) -> dict[str, Any]:
    """Say who we are, such that senders go on."""
    return {
        "name": "holdfast",
        "cluster_name": "holdfast",
        "cluster_uuid": "holdfast-holdfast-hold",
        "version": {
            "number": version,
            "build_flavor": "default",
            "build_type": "pip",
            "build_hash": "0",
            "build_date": "1970-01-01T00:00:00.000Z",
            "build_snapshot": False,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }


def refusal(error: HoldfastError) -> Response:
    """Answer with an error: senders repeat 429 and 503, and give up on the others."""
    status = problems.status_of(error)
    status = 429 if isinstance(error, BusyError) else {422: 400, 507: 503}.get(status, status)
    kind = next((name for cls, name in _TYPES if isinstance(error, cls)), "exception")
    cause = {"type": kind, "reason": str(error)}
    headers = {}
    if status in {429, 503}:
        headers["retry-after"] = problems.describe(error).headers.get("retry-after", "1")
    return answer({"error": {"root_cause": [cause], **cause}, "status": status}, status, headers)


def unknown(path: str) -> Response:
    """Say that there is no such thing here."""
    cause = {"type": "invalid_index_name_exception", "reason": f"no handler found for [{path}]: only _bulk is taken"}
    return answer({"error": {"root_cause": [cause], **cause}, "status": 404}, 404)


def bulk_answer(items: Sequence[Item], took_ms: int, filter_path: str) -> Response:
    """Say what became of each item; `filter_path` may ask for less."""
    told = [{item.action.name: _result(item, place)} for place, item in enumerate(items)]
    has_errors = any(item.document is None for item in items)
    document = {"took": took_ms, "errors": has_errors, "items": told}
    return answer(filtered(document, [part.strip() for part in filter_path.split(",") if part.strip()]))


def _result(item: Item, place: int) -> dict[str, Any]:
    action = item.action
    result: dict[str, Any] = {"_index": action.where, "_id": action.id or str(place)}
    if item.is_later:
        error = {"type": "es_rejected_execution_exception", "reason": item.fault}
        return {**result, "status": 429, "error": error}
    if item.document is None:
        kind = "illegal_argument_exception" if action.fault else "document_parsing_exception"
        return {**result, "status": 400, "error": {"type": kind, "reason": item.fault}}
    shards = {"total": 1, "successful": 1, "failed": 0}
    return {
        **result,
        "_version": 1,
        "result": "created",
        "_shards": shards,
        "_seq_no": place,
        "_primary_term": 1,
        "status": 201,
    }
