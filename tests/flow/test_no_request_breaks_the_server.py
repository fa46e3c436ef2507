"""Random requests to every route of the protocols of others: none is answered with a fault of ours.

The routes below `/api/v1` are asked by schemathesis (`tests/web`).
"""

from __future__ import annotations

import gzip
import random
import re
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.settings import load

REQUESTS = 600
TEXTS = (
    *(
        "",
        "0",
        "-1",
        "1.5",
        "NaN",
        "1e400",
        "9" * 30,
        "5m",
        "now",
        "2026-13-40",
        "2026-11-30T10:00:00Z",
        "253402300800",
    ),
    *("\u00e9", "\uff11", "\x00", "a\x00b", "a\nb", "%", "{", "}", "[", '"', "\\", "../..", "a/b", "null", "a" * 3000),
    *("m", "m{", 'm{job="j"}', "rate(m[5m])", '{service_name="shop"} |= "a" | json', '{"a":1}', "default", "f" * 32),
)
SPOILT = ("%FF", "%C3%28", "%ED%A0%80", "%00", "..", "x%2Fy")
NAMES = (
    *("query", "match[]", "start", "end", "step", "time", "at", "limit", "since", "direction", "interval", "lookback"),
    *("service", "operation", "tags", "endTs", "timeout", "state", "type", "cursor", "name", "sort", "from", "to"),
    *("level", "format", "page", "metric", "targetLabels", "field", "window", "minDuration", "stats", "until", "id"),
)
BODIES = (
    *(
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"a 1\n",
        b"query=m&time=1",
        b"query=%FF",
        b"[" * 5000,
        b"\x0a\xff\x0f",
    ),
    b'{"streams":[{"stream":{"a":"b"},"values":[["1","x"]]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"}]}]}]}',
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}',
    b'{"create":{"_index":"x"}}\n{"@timestamp":"x"}\n',
    b'[{"traceId":"0000000000000001","id":"0000000000000001","timestamp":-1,"duration":"x"}]',
    b'{"title":"x","panels":[{}],"name":null,"query":"m","kind":"metrics"}',
    gzip.compress(b"a 1\n"),
)
TYPES = (
    *("application/json", "text/plain", "application/x-www-form-urlencoded", "application/x-protobuf", "", "x/y;;;="),
    *("application/x-ndjson", "application/openmetrics-text; version=1.0.0", "application/json; charset=latin-9"),
)
ENCODINGS = ("",) * 8 + ("gzip", "deflate", "snappy", "zstd", "br", "gzip, gzip")
ENDLESS = re.compile("stream|/tail|follow")  # answers that do not end
MARKED = (
    (b"x-scope-orgid", (b"a", b"a|b", b"../x", "\u00e9".encode(), b" ")),
    (b"last-event-id", (b"x", b"-1", "\u00e9".encode())),
)


class Requests:
    """Makes requests up, the same ones for the same seed."""

    def __init__(self, routes: list[tuple[str, str]], seed: int) -> None:
        self._routes = routes
        self._chance = random.Random(seed)

    def next(self) -> tuple[str, str, bytes, list[tuple[bytes, bytes]]]:
        """Give a method, an address, a body and headers."""
        pick = self._chance.choice
        method, path = pick(self._routes)
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + self._part() + rest.partition("}")[2]
        query = "&".join(f"{quote(pick(NAMES), safe='[]')}={self._part()}" for _ in range(self._chance.randrange(6)))
        headers = [(b"content-type", pick(TYPES).encode()), (b"content-encoding", pick(ENCODINGS).encode())]
        headers += [(name, pick(values)) for name, values in MARKED if self._chance.random() < 0.15]
        body = pick(BODIES) if method in {"POST", "PUT", "PATCH", "DELETE"} else b""
        return method, f"{path}?{query}", body, [(name, value) for name, value in headers if value]

    def _part(self) -> str:
        return (
            self._chance.choice(SPOILT) if self._chance.random() < 0.2 else quote(self._chance.choice(TEXTS), safe="")
        )


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_breaks_the_server(tmp_path, ops, seed):
    server = {"data": tmp_path / "data", "ops": ops, "auth": "off"}
    holdfast = await app.build(
        load(SECTIONS, environ={}, overrides={"server": server, "otlp": {"grpc_listen": ""}}), {}
    )
    try:
        await holdfast.start()
        front = web.build(holdfast)
        routes = {(way, each.path) for each in iter_route_contexts(front.api.routes) for way in each.methods or ()}
        asked = [
            route for route in sorted(routes) if not route[1].startswith("/api/v1") and not ENDLESS.search(route[1])
        ]
        requests = Requests(asked, seed)
        transport = httpx.ASGITransport(front, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await client.put("/metrics/job/j", content=b'm{i="1"} 1\nm{i="2"} 2\n')
            for _ in range(REQUESTS):
                method, address, body, headers = requests.next()
                answer = await client.request(method, address, content=body, headers=headers)
                assert answer.status_code not in {500, 502, 504}, f"{method} {address} {headers} {body[:60]!r}"
    finally:
        await holdfast.stop()
