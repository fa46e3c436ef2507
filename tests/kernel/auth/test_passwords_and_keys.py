"""Password rules, hashes, keys and brakes, without a database."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.auth.keys import csrf_token, hash_secret, is_secret, new_secret, new_token, parse_token
from holdfast.kernel.auth.passwords import MOST_WAITING, Passwords, check_password
from holdfast.kernel.auth.throttle import account_brake, address_brake
from holdfast.kernel.errors import BusyError, InvalidError
from holdfast.kernel.secrets import Secret


@pytest.fixture
def passwords():
    built = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield built
    built.close()


@pytest.mark.parametrize("text", ["correct horse", "zwölf Zeichen!", "password for ada"])
def test_a_long_enough_password_is_fine(text):
    check_password(Secret(text), "ada")


@pytest.mark.parametrize("text", ["elevenchars", "abababababab", "administrator"])
def test_a_weak_one_is_not(text):
    with pytest.raises(InvalidError) as caught:
        check_password(Secret(text), "administrator")
    assert text not in str(caught.value)


async def test_a_hash_is_argon2id_and_verifies(passwords):
    encoded = await passwords.hash(Secret("correct horse"))
    assert encoded.startswith("$argon2id$")
    assert await passwords.verify(encoded, Secret("correct horse"))
    assert not await passwords.verify(encoded, Secret("correct house"))
    assert not await passwords.verify(None, Secret("nobody's password"))
    assert not await passwords.verify("rubbish", Secret("correct horse"))


async def test_the_same_password_from_another_keyboard_fits(passwords):
    encoded = await passwords.hash(Secret("zwo\u0308lf Zeichen"))
    assert await passwords.verify(encoded, Secret("zwölf Zeichen"))


async def test_an_old_hash_is_known_as_such(passwords):
    encoded = await passwords.hash(Secret("correct horse"))
    assert not passwords.is_outdated(encoded)
    assert Passwords(PasswordHasher()).is_outdated(encoded)


async def test_only_so_many_may_wait(passwords):
    encoded = await passwords.hash(Secret("correct horse"))
    verdicts = await asyncio.gather(
        *(passwords.verify(encoded, Secret("correct horse")) for _ in range(MOST_WAITING + 5)), return_exceptions=True
    )
    assert sum(isinstance(verdict, BusyError) for verdict in verdicts) == 5


def test_keys_are_parsed_and_compared():
    token = new_token()
    parsed = parse_token(token.whole().reveal())
    assert parsed == token
    assert is_secret(parsed.secret, hash_secret(token.secret))
    assert not is_secret(new_secret(), hash_secret(token.secret))
    assert token.secret.reveal() not in f"{token} {token!r}"
    assert csrf_token(token.secret) != csrf_token(new_secret())


@given(st.text())
def test_no_text_crashes_the_parser(text):
    assert parse_token(text) is None


def test_pauses_grow_and_are_bounded():
    account, address = account_brake("ada"), address_brake("10.0.0.1")
    assert [account.pause_s(n) for n in (4, 5, 6, 7, 11, 99)] == [0, 1, 2, 4, 60, 60]
    assert [address.pause_s(n) for n in (19, 20, 999)] == [0, 1, 900]


def test_an_ipv6_host_is_its_network():
    assert address_brake("2001:db8:1:2::1") == address_brake("2001:db8:1:2:ffff::9")
    assert address_brake("2001:db8:1:2::1") != address_brake("2001:db8:1:3::1")
    assert address_brake("unknown").key == "address:unknown"


def test_the_brake_of_an_account_does_not_hold_its_name():
    assert "hunter2" not in account_brake("hunter2").key
