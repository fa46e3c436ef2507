"""Remote read: another Prometheus asks for raw samples and gets them as it accepts them.

SAMPLES are one message in one snappy block, STREAMED_XOR_CHUNKS frames of chunks, written while they are read.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request, Response
from starlette.responses import StreamingResponse

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.api.presence import while_present
from holdfast.telemetry.metrics.intake import refuse
from holdfast.telemetry.metrics.remote.frames import write_frames
from holdfast.telemetry.metrics.remote.messages import histogram_field, labels_field, message, sample_field
from holdfast.telemetry.metrics.remote.questions import ResponseType, read_questions
from holdfast.telemetry.metrics.remote.settings import RemoteWriteSettings
from holdfast.telemetry.metrics.selection import SelectionLimits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from holdfast.telemetry.metrics.selection import SampleSource, SeriesColumns

MOST_QUESTION_BYTES: Final = 1_000_000
STREAMED: Final = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"

Reader = Annotated[Identity, Depends(requires("metrics.read"))]


def reading(source: SampleSource, settings: RemoteWriteSettings) -> Callable[[Request, Identity], Awaitable[Response]]:
    """Build the route's function over `source`."""
    limits = SelectionLimits(max_samples=settings.max_read_samples)

    async def read(request: Request, identity: Reader) -> Response:
        """Give the raw samples that a remote read asks for."""
        try:
            body = await request.body()
            if not request.scope.get("holdfast.decoded"):
                body = snappy.decompress(body, limit=MOST_QUESTION_BYTES, setting="its limit")
            questions = read_questions(body)
            found = await while_present(request, source.select(identity.tenant, questions.selections, limits))
        except HoldfastError as error:
            return refuse(error)
        if questions.response_type is ResponseType.STREAMED_XOR_CHUNKS:
            return StreamingResponse(stream_answer(found), media_type=STREAMED)
        # Writing a million samples takes a second or two: not on the loop that everybody waits for.
        answer = await asyncio.to_thread(lambda: snappy.compress(write_answer(found)))
        headers = {"content-encoding": "snappy"}
        return Response(answer, headers=headers, media_type="application/x-protobuf")

    return read


def stream_answer(found: list[SeriesColumns]) -> Iterator[bytes]:
    """Give the frames of what each query found, a batch at a time; what has been written is let go of."""
    waiting = found[::-1]
    found.clear()
    for query in range(len(waiting)):
        yield from write_frames(waiting.pop(), query)


def write_answer(found: list[SeriesColumns]) -> bytes:
    """Give the `prometheus.ReadResponse` of what each query found."""
    return b"".join(message(1, b"".join(_write_series(columns))) for columns in found)


def _write_series(columns: SeriesColumns) -> list[bytes]:
    written = []
    for place in sorted(range(len(columns.labels)), key=columns.labels.__getitem__):
        start, end = int(columns.offsets[place]), int(columns.offsets[place + 1])
        if start == end:
            continue
        times, values = columns.ts_ms[start:end].tolist(), columns.values[start:end].tolist()
        histograms = [None] * len(times) if columns.histograms is None else columns.histograms[start:end]
        parts = [labels_field(columns.labels[place])]
        parts += [
            sample_field(ts_ms, value)
            for ts_ms, value, histogram in zip(times, values, histograms, strict=True)
            if histogram is None
        ]
        parts += [
            histogram_field(4, ts_ms, histogram)
            for ts_ms, histogram in zip(times, histograms, strict=True)
            if histogram is not None
        ]
        written.append(message(1, b"".join(parts)))
    return written
