"""How the http kind asks: redirects, credentials, trust, certificates, HTTP/2."""

from __future__ import annotations

import base64

import h2.config
import h2.connection
import h2.events
import pytest

from fixtures import peers
from fixtures.peers import answers, http
from holdfast.health.verdict import Verdict


def redirect(location: str, status: str = "302 Found") -> bytes:
    return http("moved", status, Location=location)


async def test_redirects_are_followed_and_counted(ask):
    asked: list[bytes] = []
    talk = answers(redirect("/b?token=1"), redirect("c", "301 Moved"), http("ok"), seen=asked)
    async with peers.peer(talk) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/a/a")
    assert seen.verdict is Verdict.UP
    assert [line.split()[1] for line in asked] == [b"/a/a", b"/b?token=1", b"/c"]
    assert seen.facts["redirects"] == 2
    assert seen.facts["final_url"] == f"http://127.0.0.1:{port}/c"


async def test_a_redirect_itself_can_be_judged(ask):
    async with peers.peer(answers(redirect("/b"))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", redirects=0, expect={"status": 302})
    assert seen.verdict is Verdict.UP


async def test_a_circle_of_redirects_is_down(ask):
    async with peers.peer(answers(redirect("/"))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", redirects=3)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == f"more than 3 redirects; the last one came from http://127.0.0.1:{port}/"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://user:pw@127.0.0.1/", "http://[::1"])
async def test_a_redirect_out_of_http_is_down(ask, location):
    async with peers.peer(answers(redirect(location))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/")
    assert seen.verdict is Verdict.DOWN
    assert "leads nowhere" in seen.message


async def test_a_redirect_to_a_metadata_address_is_refused(ask):
    async with peers.peer(answers(redirect("http://169.254.169.254/latest/meta-data/"))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/")
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message.startswith("will not connect to 169.254.169.254")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("303 See Other", b"GET"), ("302 Found", b"GET"), ("307 Temporary", b"POST"), ("308 Permanent", b"POST")],
)
async def test_the_method_after_a_redirect_is_what_the_standard_says(ask, status, expected):
    asked: list[bytes] = []
    async with peers.peer(answers(redirect("/b", status), http("ok"), seen=asked)) as port:
        await ask("http", url=f"http://127.0.0.1:{port}/", method="POST", body="x=1")
    assert asked[1].split()[0] == expected
    assert asked[1].endswith(b"x=1") == (expected == b"POST")


async def test_credentials_are_not_carried_to_another_origin(ask):
    elsewhere: list[bytes] = []
    async with peers.peer(answers(http("ok"), seen=elsewhere)) as other:
        here: list[bytes] = []
        target = redirect(f"http://127.0.0.1:{other}/")
        async with peers.peer(answers(redirect("/again"), target, seen=here)) as port:
            await ask(
                "http",
                url=f"http://127.0.0.1:{port}/",
                auth={"bearer": "${env:TOKEN}"},
                headers={"X-Api-Key": "${env:PASSWORD}", "X-Plain": "stays", "Cookie": "a=b"},
            )
    assert all(b"t0ken-of-tests" in request and b"s3cret-pa55" in request for request in here)
    assert len(here) == 2
    assert b"t0ken" not in elsewhere[0]
    assert b"s3cret" not in elsewhere[0]
    assert b"Cookie" not in elsewhere[0]
    assert b"X-Plain: stays" in elsewhere[0]


async def test_basic_authentication_is_sent_and_never_shown(ask):
    asked: list[bytes] = []
    pair = base64.b64encode(b"scott:s3cret-pa55").decode()
    async with peers.peer(answers(http(f"no entry for {pair} s3cret-pa55", "401 No"), seen=asked)) as port:
        seen = await ask(
            "http",
            url=f"http://127.0.0.1:{port}/",
            auth={"basic": {"username": "scott", "password": "${env:PASSWORD}"}},
            expect={"body": {"contains": "welcome"}},
        )
    assert f"Authorization: Basic {pair}".encode() in asked[0]
    assert seen.message == (
        'expected status 2xx, found 401 Unauthorized; expected the body to contain "welcome", '
        'found "no entry for *** ***"'
    )


async def test_a_header_cannot_smuggle_another_one(ask):
    async with peers.peer(answers(http("ok"))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", headers={"X": "${env:TOKEN}\r\nEvil: 1"})
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message == 'the header "X" cannot be sent: line breaks or odd characters'


async def test_an_expiring_certificate_is_degraded_then_down(ask, authority):
    expect = {"certificate": {"warn_days": 14, "crit_days": 3}}
    verdicts = []
    for days in (30, 10, 1):
        server = authority.issue("127.0.0.1", days=days).server_context()
        async with peers.peer(answers(http("ok")), tls=server) as port:
            seen = await ask("http", url=f"https://127.0.0.1:{port}/", tls={"ca_file": authority.file}, expect=expect)
        verdicts.append(seen.verdict)
    assert verdicts == [Verdict.UP, Verdict.DEGRADED, Verdict.DOWN]
    assert seen.message == "the certificate expires in 1.0 days, expected at least 3"


async def test_an_expired_certificate_is_not_trusted_but_can_be_read_without_verification(ask, authority):
    server = authority.issue("127.0.0.1", days=-2).server_context()
    async with peers.peer(answers(http("ok")), tls=server) as port:
        url = f"https://127.0.0.1:{port}/"
        trusting = await ask("http", url=url, tls={"ca_file": authority.file})
        unverified = await ask("http", url=url, tls={"verify": False}, expect={"certificate": {}})
    assert trusting.message == "the certificate is not trusted: certificate has expired"
    assert unverified.message == "the certificate expired 2.0 days ago, expected at least 3"


async def test_a_certificate_is_expected_only_over_tls(ask):
    async with peers.peer(answers(http("ok"))) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", expect={"certificate": {}})
    assert seen.message == "expected a certificate, but the connection has none"


async def test_the_server_name_may_differ_from_the_address(ask, authority):
    server = authority.issue("shop.example").server_context()
    async with peers.peer(answers(http("ok")), tls=server) as port:
        tls = {"ca_file": authority.file, "server_name": "shop.example"}
        seen = await ask("http", url=f"https://127.0.0.1:{port}/", tls=tls)
    assert seen.verdict is Verdict.UP


async def test_a_client_certificate_is_shown_to_who_asks_for_it(ask, authority):
    server = authority.issue("127.0.0.1").server_context(client_ca=authority.file)
    ours = authority.issue("probe.example")
    async with peers.peer(answers(http("ok")), tls=server) as port:
        url = f"https://127.0.0.1:{port}/"
        with_it = await ask(
            "http",
            url=url,
            tls={"ca_file": authority.file, "cert_file": ours.cert_file, "key_file": ours.key_file},
        )
        without = await ask("http", url=url, tls={"ca_file": authority.file})
    assert (with_it.verdict, without.verdict) == (Verdict.UP, Verdict.DOWN)


def speaks_http2(body: bytes = b"ok", *, status: str = "200", ending: str = "end"):
    """Answer the first request of a connection over HTTP/2."""

    async def talk(reader, writer):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                if isinstance(event, h2.events.StreamEnded):
                    answer(connection)
            writer.write(connection.data_to_send())

    def answer(connection):
        if ending == "reset":
            connection.reset_stream(1, 11)
            return
        if ending == "goaway":
            connection.close_connection(11)
            return
        connection.send_headers(1, [(":status", status), ("x-via", "h2")])
        for start in range(0, len(body), 16_000):
            connection.send_data(1, body[start : start + 16_000])
        connection.end_stream(1)

    return talk


async def test_http2_without_tls_by_prior_knowledge(ask):
    async with peers.peer(speaks_http2(b"x" * 60_000)) as port:
        seen = await ask(
            "http",
            url=f"http://127.0.0.1:{port}/",
            http_version=2,
            expect={"headers": [{"name": "X-Via", "equals": "h2"}], "body": {"matches": "^x{60000}$"}},
        )
    assert (seen.verdict, seen.facts["http_version"]) == (Verdict.UP, "2")


async def test_a_large_request_body_fits_through_http2_windows(ask):
    async with peers.peer(speaks_http2()) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", http_version="2", method="PUT", body="y" * 300_000)
    assert seen.verdict is Verdict.UP


@pytest.mark.parametrize(("alpn", "version"), [(("h2", "http/1.1"), "2"), (("http/1.1",), "1.1")])
async def test_auto_speaks_what_the_handshake_chooses(ask, authority, alpn, version):
    talk = speaks_http2() if version == "2" else answers(http("ok"))
    server = authority.issue("127.0.0.1").server_context(*alpn)
    async with peers.peer(talk, tls=server) as port:
        seen = await ask(
            "http",
            url=f"https://127.0.0.1:{port}/",
            http_version="auto",
            tls={"ca_file": authority.file},
        )
    assert (seen.verdict, seen.facts["http_version"]) == (Verdict.UP, version)


async def test_http2_is_demanded_when_asked_for(ask, authority):
    server = authority.issue("127.0.0.1").server_context("http/1.1")
    async with peers.peer(answers(http("ok")), tls=server) as port:
        url = f"https://127.0.0.1:{port}/"
        seen = await ask("http", url=url, http_version="2", tls={"ca_file": authority.file})
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(("expected HTTP/2, but the server chose", "TLS failed: "))


@pytest.mark.parametrize(
    ("talk", "message"),
    [
        (answers(http("", "400 Bad Request")), "the answer is not HTTP/2: the server speaks HTTP/1"),
        (peers.says(b"220 mail.example ESMTP\r\n" * 9), "the answer is not HTTP/2: "),
        (speaks_http2(ending="reset"), "the server reset the stream with HTTP/2 error 11"),
        (speaks_http2(ending="goaway"), "the server ended the connection with HTTP/2 error 11"),
        (speaks_http2(status="503"), "expected status 2xx, found 503 Service Unavailable"),
        (speaks_http2(b"x" * 5000), "the body is larger than 1000 B"),
    ],
)
async def test_a_broken_http2_answer_is_down_and_says_how(ask, talk, message):
    async with peers.peer(talk) as port:
        seen = await ask("http", url=f"http://127.0.0.1:{port}/", http_version="2", max_body="1kB")
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith(message)
