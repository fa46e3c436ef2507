"""The release that this process runs, and spans that bear it: a resource cannot change, so each release has its own.

Only `break --bad-release` changes it while the process lives; a real deploy would start another process.
"""

from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor, TracerProvider
from opentelemetry.util import types


class Release:
    """What runs now."""

    def __init__(self) -> None:
        self.name = ""

    @property
    def attributes(self) -> Resource:
        """What it adds to a resource."""
        return Resource({"service.version": self.name})


running = Release()


class ReleasedTracers(trace.TracerProvider):
    """Gives tracers whose spans tell the release that runs when they start."""

    def __init__(self, resource: Resource) -> None:
        self.processor = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]  # so the SDK declares it
        self._resource = resource
        self._providers: dict[str, TracerProvider] = {}

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: types.Attributes = None,
    ) -> trace.Tracer:
        """Give a tracer of that name."""
        return _ReleasedTracer(self, (instrumenting_module_name, instrumenting_library_version, schema_url, attributes))

    def of_release(self) -> TracerProvider:
        """Give the provider of the release that runs."""
        if running.name not in self._providers:
            resource = self._resource.merge(running.attributes)
            provider = TracerProvider(resource=resource, shutdown_on_exit=False, active_span_processor=self.processor)
            self._providers[running.name] = provider
        return self._providers[running.name]

    def shutdown(self) -> None:
        """Flush what is left."""
        self.processor.shutdown()


class _ReleasedTracer(trace.Tracer):
    def __init__(self, tracers: ReleasedTracers, scope: tuple[Any, ...]) -> None:
        self._tracers = tracers
        self._scope = scope
        self._known: dict[str, trace.Tracer] = {}

    def start_span(self, *args: Any, **more: Any) -> trace.Span:
        return self._tracer().start_span(*args, **more)

    def start_as_current_span(self, *args: Any, **more: Any) -> Any:
        return self._tracer().start_as_current_span(*args, **more)

    def _tracer(self) -> trace.Tracer:
        if running.name not in self._known:
            self._known[running.name] = self._tracers.of_release().get_tracer(*self._scope)
        return self._known[running.name]
