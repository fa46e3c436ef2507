"""The tls kind: handshakes, chains, names and days."""

from __future__ import annotations

import ssl

import pytest

from fixtures import peers
from holdfast.health.verdict import Verdict

HERE = "127.0.0.1"
EXPIRED = (
    "the certificate is not trusted: certificate has expired; the certificate expired 3.0 days ago, expected at least 3"
)


async def shake(ask, authority, served, **fields):
    async with peers.peer(peers.says_nothing, tls=served.server_context()) as port:
        return await ask("tls", host=HERE, port=port, tls={"ca_file": authority.file}, **fields)


async def test_a_good_certificate_is_up_with_all_that_it_says(ask, authority):
    seen = await shake(ask, authority, authority.issue(HERE, "shop.example", days=80.5))
    assert (seen.verdict, seen.message) == (Verdict.UP, "TLSv1.3 handshake, the certificate lasts 80 days")
    facts = dict(seen.facts)
    assert facts.pop("not_after").endswith("+00:00")
    assert facts.pop("cipher").startswith("TLS_")
    assert facts == {
        "tls_version": "TLSv1.3",
        "subject": f"CN={HERE}",
        "issuer": "CN=Test Authority",
        "names": f"shop.example, {HERE}",
        "certificate_days_left": 80.5,
        "chain_length": 2,
    }


@pytest.mark.parametrize(
    ("days", "verdict", "message"),
    [
        (10, Verdict.DEGRADED, "the certificate expires in 10.0 days, expected at least 14"),
        (2, Verdict.DOWN, "the certificate expires in 2.0 days, expected at least 3"),
        (
            -3,
            Verdict.DOWN,
            EXPIRED,
        ),
    ],
)
async def test_days_left_are_judged(ask, authority, days, verdict, message):
    seen = await shake(ask, authority, authority.issue(HERE, days=days))
    assert (seen.verdict, seen.message) == (verdict, message)


async def test_the_chain_is_judged_too(ask, authority):
    limits = {"warn_days": 500, "crit_days": 5}
    seen = await shake(ask, authority, authority.issue(HERE), certificate=limits)
    assert seen.verdict is Verdict.DEGRADED
    assert "the certificate of CN=Test Authority expires in 400.0 days, expected at least 500" in seen.message


async def test_an_untrusted_certificate_is_down_and_still_read(ask, authority):
    async with peers.peer(peers.says_nothing, tls=authority.issue(HERE).server_context()) as port:
        seen = await ask("tls", host=HERE, port=port)
    assert seen.verdict is Verdict.DOWN
    assert seen.message.startswith("the certificate is not trusted: unable to get local issuer certificate")
    assert seen.facts["issuer"] == "CN=Test Authority"
    assert seen.facts["chain_length"] == 1


async def test_names_that_must_be_covered(ask, authority):
    certificate = authority.issue(HERE, "*.shop.example")
    names = ["www.shop.example", "WWW.Shop.Example."]
    good = await shake(ask, authority, certificate, names=names)
    bad = await shake(ask, authority, certificate, names=["a.b.shop.example", "shop.example"])
    assert good.verdict is Verdict.UP
    assert bad.message == (
        "expected a certificate for a.b.shop.example, shop.example, found one for *.shop.example, 127.0.0.1"
    )


async def test_an_old_protocol_is_refused(ask, authority):
    server = authority.issue(HERE).server_context()
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    async with peers.peer(peers.says_nothing, tls=server) as port:
        old = await ask("tls", host=HERE, port=port, tls={"ca_file": authority.file, "min_version": "1.3"})
        accepted = await ask("tls", host=HERE, port=port, tls={"ca_file": authority.file})
    assert old.verdict is Verdict.DOWN
    assert "while shaking hands over TLS" in old.message
    assert accepted.facts["tls_version"] == "TLSv1.2"


async def test_starttls_begins_with_a_conversation(ask, authority):
    context = authority.issue(HERE).server_context()

    async def smtp(reader, writer):
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        writer.write(b"250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go ahead\r\n")
        await writer.drain()
        await writer.start_tls(context)
        await reader.read(-1)

    turns = [
        {"expect": "^220"},
        {"send": "EHLO probe\r\n", "expect": "^250"},
        {"send": "STARTTLS\r\n", "expect": "^220"},
    ]
    async with peers.peer(smtp) as port:
        seen = await ask("tls", host=HERE, port=port, before_tls=turns, tls={"ca_file": authority.file})
    assert (seen.verdict, seen.message[:7]) == (Verdict.UP, "TLSv1.3")


async def test_a_server_without_tls_is_down(ask):
    async with peers.peer(peers.answers(peers.http("no"))) as port:
        seen = await ask("tls", host=HERE, port=port, timeout_s=0.3)
    assert seen.verdict is Verdict.DOWN
