"""Whether digits and letters are what they look like: cards (Luhn), IBANs (mod 97), addresses, phone numbers.

A check gets the text around a find and gives the part that must go, or None where the find is something else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final

Span = tuple[int, int]
Check = Callable[[bytes, int, int], Span | None]

_DIGITS: Final = b"0123456789"
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_LEAST_PHONE, _MOST_PHONE = 8, 15  # E.164 allows 15; shorter ones are not told from other numbers
_WORDS: Final = frozenset(_WORD[place : place + 1] for place in range(len(_WORD)))
_ESCAPES: Final = frozenset({b"\\n", b"\\r", b"\\t"})
_SAYS_NOTHING: Final = frozenset({b"null", b"none", b"true", b"false", b"nil", b"undefined"})
_IBAN_LENGTHS: Final = {  # the IBAN registry of SWIFT
    length: countries.split()
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        33: "RU",
    }.items()
}
_LENGTH_OF: Final = {country.encode(): length for length, names in _IBAN_LENGTHS.items() for country in names}


def card(text: bytes, begin: int, end: int) -> Span | None:
    """Tell payment cards: a known issuer's first digits, the length it uses, and Luhn's check digit (ISO/IEC 7812)."""
    digits = text[begin:end].translate(None, b" -")
    return (begin, end) if _is_issued(digits) and _passes_luhn(digits) else None


def _is_issued(digits: bytes) -> bool:
    head, length = int(digits[:4]), len(digits)
    match digits[0:1]:
        case b"4":
            return length in {13, 16, 19}
        case b"3":
            return (length == 15 and head // 100 in {34, 37}) or (
                length in {14, 16} and (head // 100 in {36, 38, 39} or 3000 <= head <= 3059 or 3528 <= head <= 3589)
            )
        case b"5":
            return length == 16 or (length > 16 and head // 100 in {50, 56, 57, 58})
        case b"2":
            return length == 16 and 2200 <= head <= 2720
        case b"6":
            return length >= 16
    return False


def _passes_luhn(digits: bytes) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0 and digits.count(digits[0:1]) < len(digits)


def iban(text: bytes, begin: int, end: int) -> Span | None:
    """Tell IBANs: the length of their country, and 1 as the remainder by 97 (ISO 13616)."""
    wanted = _LENGTH_OF.get(text[begin : begin + 2].upper(), 0)
    place, letters = begin, bytearray()
    while place < end and len(letters) < wanted:
        if text[place] in _WORD:
            letters.append(text[place])
        place += 1
    if len(letters) < wanted or not wanted or text[place : place + 1] in _WORDS:
        return None
    turned = (letters[4:] + letters[:4]).decode().upper()
    return (begin, place) if int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1 else None


def is_apart(text: bytes, begin: int) -> bool:
    r"""Tell whether a word begins here: no letter before it, or one that belongs to an escape: `\n`, `%20`."""
    before = text[begin - 1 : begin]
    return (
        begin == 0 or before not in _WORDS or text[begin - 2 : begin] in _ESCAPES or text[begin - 3 : begin - 2] == b"%"
    )


def phone(text: bytes, begin: int, end: int) -> Span | None:
    """Tell phone numbers: as many digits as one may have, and no digit, point or letter before it."""
    count = sum(letter in _DIGITS for letter in text[begin:end])
    is_part = not is_apart(text, begin) or text[begin - 1 : begin] in {b".", b"-", b"+", b"/"}
    is_part |= begin > 1 and text[begin - 1 : begin] == b" " and text[begin - 2 : begin - 1].isdigit()
    return (begin, end) if not is_part and _LEAST_PHONE <= count <= _MOST_PHONE else None


def ipv4(text: bytes, begin: int, end: int) -> Span | None:
    """Tell addresses from versions: no further point with a number on either side."""
    is_longer = text[end : end + 1] == b"." and text[end + 1 : end + 2].isdigit()
    return None if is_longer or (begin > 0 and text[begin - 1 : begin] == b".") else (begin, end)


def ipv6(text: bytes, begin: int, end: int) -> Span | None:
    """Tell addresses from times and from names with colons: they can be read, and have a digit."""
    while end > begin and text[end - 1 : end] == b":" and text[end - 2 : end] != b"::":
        end -= 1
    found = text[begin:end]
    is_word = is_apart(text, begin) and text[end : end + 1] not in _WORDS
    if not is_word or not any(letter in _DIGITS for letter in found):
        return None
    try:
        ipaddress.IPv6Address(found.decode())
    except ValueError:
        return None
    return begin, end


def value(text: bytes, begin: int, end: int) -> Span | None:
    """Tell the value behind a name from the marks that end it, and from words that say there is none."""
    while end > begin and text[end - 1 : end] in {b",", b";", b")", b"}", b"]"}:
        end -= 1
    found = text[begin:end]
    return None if not found or found.lower() in _SAYS_NOTHING or found.startswith(b"[password") else (begin, end)
