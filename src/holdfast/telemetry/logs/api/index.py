"""`index/stats`, `index/volume` and `index/volume_range` of Loki's HTTP API: how much there is, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.api.envelope import plain, success
from holdfast.telemetry.logs.api.parameters import Range, read_limit, read_range, read_step_ns
from holdfast.telemetry.logs.api.results import seconds_of
from holdfast.telemetry.logs.logql import parse_selector
from holdfast.telemetry.logs.selection import RecordSelection, StreamScope
from holdfast.telemetry.metrics.api import Parameters
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

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
        span, limit = read_range(given), _limit(given)
        volumes = await self._volumes(identity, given, span, 0)
        at = seconds_of(span.end_ns)
        largest = _largest(volumes, limit)
        rows = [{"metric": dict(labels), "value": [at, str(sum(volumes[labels].values()))]} for labels in largest]
        return success({"resultType": "vector", "result": rows})

    async def volume_range(self, request: Request, identity: Reader) -> Response:
        """Give the same in steps, each with the time of its end."""
        given = await Parameters.of(request)
        span, limit = read_range(given), _limit(given)
        volumes = await self._volumes(identity, given, span, read_step_ns(given, span))
        rows = [
            {
                "metric": dict(labels),
                "values": [[seconds_of(at), str(size)] for at, size in sorted(volumes[labels].items())],
            }
            for labels in _largest(volumes, limit)
        ]
        return success({"resultType": "matrix", "result": rows})

    async def _volumes(self, identity: Identity, given: Parameters, span: Range, step_ns: int) -> _Volumes:
        matchers = _matchers(given)
        targets = tuple(dict.fromkeys(name for name in given.text("targetLabels").split(",") if name))
        if given.text("aggregateBy") not in {"", "series", "labels"}:
            raise InvalidError("invalid aggregation option", hint="aggregateBy is series or labels")
        is_by_label = given.text("aggregateBy") == "labels"
        named = tuple(dict.fromkeys(matcher.label for matcher in matchers))
        matchers += tuple(Matcher(name, MatchOp.MATCHES, ".+") for name in targets if name not in named)
        by = targets or named
        if not by:
            scope = StreamScope((), span.start_ns, span.end_ns)
            by = tuple(await self.source.label_names(identity.tenant, scope))
        volumes: _Volumes = {}
        for part in _parts(span, step_ns):
            wanted = RecordSelection(matchers, part.start_ns, part.end_ns)
            counts = await self.source.counts(identity.tenant, wanted, step_ns=step_ns or _whole(span), by=by)
            columns = zip(counts.groups, counts.begins_ns.tolist(), counts.body_bytes.tolist(), strict=True)
            for group, begin_ns, size in columns:
                pairs = tuple((name, value) for name, value in zip(by, group, strict=True) if value)
                at = _end_ns(begin_ns, span, step_ns)
                for labels in [((name, ""),) for name, _ in pairs] if is_by_label else [pairs]:
                    times = volumes.setdefault(labels, {})
                    times[at] = times.get(at, 0) + size
        return volumes


_Volumes = dict[tuple[tuple[str, str], ...], dict[int, int]]


def _parts(span: Range, step_ns: int) -> list[Range]:
    """Cut off what stands before the first multiple of the step, for steps begin at these."""
    first_ns = span.start_ns + -span.start_ns % step_ns if step_ns else span.start_ns
    if first_ns in {span.start_ns, span.end_ns} or first_ns > span.end_ns:
        return [span]
    return [Range(span.start_ns, first_ns), Range(first_ns, span.end_ns)]


def _end_ns(begin_ns: int, span: Range, step_ns: int) -> int:
    """Give the time that a step bears: a millisecond before the next one begins, or the end of all, as in Loki."""
    end_ns = begin_ns - begin_ns % step_ns + step_ns if step_ns else span.end_ns
    return span.end_ns if end_ns >= span.end_ns else end_ns - _NS // 1000


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
