"""The icmp kind on loopback; the kernel may forbid it, and then the check says so."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from holdfast.health.probes.network import echoes
from holdfast.health.verdict import Verdict

HAS_IPV6 = Path("/proc/net/if_inet6").exists()


def is_permitted(kind: int) -> bool:
    try:
        socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


needs_icmp = pytest.mark.skipif(
    not (is_permitted(socket.SOCK_DGRAM) or is_permitted(socket.SOCK_RAW)),
    reason="the kernel lets this process send no ICMP",
)


@needs_icmp
async def test_loopback_replies(ask):
    seen = await ask("icmp", host="127.0.0.1", count=3, interval="1ms")
    assert seen.verdict is Verdict.UP
    assert seen.message.startswith("3 of 3 echo replies in ")
    assert (seen.facts["sent"], seen.facts["received"], seen.facts["loss_percent"]) == (3, 3, 0)
    assert 0 < seen.facts["round_trip_min_s"] <= seen.facts["round_trip_avg_s"] <= seen.facts["round_trip_max_s"]


@needs_icmp
@pytest.mark.skipif(not HAS_IPV6, reason="this host has no IPv6")
async def test_loopback_replies_over_ipv6(ask):
    seen = await ask("icmp", host="::1", count=1)
    assert seen.verdict is Verdict.UP


@needs_icmp
async def test_silence_is_down(ask, monkeypatch):
    monkeypatch.setattr(echoes.Echoes, "_receive", lambda self: self._socket.recvfrom(65_535))
    seen = await ask("icmp", host="127.0.0.1", count=2, interval="1ms", timeout_s=0.1)
    assert (seen.verdict, seen.message) == (
        Verdict.DOWN,
        "expected echo replies from 127.0.0.1, found none of 2",
    )


@needs_icmp
async def test_a_slow_round_trip_is_degraded(ask):
    seen = await ask("icmp", host="127.0.0.1", count=1, round_trip={"warn": "0s"})
    assert seen.verdict is Verdict.DEGRADED
    assert seen.message.startswith("expected a round trip of at most 0 ms, found ")


@needs_icmp
async def test_two_checks_at_once_do_not_read_each_others_replies(ask):
    many = await asyncio.gather(*(ask("icmp", host="127.0.0.1", count=2, interval="1ms") for _ in range(20)))
    assert {seen.facts["received"] for seen in many} == {2}


async def test_a_kernel_that_forbids_it_is_unknown_with_the_fix(ask, monkeypatch):
    class ForbiddenSockets:
        def __getattr__(self, name):
            return getattr(socket, name)

        def socket(self, *_):
            raise PermissionError

    monkeypatch.setattr(echoes, "socket", ForbiddenSockets())
    seen = await ask("icmp", host="127.0.0.1")
    assert seen.verdict is Verdict.UNKNOWN
    assert "widen net.ipv4.ping_group_range or grant CAP_NET_RAW" in seen.message


def test_the_checksum_is_that_of_rfc_1071():
    assert echoes._checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert echoes._checksum(b"\x01") == 0xFEFF
