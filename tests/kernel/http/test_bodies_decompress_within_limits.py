"""Compressed bodies are decoded piece by piece, and a bomb is stopped before it takes memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import BoundedDecoder, TooLargeError


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "identity": bytes,
    "": bytes,
}
encodings = pytest.mark.parametrize("encoding", PACKERS)


def decode(encoding, data, limit=1_000_000, piece=7):
    decoder = BoundedDecoder(encoding, limit)
    result = b"".join(decoder.feed(data[at : at + piece]) for at in range(0, len(data), piece))
    decoder.finish()
    return result


@encodings
@given(data=st.binary(max_size=3000), piece=st.integers(2, 5000))
def test_what_was_packed_comes_out_whatever_the_pieces(encoding, data, piece):
    assert decode(encoding, PACKERS[encoding](data), piece=piece) == data


def test_raw_deflate_is_understood_too():
    assert decode("deflate", raw_deflate(b"hello " * 99), piece=50) == b"hello " * 99


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_in_a_row_are_one_body(encoding):
    pack = PACKERS[encoding]
    assert decode(encoding, pack(b"one ") + pack(b"two")) == b"one two"


@encodings
def test_exactly_the_limit_passes_and_one_more_does_not(encoding):
    pack = PACKERS[encoding]
    assert len(decode(encoding, pack(b"x" * 1000), limit=1000)) == 1000
    with pytest.raises(TooLargeError, match="1000 bytes"):
        decode(encoding, pack(b"x" * 1001), limit=1000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_takes_no_memory(encoding):
    bomb = PACKERS[encoding](bytes(200_000_000))
    assert len(bomb) < 400_000
    decoder = BoundedDecoder(encoding, 100_000)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        decoder.feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_rubbish_and_cut_bodies_are_refused(encoding):
    with pytest.raises(InvalidError):
        decode(encoding, b"this is not compressed at all")
    with pytest.raises(InvalidError, match="cut short"):
        decode(encoding, PACKERS[encoding](b"hello" * 100)[:-3])


def test_an_unknown_encoding_lists_the_known_ones():
    with pytest.raises(InvalidError, match="gzip, deflate, zstd"):
        BoundedDecoder("br", 10)
