"""The hash of a label set as Prometheus computes it, so that `limit_ratio` keeps the same series as it would.

Source: model/labels, labels_stringlabels.go (length-prefixed names and values), hashed by xxHash64 (its specification).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from holdfast.telemetry.metrics.labels import Labels

P1: Final = 0x9E3779B185EBCA87
P2: Final = 0xC2B2AE3D27D4EB4F
P3: Final = 0x165667B19E3779F9
P4: Final = 0x85EBCA77C2B2AE63
P5: Final = 0x27D4EB2F165667C5
MASK: Final = (1 << 64) - 1


@lru_cache(maxsize=65536)
def hash_labels(labels: Labels) -> int:
    """Give the 64-bit hash of a label set."""
    return xxh64(b"".join(_sized(text) for pair in labels for text in pair))


def _sized(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    size = len(data)
    return (bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")) + data


def xxh64(data: bytes) -> int:
    """Hash bytes by xxHash64 with seed 0."""
    size, at = len(data), 0
    if size >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= size:
            for lane in range(4):
                word = int.from_bytes(data[at : at + 8], "little")
                lanes[lane] = _round(lanes[lane], word)
                at += 8
        one, two, three, four = lanes
        state = (_turn(one, 1) + _turn(two, 7) + _turn(three, 12) + _turn(four, 18)) & MASK
        for lane in lanes:
            state = ((state ^ _round(0, lane)) * P1 + P4) & MASK
    else:
        state = P5
    return _finish((state + size) & MASK, data[at:])


def _finish(state: int, rest: bytes) -> int:
    at = 0
    while at + 8 <= len(rest):
        state ^= _round(0, int.from_bytes(rest[at : at + 8], "little"))
        state = (_turn(state, 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(rest):
        state ^= int.from_bytes(rest[at : at + 4], "little") * P1 & MASK
        state = (_turn(state, 23) * P2 + P3) & MASK
        at += 4
    for byte in rest[at:]:
        state = _turn(state ^ (byte * P5 & MASK), 11) * P1 & MASK
    state = (state ^ (state >> 33)) * P2 & MASK
    state = (state ^ (state >> 29)) * P3 & MASK
    return state ^ (state >> 32)


def _round(lane: int, word: int) -> int:
    return _turn((lane + word * P2) & MASK, 31) * P1 & MASK


def _turn(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & MASK
