"""Shows the process's metrics to Prometheus, in the text format or OpenMetrics, as the scraper asks.

Units are read off the names where a metric does not state its own, so that every `_seconds` says that it is in seconds.
"""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from prometheus_client import REGISTRY, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

# Of OpenMetrics 1.0 ("Units and Base Units") and https://prometheus.io/docs/practices/naming/; those that end a name.
UNITS: Final = frozenset(
    {"seconds", "bytes", "ratio", "celsius", "joules", "volts", "amperes", "grams", "meters", "hertz", "watts"}
)
_UNITLESS: Final = frozenset({"info", "stateset"})  # OpenMetrics: the unit of these must be empty


class _WithUnits(Collector):
    """A registry whose metrics all have the unit that their name ends with."""

    def __init__(self, registry: Collector) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            unit = metric.name.rpartition("_")[2]
            if not metric.unit and unit in UNITS and unit != metric.name and metric.type not in _UNITLESS:
                metric.unit = unit
            yield metric


def encode_metrics(registry: CollectorRegistry, accept: str = "", names: Sequence[str] = ()) -> tuple[bytes, str]:
    """Write the metrics of `registry` in the format that `accept` asks for; give the text and its content type.

    With `names`, only the metrics that have a sample of such a name. Where workers of a server share the default
    registry (`PROMETHEUS_MULTIPROC_DIR`), those of all of them.
    """
    encode, content_type = choose_encoder(accept)
    if registry is REGISTRY and has_several_processes():
        return encode(_WithUnits(_OfAllProcesses(names))), content_type
    return encode(_WithUnits(registry.restricted_registry(names) if names else registry)), content_type


def has_several_processes() -> bool:
    """Tell whether values are kept in files, for all workers: `PROMETHEUS_MULTIPROC_DIR` was set at the start."""
    return bool(getattr(values.ValueClass, "_multiprocess", False))


class _OfAllProcesses(Collector):
    """The metrics of every worker of a server, added up; those that are read anew at each look are left out."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 -- for who has several

        collector: Any = MultiProcessCollector
        folder = Path(collector(None)._path)  # noqa: SLF001 -- the library knows which, and refuses a missing one
        for metric in collector.merge([str(file) for file in _files_of_the_living(folder)]):
            if not self._names or any(sample.name in self._names for sample in metric.samples):
                yield metric


def _files_of_the_living(folder: Path) -> list[Path]:
    """Give the files, but of workers that are gone only what counts on; not every server tells of such a worker."""
    files = list(folder.glob("*.db"))
    if not any(_worker(file) == str(os.getpid()) for file in files):  # workers have other names than their process ids
        return files
    gone = {worker for worker in {_worker(file) for file in files} if not _is_running(worker)}
    return [file for file in files if not file.name.startswith("gauge_live") or _worker(file) not in gone]


def _worker(file: Path) -> str:
    return file.stem.rpartition("_")[2]


def _is_running(worker: str) -> bool:
    try:
        os.kill(int(worker), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, OverflowError):  # it is another user's, or no process id
        return True
    return True


class MetricsEndpoint:
    """An ASGI app; an object, not a function, so that frameworks do not take it for one of their handlers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request."""
        asked = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        # In a thread: some collectors read files, and a scrape must not be what makes the event loop late.
        names = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("name[]", [])
        body, content_type = await asyncio.to_thread(encode_metrics, self._registry, asked.get(b"accept", ""), names)
        headers = [(b"content-type", content_type.encode()), (b"vary", b"accept, accept-encoding")]
        if accepts_gzip(asked.get(b"accept-encoding", "")):
            body = gzip.compress(body, 1)
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})


def accepts_gzip(header: str) -> bool:
    """Tell whether an `Accept-Encoding` allows gzip."""
    for offer in header.split(","):
        name, _, weight = offer.replace(" ", "").partition(";q=")
        if name in {"gzip", "x-gzip", "*"}:
            return weight not in {"0", "0.0", "0.00", "0.000"}
    return False


def metrics_endpoint(registry: CollectorRegistry = REGISTRY) -> Callable[..., Any]:
    """Make an ASGI app that answers every request with the metrics of `registry`; a route's endpoint, or mounted."""
    return MetricsEndpoint(registry)
