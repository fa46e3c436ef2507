"""`/prometheus/federate`: the newest samples of chosen series as a page, for a Prometheus above that scrapes this one.

Native histograms have no form in the text format and are left out. Source: Prometheus 3, web/federate.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.numbers import write_value
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.api.presence import while_present
from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.promql import parse_matchers
from holdfast.telemetry.metrics.queries import Asked

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.queries import QueryDesk
    from holdfast.telemetry.metrics.scrape import TargetBoard

Reader = Annotated[Identity, Depends(requires("metrics.read"))]
Newest = dict["Labels", tuple[int, float]]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Federation:
    """The handler, over the desk; the board knows the external labels, which series without their names get."""

    desk: QueryDesk
    board: TargetBoard
    clock: Clock

    async def federate(self, request: Request, identity: Reader) -> Response:
        """Give the newest sample of each series that a `match[]` selects."""
        given = await Parameters.of(request)
        chosen = given.all("match[]")
        if not chosen:
            raise InvalidError("no match[] is given", hint='such as match[]={job="shop"}')
        found: Newest = {}
        for text in chosen:
            parse_matchers(text)
            found.update(await while_present(request, self._newest(identity, text)))
        page = "".join(_page(found, dict(self.board.external_labels)))
        return Response(page, media_type=CONTENT_TYPE)

    async def _newest(self, identity: Identity, selector: str) -> Newest:
        """Give what is current, by the query that leaves ended series out, with the times that only samples have."""
        now_ms = int(self.clock.now().timestamp() * 1000)
        current = (await self.desk.answer(Asked(identity.tenant, selector, now_ms))).grid
        window = f"{selector}[{int(self.desk.settings.lookback)}s]"
        raw = (await self.desk.answer(Asked(identity.tenant, window, now_ms))).series
        if current is None or raw is None:
            return {}
        alive = set(current.labels)
        newest: Newest = {}
        for row, labels in enumerate(raw.labels):
            last = int(raw.offsets[row + 1]) - 1
            is_histogram = raw.histograms is not None and raw.histograms[last] is not None
            if labels in alive and last >= int(raw.offsets[row]) and not is_histogram:
                newest[labels] = (int(raw.ts_ms[last]), float(raw.values[last]))
        return newest


def _page(found: Newest, external: dict[str, str]) -> Iterator[str]:
    """Write the text format: a scraper with `honor_labels` keeps `instance` as it is, empty where there is none."""
    rows = [(dict(labels), sample) for labels, sample in sorted(found.items(), key=lambda row: _order(row[0]))]
    for name, series in groupby(rows, key=lambda row: row[0].get(METRIC_NAME, "")):
        if not name:
            continue
        yield f"# TYPE {_name(name)} untyped\n"
        for labels, (ts_ms, value) in series:
            told = {"instance": "", **external, **labels}
            pairs = ",".join(f"{_name(key)}={_quote(told[key])}" for key in sorted(told) if key != METRIC_NAME)
            opening = f"{name}{{{pairs}}}" if _PLAIN.fullmatch(name) else f"{{{_quote(name)},{pairs}}}"
            yield f"{opening} {write_value(value)} {ts_ms}\n"


def _order(labels: Labels) -> tuple[str, Labels]:
    return dict(labels).get(METRIC_NAME, ""), labels


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _quote(name)


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'
