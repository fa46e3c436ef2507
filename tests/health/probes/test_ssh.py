"""The ssh kind: greetings good and bad."""

from __future__ import annotations

import pytest

from fixtures import peers
from holdfast.health.verdict import Verdict


async def greet(ask, *lines: bytes, **fields):
    async with peers.peer(peers.says(*lines)) as port:
        return await ask("ssh", host="127.0.0.1", port=port, **fields)


async def test_a_greeting_is_up_and_names_the_software(ask):
    seen = await greet(ask, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
    assert (seen.verdict, seen.message) == (Verdict.UP, "greeted by OpenSSH_9.2p1")
    assert seen.facts == {"protocol": "2.0", "software": "OpenSSH_9.2p1", "comments": "Debian-2+deb12u3"}
    assert seen.phases.first_byte_s is not None


async def test_lines_before_the_greeting_are_allowed(ask):
    seen = await greet(ask, b"Welcome.\n", b"Behave.\r\n", b"SSH-1.99-dropbear\n")
    assert seen.verdict is Verdict.UP


async def test_the_client_identifies_itself_too(ask):
    said: list[bytes] = []

    async def talk(reader, writer):
        writer.write(b"SSH-2.0-test\r\n")
        said.append(await reader.readline())

    async with peers.peer(talk) as port:
        await ask("ssh", host="127.0.0.1", port=port)
    assert said in ([b"SSH-2.0-Holdfast\r\n"], [])  # the connection may be cut before the test reads


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"SSH-1.5-old\r\n", 'expected SSH protocol 2.0, found "1.5"'),
        (b"SSH-2.0\r\n", 'expected an SSH greeting, found "SSH-2.0"'),
        (b"220 smtp\r\n", "the server closed the connection while waiting for the SSH greeting"),
        (b"Exceeded MaxStartups\r\n" * 200, 'expected an SSH greeting, found "Exceeded MaxStartups"'),
        (b"x" * 100_000, "a line longer than 8.0 KiB while waiting for the SSH greeting"),
        (b"", "the server closed the connection while waiting for the SSH greeting"),
    ],
)
async def test_anything_else_is_down_and_said(ask, raw, message):
    seen = await greet(ask, raw)
    assert (seen.verdict, seen.message) == (Verdict.DOWN, message)


async def test_the_software_can_be_expected(ask):
    seen = await greet(ask, b"SSH-2.0-OpenSSH_7.4\r\n", software="OpenSSH_9")
    assert seen.verdict is Verdict.DOWN
    assert seen.message == 'expected software that matches /OpenSSH_9/, found "OpenSSH_7.4"'
