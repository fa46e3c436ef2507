"""Targets behind proxies and TLS, over real sockets: CONNECT, credentials, names that differ, HTTP/2."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from fixtures import peers
from holdfast.kernel import decoding
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.http import OutboundSettings, Proxies
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.scrape.calling import Callers
from holdfast.telemetry.metrics.scrape.config import ClientConfig


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return peers.Authority(tmp_path_factory.mktemp("authority"))


class Proxy:
    """A proxy that tunnels whatever it is asked for, to one port; what it was asked stands in `asked`."""

    def __init__(self, status: str = "200 Connection established") -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.to = 0
        self._status = status

    async def answer(self, reader, writer):
        line = (await reader.readline()).decode()
        headers = {}
        while (header := await reader.readline()) not in {b"\r\n", b""}:
            name, _, value = header.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        self.asked.append((line.split()[1], headers))
        writer.write(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        await writer.drain()
        if not self._status.startswith("200"):
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader, writer):
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


async def _get(callers, url, base=Path(), **fields):
    caller = callers.caller(decoding.decode(ClientConfig, fields), base, "test")
    return await caller.get(url, {}, timeout_s=5.0)


async def test_a_target_of_https_is_reached_through_connect_with_credentials_and_headers(callers, exporter, authority):
    own = authority.issue("shop.example")
    proxy = Proxy()
    async with (
        peers.peer(exporter.answer, tls=own.server_context()) as far,
        peers.peer(proxy.answer) as near,
    ):
        proxy.to = far
        answer = await _get(
            callers,
            "https://shop.example/metrics",
            proxy_url=f"http://me:hunter2@127.0.0.1:{near}",
            proxy_connect_header={"X-Team": ["shop", "ops"]},
            tls_config={"ca_file": authority.file},
        )
    assert answer.body == exporter.page
    ((asked, headers),) = proxy.asked
    assert asked == "shop.example:443"
    assert base64.b64decode(headers["proxy-authorization"].removeprefix("Basic ")) == b"me:hunter2"
    assert headers["x-team"] in {"shop", "ops"}
    assert "x-team" not in exporter.asked[-1][1]


async def test_headers_for_the_proxy_go_with_connect_only(callers, exporter):
    given = {"proxy_url": f"http://{exporter.address}", "proxy_connect_header": {"X-Team": ["shop"]}}
    await _get(callers, "http://target.example/metrics", **given)
    assert exporter.asked[-1][0] == "http://target.example/metrics"
    assert "x-team" not in exporter.asked[-1][1]


async def test_a_proxy_that_refuses_makes_the_target_unreachable_and_says_why(callers):
    proxy = Proxy("407 Proxy Authentication Required")
    async with peers.peer(proxy.answer) as near:
        with pytest.raises(UnavailableError, match=r"the proxy does not connect to https://shop\.example.*: 407"):
            await _get(callers, "https://shop.example/metrics", proxy_url=f"http://127.0.0.1:{near}")


async def test_the_environment_names_the_proxy_where_the_section_says_so(exporter):
    clock = SystemClock()
    environment = Proxies.of_environment({"HTTP_PROXY": exporter.address, "NO_PROXY": "direct.invalid"})
    callers = Callers(OutboundSettings(), Secrets.standard({}, clock), clock, environment)
    try:
        await _get(callers, "http://target.example/metrics", proxy_from_environment=True)
        assert exporter.asked[-1][0] == "http://target.example/metrics"
        await _get(callers, f"http://{exporter.address}/direct", proxy_from_environment=True)
        assert exporter.asked[-1][0] == "/direct"
        with pytest.raises(UnavailableError):
            await _get(callers, "http://direct.invalid/metrics", proxy_from_environment=True)
        with pytest.raises(UnavailableError):
            await _get(callers, "http://target.invalid/metrics")
    finally:
        await callers.close()


async def test_server_name_is_asked_for_and_verified_instead_of_the_host(callers, exporter, authority):
    own = authority.issue("shop.example")
    context = own.server_context()
    asked = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with peers.peer(exporter.answer, tls=context) as port:
        url = f"https://127.0.0.1:{port}/metrics"
        with pytest.raises(UnavailableError, match="certificate"):
            await _get(callers, url, tls_config={"ca_file": authority.file})
        tls = {"ca_file": authority.file, "server_name": "shop.example"}
        assert (await _get(callers, url, tls_config=tls)).body == exporter.page
        with pytest.raises(UnavailableError, match="certificate"):
            await _get(callers, url, tls_config={**tls, "server_name": "other.example"})
    assert asked == [None, "shop.example", "other.example"]


async def test_a_certificate_and_key_may_stand_in_the_section_itself(callers, exporter, authority):
    own, client = authority.issue("localhost"), authority.issue("client")
    files = {"ca": authority.file, "cert": client.cert_file, "key": client.key_file}
    tls = {name: await asyncio.to_thread(Path(file).read_text) for name, file in files.items()}
    tls["server_name"] = "localhost"
    async with peers.peer(exporter.answer, tls=own.server_context(client_ca=authority.file)) as port:
        assert (await _get(callers, f"https://127.0.0.1:{port}/metrics", tls_config=tls)).body == exporter.page


def speaks_both(versions: list[str]):
    """Answer `x 1` by HTTP/2 or HTTP/1.1, as the handshake agreed."""

    async def answer(reader, writer):
        agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        versions.append(agreed)
        if agreed != "h2":
            while (await reader.readline()) not in {b"\r\n", b""}:
                pass
            writer.write(peers.http(b"x 1\n", Content_Type="text/plain"))
            await writer.drain()
            return
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/plain")])
                    connection.send_data(event.stream_id, b"x 1\n", end_stream=True)
            writer.write(connection.data_to_send())
            await writer.drain()

    return answer


@pytest.mark.parametrize(("is_on", "version"), [(True, "h2"), (False, "http/1.1")])
async def test_http2_is_spoken_where_both_sides_have_it_unless_it_is_switched_off(callers, authority, is_on, version):
    own, versions = authority.issue("localhost"), []
    async with peers.peer(speaks_both(versions), tls=own.server_context("h2", "http/1.1")) as port:
        tls = {"ca_file": authority.file, "server_name": "localhost"}
        for _ in range(2):
            url = f"https://127.0.0.1:{port}/metrics"
            answer = await _get(callers, url, tls_config=tls, enable_http2=is_on)
            assert answer.body == b"x 1\n"
    assert set(versions) == {version}
