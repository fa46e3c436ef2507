"""`index/stats`, `index/volume` and `index/volume_range` of Loki's HTTP API: how much there is, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.api.envelope import plain, success
from holdfast.telemetry.logs.api.parameters import Range, read_limit, read_range, read_step_ns
from holdfast.telemetry.logs.logql import parse_selector
from holdfast.telemetry.logs.selection import RecordSelection, StreamScope
from holdfast.telemetry.metrics.api import Parameters

if TYPE_CHECKING:
    from holdfast.telemetry.logs.selection import Matchers, RecordSource

Reader = Annotated[Identity, Depends(requires("logs.read"))]
METHODS: Final = ["GET", "POST"]
_NS: Final = 10**9
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class IndexRoutes:
    """The handlers, over the source."""

    source: RecordSource

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/index/stats", self.stats, methods=METHODS)
        router.add_api_route("/index/volume", self.volume, methods=METHODS)
        router.add_api_route("/index/volume_range", self.volume_range, methods=METHODS)

    async def stats(self, request: Request, identity: Reader) -> Response:
        """Count the streams, records and bytes of a selector."""
        given = await Parameters.of(request)
        matchers, span = _matchers(given), read_range(given)
        scope = StreamScope((matchers,), span.start_ns, span.end_ns)
        streams = await self.source.streams(identity.tenant, scope)
        wanted = RecordSelection(matchers, span.start_ns, span.end_ns)
        counts = await self.source.counts(identity.tenant, wanted, step_ns=_whole(span))
        told = {"streams": len(streams), "chunks": len(streams), "entries": int(counts.records.sum())}
        return plain({**told, "bytes": int(counts.body_bytes.sum())})

    async def volume(self, request: Request, identity: Reader) -> Response:
        """Give the bytes of a selector by the labels of its matchers, or those asked for; the most first."""
        given = await Parameters.of(request)
        span = read_range(given)
        volumes = await self._volumes(identity, given, span, _whole(span))
        at = span.end_ns / _NS
        largest = _largest(volumes, _limit(given))
        rows = [{"metric": dict(labels), "value": [at, str(sum(volumes[labels].values()))]} for labels in largest]
        return success({"resultType": "vector", "result": rows})

    async def volume_range(self, request: Request, identity: Reader) -> Response:
        """Give the same in steps."""
        given = await Parameters.of(request)
        span = read_range(given)
        volumes = await self._volumes(identity, given, span, read_step_ns(given, span))
        rows = [
            {"metric": dict(labels), "values": [[at / _NS, str(size)] for at, size in sorted(volumes[labels].items())]}
            for labels in _largest(volumes, _limit(given))
        ]
        return success({"resultType": "matrix", "result": rows})

    async def _volumes(self, identity: Identity, given: Parameters, span: Range, step_ns: int) -> _Volumes:
        matchers = _matchers(given)
        names = tuple(name for name in given.text("targetLabels").split(",") if name)
        by = names or tuple(dict.fromkeys(matcher.label for matcher in matchers))
        if given.text("aggregateBy") not in {"", "series", "labels"}:
            raise InvalidError("invalid aggregation option", hint="aggregateBy is series or labels")
        is_by_label = given.text("aggregateBy") == "labels"
        wanted = RecordSelection(matchers, span.start_ns, span.end_ns)
        counts = await self.source.counts(identity.tenant, wanted, step_ns=step_ns, by=by)
        volumes: _Volumes = {}
        columns = zip(counts.groups, counts.begins_ns.tolist(), counts.body_bytes.tolist(), strict=True)
        for group, begin_ns, size in columns:
            pairs = tuple((name, value) for name, value in zip(by, group, strict=True) if value)
            for labels in [((name, ""),) for name, _ in pairs] if is_by_label else [pairs]:
                times = volumes.setdefault(labels, {})
                times[begin_ns] = times.get(begin_ns, 0) + size
        return volumes


_Volumes = dict[tuple[tuple[str, str], ...], dict[int, int]]


def _largest(volumes: _Volumes, limit: int) -> list[Any]:
    return sorted(volumes, key=lambda labels: (-sum(volumes[labels].values()), labels))[:limit]


def _limit(given: Parameters) -> int:
    """Give how many volumes are wanted; 0 stands for the usual number, as in Loki."""
    return _MOST if given.text("limit") == "0" else read_limit(given, _MOST)


def _matchers(given: Parameters) -> Matchers:
    text = given.text("query")
    if not text:
        raise InvalidError("the parameter query is missing", hint='such as {service_name="shop"}')
    return parse_selector(text)


def _whole(span: Range) -> int:
    return max(span.end_ns - span.start_ns, 1)
