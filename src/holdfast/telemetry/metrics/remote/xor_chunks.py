"""Writes float samples as Prometheus' XOR chunks: times by how their distance changes, values by the bits that change.

A sample is four fields of bits (time, rest of a long time, how the value changed, its changed bits), laid out for all
chunks at once with numpy. Source: Prometheus' tsdb/chunkenc/xor.go and tsdb/docs/bstream.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Bits = npt.NDArray[np.uint64]

MOST_SAMPLES: Final = 120
_HEAD_BITS: Final = 16  # how many samples there are
_TIME, _LONG_TIME, _CHANGE, _CHANGED = range(4)
_NO_WINDOW: Final = 255  # more leading zeros than any value has
_MOST_LEADING: Final = 31

# How the change of a distance is written, by how far it is from none: a prefix, and its lowest bits.
_STEPS: Final = np.array([1 << 13, 1 << 16, 1 << 19], np.uint64)
_PREFIXES: Final = np.array([0b0, 0b10, 0b110, 0b1110, 0b1111], np.uint64)
_PREFIX_BITS: Final = np.array([1, 2, 3, 4, 4], np.int64)
_SHORT_BITS: Final = np.array([0, 14, 17, 20, 0], np.int64)
_FULL: Final = 4


class Fields(NamedTuple):
    """What is written of N samples: N x 4 codes, and how many bits each of them takes (none: it is left out)."""

    codes: Bits
    sizes: Ints


def write_chunks(ts_ms: Ints, values: npt.NDArray[np.float64], starts: Ints) -> list[bytes]:
    """Give the chunks of samples, one from each of `starts` to the next; at most 65,535 samples each, none empty."""
    lengths = np.diff(starts, append=len(ts_ms))
    chunks = np.repeat(np.arange(len(starts)), lengths)
    places = np.arange(len(ts_ms)) - starts[chunks]
    fields = Fields(np.zeros((len(ts_ms), 4), np.uint64), np.zeros((len(ts_ms), 4), np.int64))
    _lay_times(fields, ts_ms, places)
    _lay_values(fields, values.view(np.uint64), places, chunks)
    return _pack(fields, starts, lengths, chunks)


def _lay_times(fields: Fields, ts_ms: Ints, places: Ints) -> None:
    distances = np.diff(ts_ms, prepend=0)
    changes = np.diff(distances, prepend=0)
    # A step of n bits reaches from -(2**(n - 1) - 1) to 2**(n - 1).
    reach = np.where(changes > 0, changes - 1, -changes).view(np.uint64)
    kinds = np.where(changes == 0, 0, 1 + np.searchsorted(_STEPS, reach, side="right"))
    short = _SHORT_BITS[kinds].view(np.uint64)
    raw = changes.view(np.uint64)
    fields.codes[:, _TIME] = _PREFIXES[kinds] << short | raw & ((np.uint64(1) << short) - np.uint64(1))
    fields.sizes[:, _TIME] = _PREFIX_BITS[kinds] + _SHORT_BITS[kinds]
    fields.codes[:, _LONG_TIME] = raw
    fields.sizes[:, _LONG_TIME] = np.where(kinds == _FULL, 64, 0)
    first = np.flatnonzero(places == 0)
    _lay_varints(fields, first, (ts_ms[first] << 1 ^ ts_ms[first] >> 63).view(np.uint64))
    second = np.flatnonzero(places == 1)
    _lay_varints(fields, second, distances[second].view(np.uint64))


def _lay_varints(fields: Fields, rows: Ints, numbers: Bits) -> None:
    codes, sizes = np.zeros((len(rows), 2), np.uint64), np.zeros((len(rows), 2), np.int64)
    for place in range(10):
        rest = numbers >> np.uint64(7 * place)
        is_written = rest > 0 if place else np.ones(len(rows), bool)
        byte = rest & np.uint64(0x7F) | np.where(rest > 0x7F, np.uint64(0x80), np.uint64(0))
        field = int(place >= 8)  # eight bytes fill the first one
        codes[:, field] = np.where(is_written, codes[:, field] << np.uint64(8) | byte, codes[:, field])
        sizes[:, field] += 8 * is_written
    fields.codes[rows, :_CHANGE], fields.sizes[rows, :_CHANGE] = codes, sizes


def _lay_values(fields: Fields, bits: Bits, places: Ints, chunks: Ints) -> None:
    changed = bits.copy()
    changed[1:] ^= bits[:-1]
    is_first = places == 0
    is_changed = (changed != 0) & ~is_first
    leading, trailing = _leading_zeros(changed), _trailing_zeros(changed)
    is_new, leading, trailing = _choose_windows(is_changed, leading, trailing, places, chunks)
    size = 64 - leading - trailing
    # A new window is told by its leading zeros and its size, where 64 is written as 0.
    window = (0b11 << 11 | leading << 6 | size & 63).view(np.uint64)
    fields.codes[:, _CHANGE] = np.where(is_new, window, np.where(is_changed, np.uint64(0b10), np.uint64(0)))
    fields.sizes[:, _CHANGE] = np.where(is_first, 0, np.where(is_new, 13, np.where(is_changed, 2, 1)))
    fields.codes[:, _CHANGED] = np.where(is_first, bits, changed >> np.where(is_changed, trailing, 0).view(np.uint64))
    fields.sizes[:, _CHANGED] = np.where(is_first, 64, np.where(is_changed, size, 0))


def _choose_windows(
    is_changed: npt.NDArray[np.bool_], leading: Ints, trailing: Ints, places: Ints, chunks: Ints
) -> tuple[npt.NDArray[np.bool_], Ints, Ints]:
    """Tell which samples open a window of bits, and which window each is in: the last one, as long as it fits in.

    A window depends on the one before, so the samples at the same place of all chunks are looked at together.
    """
    shape = int(places.max(initial=-1)) + 1, int(chunks.max(initial=-1)) + 1
    grid = np.zeros(shape, bool)
    wide = np.full((2, *shape), _NO_WINDOW, np.int64)
    grid[places, chunks] = is_changed
    wide[0, places, chunks], wide[1, places, chunks] = leading, trailing
    window = np.full(shape[1], _NO_WINDOW, np.int64), np.zeros(shape[1], np.int64)
    for is_moving, ahead, behind in zip(grid, *wide, strict=True):
        np.logical_and(is_moving, (ahead < window[0]) | (behind < window[1]), out=is_moving)
        np.copyto(window[0], ahead, where=is_moving)
        np.copyto(window[1], behind, where=is_moving)
        ahead[:], behind[:] = window
    return grid[places, chunks], wide[0, places, chunks], wide[1, places, chunks]


def _leading_zeros(bits: Bits) -> Ints:
    """Give how many there are, 31 at most: five bits tell them."""
    high = (bits >> np.uint64(32)).astype(np.float64)
    return np.minimum(32 - np.frexp(high)[1].astype(np.int64), _MOST_LEADING)


def _trailing_zeros(bits: Bits) -> Ints:
    return np.bitwise_count(~bits & (bits - np.uint64(1))).astype(np.int64)


def _pack(fields: Fields, starts: Ints, lengths: Ints, chunks: Ints) -> list[bytes]:
    """Write the fields one after the other, each chunk from a whole word of 64 bits on."""
    sizes = fields.sizes.ravel()
    ends = np.cumsum(sizes)
    sample_ends = ends[3::4]
    chunk_ends = sample_ends[starts + lengths - 1]
    chunk_bits = np.diff(chunk_ends, prepend=0) + _HEAD_BITS
    chunk_words = -(-chunk_bits // 64)
    first_words = np.cumsum(chunk_words) - chunk_words
    shift = 64 * first_words + _HEAD_BITS - (chunk_ends - chunk_bits + _HEAD_BITS)
    written = np.flatnonzero(sizes)
    at = (ends - sizes)[written] + shift[chunks[written >> 2]]
    words = np.zeros(int(chunk_words.sum()), np.uint64)
    _lay_bits(words, at, sizes[written], fields.codes.ravel()[written])
    words[first_words] |= lengths.astype(np.uint64) << np.uint64(64 - _HEAD_BITS)
    data = words.byteswap().tobytes()
    chunk_bytes = (-(-chunk_bits // 8)).tolist()
    return [data[8 * word : 8 * word + size] for word, size in zip(first_words.tolist(), chunk_bytes, strict=True)]


def _lay_bits(words: Bits, at: Ints, sizes: Ints, codes: Bits) -> None:
    """Set the codes' bits, each from bit `at` on; they follow one another."""
    word = at >> 6
    over = (at & 63) + sizes - 64  # bits that are left for the next word
    inside = np.where(
        over > 0, codes >> np.maximum(over, 0).view(np.uint64), codes << np.maximum(-over, 0).view(np.uint64)
    )
    heads = np.flatnonzero(np.diff(word, prepend=-1))
    words[word[heads]] = np.bitwise_or.reduceat(inside, heads)
    cut = over > 0
    words[word[cut] + 1] |= codes[cut] << (64 - over[cut]).view(np.uint64)
