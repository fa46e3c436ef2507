"""`search/metric_names`, `search/label_names`, `search/label_values` of Prometheus' HTTP API: what fits a few letters.

Answers are lines of JSON: batches of results, then how it ended. Source: Prometheus 3, web/api/v1/search.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.api.ranking import ALGORITHMS, Search
from holdfast.telemetry.metrics.api.selectors import read_selectors
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.labels import METRIC_NAME

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.browsing import SeriesBrowser

Reader = Annotated[Identity, Depends(requires("metrics.read"))]

LINES: Final = "application/x-ndjson; charset=utf-8"
METHODS: Final = ["GET", "POST"]
_HOUR_MS: Final = 3_600_000
_RESULTS: Final = 100


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a request asks for besides the names to look through."""

    search: Search
    scope: Scope
    order: str
    is_descending: bool
    has_scores: bool
    limit: int
    batch: int


@dataclass(frozen=True, slots=True)
class SearchRoutes:
    """The handlers, over the browser."""

    browser: SeriesBrowser
    clock: Clock

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/search/metric_names", self.metric_names, methods=METHODS)
        router.add_api_route("/search/label_names", self.label_names, methods=METHODS)
        router.add_api_route("/search/label_values", self.label_values, methods=METHODS)

    async def metric_names(self, request: Request, identity: Reader) -> Response:
        """Give names of metrics, with what is said of them where that is wished."""
        given = await Parameters.of(request)
        wish = self._read(given)
        says = given.flag("include_metadata", default=False)
        names = await self.browser.label_values(identity.tenant, METRIC_NAME, wish.scope)
        about = {each.family: each for each in await self.browser.metadata(identity.tenant)} if says else {}
        return await _answer(names, wish, about)

    async def label_names(self, request: Request, identity: Reader) -> Response:
        """Give names of labels."""
        wish = self._read(await Parameters.of(request))
        return await _answer(await self.browser.label_names(identity.tenant, wish.scope), wish)

    async def label_values(self, request: Request, identity: Reader) -> Response:
        """Give values of the label that is named."""
        given = await Parameters.of(request)
        wish, label = self._read(given), given.text("label")
        if not label:
            raise InvalidError('missing required parameter "label"')
        return await _answer(await self.browser.label_values(identity.tenant, label, wish.scope), wish)

    def _read(self, given: Parameters) -> _Wish:
        now_ms = int(self.clock.now().timestamp() * 1000)
        start_ms, end_ms = given.time_ms("start", now_ms - _HOUR_MS), given.time_ms("end", now_ms)
        terms = tuple(given.all("search[]"))
        order, direction = _read_order(given, has_terms=bool(terms))
        threshold = given.count("fuzz_threshold")
        if threshold > 100:
            raise InvalidError(f'invalid fuzz_threshold "{threshold}": must be 0-100')
        algorithm = given.choice("fuzz_alg", ALGORITHMS) or ALGORITHMS[0]
        return _Wish(
            Search(terms, algorithm, threshold / 100, given.flag("case_sensitive", default=True)),
            Scope(read_selectors(given), start_ms, end_ms),
            order,
            direction == "dsc",
            given.flag("include_score", default=False),
            given.count("limit") or _RESULTS,
            given.count("batch_size") or _RESULTS,
        )


def _read_order(given: Parameters, *, has_terms: bool) -> tuple[str, str]:
    order, direction = given.choice("sort_by", ("alpha", "score")), given.choice("sort_dir", ("asc", "dsc"))
    if direction and order != "alpha":
        raise InvalidError("sort_dir is only valid with sort_by=alpha")
    if order == "score" and not has_terms:
        raise InvalidError("sort_by=score requires search[] to be set")
    return order, direction


async def _answer(names: list[str], wish: _Wish, about: Mapping[str, MetricMetadata] | None = None) -> Response:
    # In a thread: there may be a hundred thousand names.
    return Response(await asyncio.to_thread(_write, names, wish, about or {}), media_type=LINES)


def _write(names: list[str], wish: _Wish, about: Mapping[str, MetricMetadata]) -> bytes:
    found = wish.search.rank(names)
    if wish.order == "score":
        found.sort(key=lambda one: -one[1])  # names of one score stay sorted
    elif wish.is_descending:
        found.reverse()
    results = [
        _describe(name, score if wish.has_scores else None, about.get(name)) for name, score in found[: wish.limit]
    ]
    batches = [results[begin : begin + wish.batch] for begin in range(0, len(results), wish.batch)] or [[]]
    lines: list[dict[str, Any]] = [{"results": batch} for batch in batches]
    lines.append({"status": "success", "has_more": len(found) > wish.limit})
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def _describe(name: str, score: float | None, said: MetricMetadata | None) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name}
    if score is not None:
        told["score"] = score
    if said is not None:
        told |= {key: text for key, text in (("type", said.type), ("help", said.help), ("unit", said.unit)) if text}
    return told
