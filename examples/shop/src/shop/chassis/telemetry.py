"""Logs and traces of a service process: JSON lines through the journal, spans and logs over OTLP when asked for.

Without an OTLP endpoint spans are made (their ids tie logs together) but exported nowhere.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource

from holdfast import journal
from shop.chassis.releases import ReleasedTracers, running
from shop.settings import Settings


@contextlib.contextmanager
def start_telemetry(name: str, settings: Settings) -> Iterator[None]:
    """Configure logging and tracing for this process; flush what is left at the end."""
    _quiet_libraries()
    running.name = settings.release
    resource = Resource.create({"service.name": name, "service.namespace": "shop"})
    tracers = ReleasedTracers(resource)
    trace.set_tracer_provider(tracers)
    with contextlib.ExitStack() as ending:
        stream = sys.stderr
        if settings.otlp_endpoint:
            # The exporters bring a second HTTP client: only who exports pays for it.
            from shop.chassis.export import export_logs, export_spans  # noqa: PLC0415 -- see above

            export_spans(tracers, settings.otlp_endpoint)
            stream = ending.enter_context(export_logs(resource, settings.otlp_endpoint, sys.stderr))
        ending.callback(tracers.shutdown)
        journal.configure(service=name, level=settings.log_level, format="json", stream=stream)
        yield


def _quiet_libraries() -> None:
    """Leave out the lines of libraries that would repeat every request."""
    for library in ("httpx", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
