"""The HTTP of Elasticsearch's senders: `_bulk`, and what Filebeat, Logstash, Fluent Bit and Vector ask at their start.

Templates, policies and pipelines are said to exist, and taken without effect: there is nothing to set up.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.logs.elastic.answers import answer, bulk_answer, information, refusal, unknown
from holdfast.telemetry.logs.elastic.taking import DOOR

if TYPE_CHECKING:
    from holdfast.telemetry.logs.elastic.taking import ElasticBulk

PREFIX: Final = "/elastic"
_MEDIA_TYPES: Final = ("", "application/x-ndjson", "application/json", "application/vnd.elasticsearch+x-ndjson")
_ADMIN: Final = (
    *("_template", "_index_template", "_component_template", "_ilm/policy", "_ingest/pipeline", "_data_stream"),
    *("_alias", "_transform"),
)
_LICENSE: Final = {"license": {"status": "active", "uid": "holdfast", "type": "basic", "mode": "basic"}}
_FEATURES: Final = {"features": {"ilm": {"available": True, "enabled": True}, "data_streams": {"available": True}}}
_CLUSTER: Final = {"cluster_name": "holdfast", "status": "green", "timed_out": False, "number_of_nodes": 1}

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")

Writer = Annotated[Identity, Depends(requires("logs.write"))]


def elastic_routes(door: ElasticBulk, backlog: Backlog | None = None) -> APIRouter:
    """Build the router; it stands at the root."""
    router, backlog = APIRouter(prefix=PREFIX, include_in_schema=False), backlog or Backlog()
    documents: dict[str, Any] = {
        "": information(door.settings.version),
        "/": information(door.settings.version),
        "/_license": _LICENSE,
        "/_xpack": {"license": _LICENSE["license"], **_FEATURES},
        "/_cluster/health": _CLUSTER,
        "/_cluster/health/{name}": _CLUSTER,
        "/_nodes": {"_nodes": {"total": 1, "successful": 1, "failed": 0}, "cluster_name": "holdfast", "nodes": {}},
        "/_nodes/_local": {"_nodes": {"total": 1, "successful": 1, "failed": 0}, "nodes": {}},
        "/_nodes/http": {"_nodes": {"total": 1, "successful": 1, "failed": 0}, "nodes": {}},
    }

    async def bulk(request: Request, identity: Writer, index: str = "") -> Response:
        """Take a bulk as Elasticsearch does."""
        started_s = time.perf_counter()
        try:
            _check_type(request.headers.get("content-type", ""))
            async with backlog.read(DOOR, request) as body:
                items = await door.take(identity.tenant, body, index)
        except HoldfastError as error:
            return refusal(error)
        took_ms = int((time.perf_counter() - started_s) * 1000)
        return bulk_answer(items, took_ms, request.query_params.get("filter_path", ""))

    for path in ("/_bulk", "/{index}/_bulk"):
        router.add_api_route(path, bulk, methods=["POST", "PUT"], name=f"Elasticsearch {path}")
    for path, document in documents.items():
        router.add_api_route(path, _telling(document), methods=["GET", "HEAD"], name=f"Elasticsearch {path}")
    for place in _ADMIN:
        for path in (f"/{place}", f"/{place}/{{name}}"):
            router.add_api_route(path, _exists, methods=["GET", "HEAD"], name=f"Elasticsearch {path}")
            router.add_api_route(path, _acknowledge, methods=["PUT", "POST"], name=f"Elasticsearch {path}")
    router.add_api_route("/{index}", _exists, methods=["HEAD"], name="Elasticsearch index")
    router.add_api_route("/{index}", _acknowledge, methods=["PUT"], name="Elasticsearch index")
    router.add_api_route("/{path:path}", _refuse, methods=[*_METHODS], name="Elasticsearch, all else")
    return router


def _telling(document: Any) -> Any:
    async def tell(identity: Writer) -> Response:
        """Tell senders what they ask at their start."""
        del identity
        return answer(document)

    return tell


async def _exists(identity: Writer, name: str = "") -> Response:
    """Say that it exists."""
    del identity
    return answer({name: {}} if name else {})


async def _acknowledge(identity: Writer) -> Response:
    """Say that it is done."""
    del identity
    return answer({"acknowledged": True, "shards_acknowledged": True})


async def _refuse(request: Request, identity: Writer) -> Response:
    """Say that only documents are taken here."""
    del identity
    return unknown(request.url.path)


def _check_type(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES and not media_type.startswith("application/vnd.elasticsearch+"):
        raise MediaTypeError(f"Content-Type header [{content_type}] is not supported", hint="send application/x-ndjson")
