"""CRC-32C, the checksum of a frame: Castagnoli's polynomial, which Python's own library does not have.

Blocks are looked up at once with numpy, for what a byte adds to the checksum depends on its place alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_POLYNOMIAL: Final = 0x82F63B78  # with its bits reversed
_BLOCK_BYTES: Final = 64
_ALL: Final = 0xFFFF_FFFF


def crc32c(data: bytes) -> int:
    """Give the checksum of `data`."""
    state = _ALL
    first_block = len(data) % _BLOCK_BYTES
    for byte in data[:first_block]:
        state = state >> 8 ^ _BYTES[(state ^ byte) & 0xFF]
    blocks = np.frombuffer(data, np.uint8, offset=first_block).reshape(-1, _BLOCK_BYTES)
    for added in np.bitwise_xor.reduce(_PLACES[_EACH_PLACE, blocks], axis=1).tolist():
        state = (
            _FIRST[0][state & 0xFF]
            ^ _FIRST[1][state >> 8 & 0xFF]
            ^ _FIRST[2][state >> 16 & 0xFF]
            ^ _FIRST[3][state >> 24]
            ^ added
        )
    return state ^ _ALL


def _tables() -> npt.NDArray[np.uint32]:
    """Give what each byte at each place of a block adds to the checksum at the block's end."""
    last: npt.NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        last = last >> np.uint32(1) ^ np.where(last & np.uint32(1), np.uint32(_POLYNOMIAL), np.uint32(0))
    places = [last]
    for _ in range(_BLOCK_BYTES - 1):
        places.append(places[-1] >> np.uint32(8) ^ last[places[-1] & np.uint32(0xFF)])
    return np.array(places[::-1])


_PLACES: Final = _tables()
_EACH_PLACE: Final = np.arange(_BLOCK_BYTES)
_BYTES: Final[list[int]] = _PLACES[-1].tolist()
_FIRST: Final[list[list[int]]] = _PLACES[:4].tolist()
