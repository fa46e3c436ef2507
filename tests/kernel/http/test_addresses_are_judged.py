"""Link-local and metadata addresses are refused in every spelling; private networks are open."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import AddressPolicy, AddressRefusedError


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_these_are_refused(address):
    with pytest.raises(AddressRefusedError, match=r"outbound\.allow"):
        AddressPolicy().check("metadata.example", address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "fd12::1", "8.8.8.8", "2606:4700::1"]
)
def test_these_are_open(address):
    AddressPolicy().check("host", address)


def test_an_allowed_network_wins():
    policy = AddressPolicy.parse(("169.254.10.0/24",))
    policy.check("host", "169.254.10.7")
    policy.check("host", "::ffff:169.254.10.7")
    with pytest.raises(AddressRefusedError):
        policy.check("host", "169.254.11.7")


def test_a_wrong_network_names_the_setting():
    with pytest.raises(InvalidError, match=r"outbound\.allow: 'metadata' is not a network"):
        AddressPolicy.parse(("metadata",))


@given(st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_spelling_of_a_link_local_address_passes(address):
    number = int(address)
    spellings = [
        ip_address(number),
        ip_address((0xFFFF << 32) | number),
        ip_address(number | int(ip_address("64:ff9b::"))),
        ip_address((0x2002 << 112) | (number << 80)),
    ]
    assert all(AddressPolicy().refusal(spelling) for spelling in spellings)
