"""`/prometheus/federate`: the newest samples of chosen series as a page, for a Prometheus above that scrapes this one.

Finds the samples; `federated_pages` writes them. Source: Prometheus 3, web/federate.go.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Response
from prometheus_client import CollectorRegistry, Counter

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.federated_pages import PageForm, write_page
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.api.presence import while_present
from holdfast.telemetry.metrics.api.selectors import read_selectors
from holdfast.telemetry.metrics.queries import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.queries import QueryDesk
    from holdfast.telemetry.metrics.scrape import TargetBoard
    from holdfast.telemetry.metrics.selection import SeriesColumns

_Found = tuple["Sequence[Labels]", "SeriesColumns"]
"""Series that are current, and the samples of these and others."""
Reader = Annotated[Identity, Depends(requires("metrics.read"))]


def count_left_out(registry: CollectorRegistry) -> Counter:
    """Make the counter of what pages could not hold."""
    return Counter(
        "holdfast_metrics_federation_histograms_left_out",
        "Native histograms that a page of /prometheus/federate could not hold: all of them in the text format, in"
        " protobuf those with bounds of their own.",
        registry=registry,
    )


@dataclass(frozen=True, slots=True)
class Federation:
    """The handler, over the desk; the board knows the external labels, which series without their names get."""

    desk: QueryDesk
    board: TargetBoard
    clock: Clock
    left_out: Counter

    async def federate(self, request: Request, identity: Reader) -> Response:
        """Give the newest sample of each series that a `match[]` selects."""
        given = await Parameters.of(request)
        chosen = given.all("match[]")
        if not chosen:
            raise InvalidError("no match[] is given", hint='such as match[]={job="shop"}')
        read_selectors(given)
        found = [await while_present(request, self._asked(identity, text)) for text in chosen]
        form = PageForm.of(request.headers.get("accept", ""))
        # In a thread: a page may be of a hundred thousand series.
        page, left_out = await asyncio.to_thread(_page, found, dict(self.board.external_labels), form)
        self.left_out.inc(left_out)
        return Response(page, headers={"content-type": form.content_type, "vary": "accept"})

    async def _asked(self, identity: Identity, selector: str) -> _Found:
        """Ask what is current, which leaves ended series out, and for the samples, which alone have their times."""
        now_ms = int(self.clock.now().timestamp() * 1000)
        current = (await self.desk.answer(Asked(identity.tenant, selector, now_ms))).grid
        window = f"{selector}\n[{int(self.desk.settings.lookback * 1000)}ms]"  # a comment may end the selector
        raw = (await self.desk.answer(Asked(identity.tenant, window, now_ms))).series
        assert current is not None, "a selector gives a grid"
        assert raw is not None, "and one with a window series"
        return current.labels, raw


def _page(found: Iterable[_Found], external: Mapping[str, str], form: PageForm) -> tuple[bytes, int]:
    parts = [_newest(current, raw) for current, raw in found]
    newest = parts[0] if len(parts) == 1 else dict(chain.from_iterable(parts)).items()
    return write_page(newest, external, form)


def _newest(current: Sequence[Labels], raw: SeriesColumns) -> Iterator[tuple[Labels, tuple[int, float | Histogram]]]:
    """Give the newest sample of each series that is current; all of these have samples."""
    alive = None if len(current) == len(raw.labels) else set(current)
    last = raw.offsets[1:] - 1  # of each series, none of which is empty
    times, values = raw.ts_ms[last].tolist(), raw.values[last].tolist()
    histograms = repeat(None) if raw.histograms is None else raw.histograms[last].tolist()
    for labels, ts_ms, value, histogram in zip(raw.labels, times, values, histograms, strict=False):
        if alive is None or labels in alive:
            yield labels, (ts_ms, value if histogram is None else histogram)
