"""The tcp kind, and with it what all kinds share: names, refusals, deadlines, TLS, redaction."""

from __future__ import annotations

import asyncio

import pytest

from fixtures import peers
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"


async def test_an_open_port_is_up(ask):
    async with peers.peer(peers.says_nothing) as port:
        seen = await ask("tcp", host=HERE, port=port)
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith(f"connected to 127.0.0.1:{port} in ")
    assert seen.phases.connect_s is not None
    assert seen.phases.dns_s is None


async def test_a_name_is_resolved_and_timed(ask):
    async with peers.peer(peers.says_nothing) as port:
        seen = await ask("tcp", host="localhost", port=port, ip="4")
    assert seen.verdict is Verdict.UP
    assert seen.phases.dns_s is not None


async def test_a_closed_port_is_down(ask):
    port = peers.closed_port()
    seen = await ask("tcp", host=HERE, port=port)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == f"connection refused while connecting to 127.0.0.1 port {port}"


async def test_a_name_without_address_is_down(ask):
    seen = await ask("tcp", host="nowhere.invalid", port=80)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == "cannot resolve nowhere.invalid: name or service not known"


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "a\0b.invalid"])
async def test_an_impossible_name_is_down(ask, host):
    seen = await ask("tcp", host=host, port=80)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("cannot resolve ")


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"],
)
async def test_metadata_addresses_are_refused_before_a_packet_leaves(ask, host):
    seen = await ask("tcp", host=host, port=80)
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message.startswith("will not connect to ")


async def test_a_conversation_that_goes_as_expected_is_up(ask):
    async def talk(reader, writer):
        writer.write(b"220 mail ready\r\n")
        assert await reader.readline() == b"QUIT\r\n"
        writer.write(b"221 ")
        await writer.drain()
        writer.write(b"bye\r\n")

    async with peers.peer(talk) as port:
        seen = await ask(
            "tcp",
            host=HERE,
            port=port,
            exchange=[{"expect": "^220 "}, {"send": "QUIT\r\n", "expect": r"^221 bye"}],
        )
    assert (seen.verdict, seen.phases.first_byte_s is not None) == (Verdict.UP, True)


async def test_an_unexpected_answer_is_down_and_shown(ask):
    async with peers.peer(peers.says(b"554 no\x00service\r\n")) as port:
        seen = await ask("tcp", host=HERE, port=port, exchange=[{"expect": "^220 "}])
    assert seen.verdict is Verdict.DOWN
    assert seen.message == 'expected an answer that matches /^220 /, found "554 no service"'


async def test_a_flood_that_never_matches_is_cut_off(ask):
    async def flood(_, writer):
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with peers.peer(flood) as port:
        seen = await ask("tcp", host=HERE, port=port, exchange=[{"expect": "never"}])
    assert seen.verdict is Verdict.DOWN
    assert len(seen.message) < 200


async def test_silence_is_down_when_the_deadline_passes(ask):
    async with peers.peer(peers.says_nothing) as port:
        seen = await ask("tcp", host=HERE, port=port, exchange=[{"expect": "x"}], timeout_s=0.05)
    assert seen.verdict is Verdict.DOWN
    assert seen.message == "no verdict within 50ms: stopped while waiting for an answer that matches /x/"


async def test_a_reset_is_down(ask):
    async with peers.peer(peers.resets) as port:
        seen = await ask("tcp", host=HERE, port=port, exchange=[{"send": "hi", "expect": "x"}])
    assert seen.verdict is Verdict.DOWN
    assert "connection reset by peer" in seen.message


async def test_a_secret_is_sent_but_never_shown(ask):
    async def echo(reader, writer):
        writer.write(b"denied: " + await reader.readline())

    async with peers.peer(echo) as port:
        seen = await ask(
            "tcp",
            host=HERE,
            port=port,
            exchange=[{"send": "AUTH ${env:PASSWORD}\n", "expect": "welcome"}],
        )
    assert seen.message == 'expected an answer that matches /welcome/, found "denied: AUTH ***"'


async def test_a_missing_secret_is_unknown(ask):
    async with peers.peer(peers.says_nothing) as port:
        seen = await ask("tcp", host=HERE, port=port, exchange=[{"send": "${env:NOPE}"}])
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message.startswith("the environment has no NOPE")


async def test_tls_is_verified_against_the_given_authority(ask, authority):
    server = authority.issue("localhost").server_context()
    async with peers.peer(peers.says_nothing, tls=server) as port:
        trusted = await ask("tcp", host="localhost", port=port, ip="4", tls={"ca_file": authority.file})
        untrusted = await ask("tcp", host="localhost", port=port, ip="4", tls=True)
        other_name = await ask("tcp", host=HERE, port=port, tls={"ca_file": authority.file})
    assert trusted.verdict is Verdict.UP
    assert trusted.phases.tls_s is not None
    assert untrusted.verdict is Verdict.DOWN
    assert untrusted.message.startswith("the certificate is not trusted: unable to get local issuer")
    assert "IP address mismatch" in other_name.message


async def test_a_missing_tls_file_is_unknown(ask):
    async with peers.peer(peers.says_nothing) as port:
        seen = await ask("tcp", host=HERE, port=port, tls={"ca_file": "/nowhere/ca.pem"})
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.message == "cannot use the TLS files /nowhere/ca.pem: No such file or directory"


async def test_a_plain_port_fails_the_tls_handshake(ask):
    async with peers.peer(peers.says(b"220 hello\r\n")) as port:
        seen = await ask("tcp", host=HERE, port=port, tls=True)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("TLS failed: wrong version number while shaking hands")


async def test_cancelling_an_attempt_closes_its_connection(ask):
    closed = asyncio.Event()

    async def talk(reader, _):
        await reader.read(-1)
        closed.set()

    async with peers.peer(talk) as port:
        attempt = asyncio.ensure_future(ask("tcp", host=HERE, port=port, exchange=[{"expect": "x"}]))
        await asyncio.sleep(0.05)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await asyncio.wait_for(closed.wait(), 60)
