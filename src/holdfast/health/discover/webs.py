"""Which product answers HTTP, by what it says on the addresses where it tells its own health."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from holdfast.health.discover.protocols import HTTP_GET, Recognised
from holdfast.health.discover.wire import Line

# Where servers say whether they are well, the most telling first.
HEALTH_PATHS: Final = ("/readyz", "/livez", "/healthz", "/health", "/-/ready", "/-/healthy", "/status", "/")


async def refine(line: Line, what: Recognised) -> Recognised:
    """Name the product if it is one that we know, else the address where it tells its health."""
    for path, read in _PRODUCTS.items():
        status, body = split_answer(await line.ask(HTTP_GET % path.encode()))
        known = read(status, body)
        if known is not None:
            return known
    paths: dict[str, int] = {}
    for path in HEALTH_PATHS:
        status, _ = split_answer(await line.ask(HTTP_GET % path.encode()))
        if 200 <= status < 300:
            return replace(what, paths={path: status})
        if status:
            paths[path] = status
    return replace(what, paths={"/": paths["/"]} if "/" in paths else {})


def split_answer(answer: bytes) -> tuple[int, bytes]:
    """Give status and body of an HTTP/1 answer; 0 when it is none."""
    head, _, body = answer.partition(b"\r\n\r\n")
    parts = head.split(b" ", 2)
    if not head.startswith(b"HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():
        return 0, b""
    return int(parts[1]), body


def _read_prometheus(status: int, body: bytes) -> Recognised | None:
    return Recognised("http", "prometheus") if status == 200 and body.startswith(b"Prometheus") else None


def _read_grafana(_status: int, body: bytes) -> Recognised | None:
    answer = _json(body)
    if not isinstance(answer.get("database"), str):
        return None
    return Recognised("http", "grafana", str(answer.get("version", "")))


def _read_elasticsearch(_status: int, body: bytes) -> Recognised | None:
    answer = _json(body)
    version = answer.get("version")
    if not isinstance(version, dict) or "cluster_name" not in answer:
        return None
    product = "opensearch" if version.get("distribution") == "opensearch" else "elasticsearch"
    return Recognised("http", product, str(version.get("number", "")))


def _read_kibana(_status: int, body: bytes) -> Recognised | None:
    answer = _json(body)
    status, version = answer.get("status"), answer.get("version")
    if not isinstance(status, dict) or "overall" not in status:
        return None
    return Recognised("http", "kibana", str(version.get("number", "")) if isinstance(version, dict) else "")


def _json(body: bytes) -> dict[str, Any]:
    start, end = body.find(b"{"), body.rfind(b"}")
    try:
        answer = json.loads(body[start : end + 1]) if start >= 0 else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


_PRODUCTS: Final[dict[str, Callable[[int, bytes], Recognised | None]]] = {
    "/-/healthy": _read_prometheus,
    "/api/health": _read_grafana,
    "/": _read_elasticsearch,
    "/api/status": _read_kibana,
}
