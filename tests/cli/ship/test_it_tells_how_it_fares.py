"""What `holdfast ship` tells of itself, what its disk buffer keeps, and that trouble with its disk ends nothing."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from fixtures.secrets import LEAKS
from holdfast.cli.ship.commands import Shipping, _run
from holdfast.cli.ship.files import Files
from holdfast.cli.ship.meters import ShipMeters, served
from holdfast.cli.ship.sending import Sending
from holdfast.cli.ship.spool import Spool
from holdfast.kernel.errors import ConflictError, InvalidError
from holdfast.telemetry import ScrubSettings, SenderScrubber


class Shipped:
    """One run over a file, to a server that is a function."""

    def __init__(self, folder: Path, statuses: list[int], kind: str = "text/plain") -> None:
        self.bodies: list[dict[str, object]] = []
        self.told: list[str] = []
        self.meters, self.scrubber = ShipMeters(), SenderScrubber(ScrubSettings())
        self.spool = Spool(folder / "state", 10_000_000)
        self.meters.watch(self.spool, self.scrubber)
        self._statuses, self._kind = statuses, kind
        client = httpx.Client(transport=httpx.MockTransport(self._answer), base_url="http://server")
        self.sending = Sending(self.spool, client, self.told.append, self.meters)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        status = self._statuses.pop(0) if self._statuses else 204
        if status == 204:
            self.bodies.append(json.loads(gzip.decompress(request.content)))
        return httpx.Response(status, headers={"retry-after": "0", "content-type": self._kind})

    def run(self, *files: str) -> None:
        source = Files(list(files), {}, "web-1", {})
        self.sending.start()
        shipping = Shipping(self.spool, [source], self.sending, self.scrubber, self.meters)
        _run(shipping, threading.Event(), is_once=True)
        self.sending.stop()
        source.close()
        self.spool.close()


def test_figures_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\nmail to a@example.org\n")
    shipped = Shipped(tmp_path, [503])
    shipped.run(str(tmp_path / "a.log"))

    batches = {"stored": 1, "refused": 0, "waiting": 0}
    assert shipped.meters.summary() == {"lines": 2, "bytes": 18, "retries": 1, "batches": batches, "scrubbed": 1}
    [told] = shipped.told
    assert "503" in told


@pytest.mark.parametrize(("status", "kind"), [(200, "text/html"), (200, "application/json"), (400, "text/html")])
def test_what_is_no_door_has_stored_nothing(tmp_path: Path, status: int, kind: str) -> None:
    (tmp_path / "a.log").write_text("one\n")
    shipped = Shipped(tmp_path, [status], kind)
    shipped.run(str(tmp_path / "a.log"))
    assert [body["streams"][0]["values"][0][1] for body in shipped.bodies] == [
        "one"
    ]  # with the next try, when it is there
    assert f"no Holdfast (status {status})" in shipped.told[0]


def test_no_secret_is_in_the_disk_buffer(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{leak.text}\n" for leak in LEAKS))
    shipped, seen = Shipped(tmp_path, []), []
    real = shipped.spool.append

    def append(body: bytes, positions: dict[str, object]) -> None:
        seen.append(body.decode() + json.dumps(positions))
        real(body, positions)

    shipped.spool.append = append  # type: ignore[method-assign,assignment]  # what is written is what counts
    shipped.run(str(tmp_path / "a.log"))
    assert [leak.kind for leak in LEAKS if leak.secret in "".join(seen)] == []
    assert "[private_key]" in "".join(seen)


def test_a_disk_that_is_full_for_a_while_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text("one\n")
    shipped = Shipped(tmp_path, [])
    failures, real = [OSError(28, "No space left on device")], shipped.spool.drop

    def drop(number: int) -> None:
        if failures:
            raise failures.pop()
        real(number)

    monkeypatch.setattr(shipped.spool, "drop", drop)
    shipped.run(str(tmp_path / "a.log"))
    assert len(shipped.bodies) == 2  # what was sent could not be noted, so it was sent again, and is the same
    assert shipped.bodies[0] == shipped.bodies[1]
    assert "No space left" in shipped.told[0]


def test_metrics_are_served() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    meters = ShipMeters()
    meters.lines.inc(3)
    with served(meters, listen):
        assert "holdfast_ship_lines_total 3.0" in httpx.get(f"http://{listen}/metrics").text
        with pytest.raises(ConflictError, match="cannot be had"), served(ShipMeters(), listen):
            pass
    with served(meters, ""), pytest.raises(InvalidError, match="no address"), served(meters, "9477"):
        pass
