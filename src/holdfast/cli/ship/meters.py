"""What `holdfast ship` tells of itself: counters at `--metrics-listen`, and a summary as JSON."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from holdfast.kernel.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.ship.entries import Batch
    from holdfast.cli.ship.spool import Spool
    from holdfast.telemetry import SenderScrubber


class ShipMeters:
    """Counters of one run."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.lines = Counter("holdfast_ship_lines", "Records that were read.", registry=registry)
        self.letters = Counter("holdfast_ship_bytes", "Letters of the records that were read.", registry=registry)
        self.batches = Counter(
            "holdfast_ship_batches", "Batches by what became of them.", ("outcome",), registry=registry
        )
        self.tries = Counter("holdfast_ship_retries", "Sendings that have to be repeated.", registry=registry)
        for outcome in ("stored", "refused"):
            self.batches.labels(outcome)

    def watch(self, spool: Spool, scrubber: SenderScrubber) -> None:
        """Show what waits on the disk, and what was taken out."""
        waiting = Gauge("holdfast_ship_waiting_batches", "Batches in the disk buffer.", registry=self.registry)
        waiting.set_function(lambda: len(spool))
        taken = Gauge("holdfast_ship_waiting_bytes", "Bytes that the disk buffer takes.", registry=self.registry)
        taken.set_function(lambda: spool.size_bytes)
        most = Gauge("holdfast_ship_waiting_limit_bytes", "Bytes that it may take.", registry=self.registry)
        most.set(spool.most_bytes)
        scrubbed = Gauge("holdfast_ship_scrubbed", "Secrets that were taken out.", registry=self.registry)
        scrubbed.set_function(lambda: sum(scrubber.finds.values()))

    def note(self, batch: Batch) -> None:
        """Count what was read."""
        self.lines.inc(len(batch.entries))
        self.letters.inc(sum(len(entry.line) for entry in batch.entries))

    def summary(self) -> dict[str, Any]:
        """Give the figures as plain numbers, by their names."""
        names = ("lines", "bytes", "retries")
        figures = {name: int(self._value(f"holdfast_ship_{name}_total")) for name in names}
        outcomes = {
            outcome: int(self._value("holdfast_ship_batches_total", outcome=outcome))
            for outcome in ("stored", "refused")
        }
        waiting = int(self._value("holdfast_ship_waiting_batches"))
        return {
            **figures,
            "batches": {**outcomes, "waiting": waiting},
            "scrubbed": int(self._value("holdfast_ship_scrubbed")),
        }

    def _value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def served(meters: ShipMeters, listen: str) -> Iterator[None]:
    """Serve the counters at HOST:PORT within the block; nowhere if it is empty.

    Raises:
        InvalidError: it is no address.
        ConflictError: the address cannot be had.
    """
    if not listen:
        yield
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise InvalidError(f"--metrics-listen {listen!r} is no address", hint="write 127.0.0.1:9477")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), meters.registry)
    except OSError as error:
        raise ConflictError(f"{listen} cannot be had: {error}", hint="is another one listening?") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
