"""Requests of remote write, made by hand so that a trial spends little on its own side, and latencies of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote import Protocol
from holdfast.telemetry.metrics.remote.messages import double, labels_field, message, number, sample_field, varint

_PLAIN = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
HEADERS = {
    Protocol.V1: {**_PLAIN, "x-prometheus-remote-write-version": "0.1.0"},
    Protocol.V2: {
        **_PLAIN,
        "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "x-prometheus-remote-write-version": "2.0.0",
    },
}
WRITTEN = "x-prometheus-remote-write-samples-written"


class Encoder:
    """Writes one sample for each of the same series, again and again."""

    def __init__(self, protocol: Protocol, series: Sequence[Mapping[str, str]]) -> None:
        self._protocol = protocol
        self._symbols = b""
        if protocol is Protocol.V1:
            self._labels = [labels_field(labels_of(labels)) for labels in series]
        else:
            symbols = {"": 0}
            self._labels = [
                message(1, b"".join(varint(symbols.setdefault(text, len(symbols))) for pair in pairs for text in pair))
                for pairs in map(labels_of, series)
            ]
            self._symbols = b"".join(message(4, text.encode()) for text in symbols)

    def body(self, ts_ms: int, values: Iterable[float]) -> bytes:
        """Give the request with these values, in the order of the series."""
        pairs = zip(self._labels, values, strict=True)
        if self._protocol is Protocol.V1:
            return snappy.compress(b"".join(message(1, labels + sample_field(ts_ms, value)) for labels, value in pairs))
        time = number(2, ts_ms)
        series = [message(5, labels + message(2, double(1, value) + time)) for labels, value in pairs]
        return snappy.compress(self._symbols + b"".join(series))


@dataclass(slots=True)
class Latencies:
    """Seconds that answers took; only those of requests that were answered as they should."""

    seconds: list[float] = field(default_factory=list)

    def line(self) -> str:
        return f"{self.at(50) * 1000:.1f} / {self.at(99) * 1000:.1f} ms (median / p99 of {len(self.seconds):,})"

    def at(self, percent: float) -> float:
        return float(np.percentile(self.seconds, percent)) if self.seconds else float("nan")
