"""A registry of its own for each test, and spans that are kept."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def kept_spans(monkeypatch):
    """Spans of everybody who asks the API for a tracer while the test runs."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda name, *args, **kwargs: provider.get_tracer(name))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


class Figures:
    """Reads samples of a registry by name and some of their labels."""

    def __init__(self, registry):
        self._registry = registry

    def __call__(self, name, **labels):
        """Give the sum of the samples called `name` that have these labels; None if there is none."""
        found = [
            sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def values(self, name, label):
        """Give the values of a label that samples called `name` have."""
        return {
            sample.labels[label]
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name
        }


@pytest.fixture
def figures(registry):
    return Figures(registry)
