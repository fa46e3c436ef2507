"""Where others write to and read from: `/prometheus/api/v1/write` and `/prometheus/api/v1/read`."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.metrics.remote.reading import reading
from holdfast.telemetry.metrics.remote.receiving import RemoteWriter
from holdfast.telemetry.metrics.remote.settings import RemoteWriteSettings
from holdfast.telemetry.metrics.remote.writing import writing
from holdfast.telemetry.metrics.selection import SampleSource

WRITE_PATH: Final = "/prometheus/api/v1/write"


def write_routes(writer: RemoteWriter, backlog: Backlog | None = None) -> APIRouter:
    """Build the router of remote write; it stands at the root."""
    answer = writing(writer, backlog or Backlog())
    router = APIRouter(include_in_schema=False)
    router.add_api_route(WRITE_PATH, answer, methods=["POST"], name="remote write")
    return router


def read_routes(source: SampleSource, settings: RemoteWriteSettings) -> APIRouter:
    """Build the router of remote read; it stands at the root."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/prometheus/api/v1/read", reading(source, settings), methods=["POST"], name="remote read")
    return router
