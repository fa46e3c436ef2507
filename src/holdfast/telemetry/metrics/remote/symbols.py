"""The string table of a 2.0 request, and the label references of all its series, decoded at once with numpy.

Each request numbers its strings anew, so every string of a known series has a number that lasts as long as the memory
of the series: a series is then known by the numbers of its labels, four bytes each. Other strings get one when a series
with them comes in, so that a flood that is kept out leaves none behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.metrics.remote.wire import MalformedError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

NUMBER_BYTES: Final = 4
UNKNOWN: Final = 0xFFFF_FFFF
_LONGEST: Final = 5  # bytes of a uint32 as a varint


class Symbols:
    """The strings of one request."""

    def __init__(self, texts: list[bytes], numbers: dict[Hashable, int]) -> None:
        """Number the strings.

        Args:
            texts: as they stand in the request.
            numbers: of all strings of known series.
        """
        self._texts = texts
        self._numbers = numbers
        find = numbers.get
        self.numbers = np.array([find(text, UNKNOWN) for text in texts], np.uint32)

    def number(self, refs: Sequence[int]) -> bytes:
        """Number the strings behind references that have no number yet; give what their series is known by."""
        numbers, texts = self._numbers, self._texts
        own = [numbers.setdefault(texts[ref], len(numbers)) for ref in refs]
        self.numbers[refs] = own
        return np.array(own, np.uint32).tobytes()

    def byte_pairs(self, refs: Sequence[int]) -> list[tuple[bytes, bytes]]:
        """Give the labels behind references as they stand in the request; a name without a value is left out."""
        texts = self._texts
        return [(texts[name], texts[value]) for name, value in zip(refs[::2], refs[1::2], strict=False)]

    def fault_of(self, refs: Sequence[int]) -> str:
        """Tell what is wrong with the references of one series; empty if they are labels."""
        size = len(self._texts)
        outside = next((ref for ref in refs if ref >= size), None)
        if outside is not None:
            return f"there is no symbol {outside} among {size}"
        return f"{len(refs)} label references are not pairs of a name and a value" if len(refs) % 2 else ""

    def text(self, ref: int) -> str:
        """Give the string behind a reference.

        Raises:
            MalformedError: there is none, or it is not UTF-8.
        """
        try:
            return self._texts[ref].decode()
        except IndexError:
            raise MalformedError(f"there is no symbol {ref} among {len(self._texts)}") from None
        except UnicodeDecodeError:
            raise MalformedError(f"symbol {ref} is not UTF-8") from None

    def pairs(self, refs: Sequence[int]) -> list[tuple[str, str]]:
        """Give the labels behind references, name and value in turn; raises as `text`, also for an odd number."""
        if fault := self.fault_of(refs):
            raise MalformedError(fault)
        texts = [self.text(ref) for ref in refs]
        return list(zip(texts[::2], texts[1::2], strict=True))


class LabelRefs:
    """The label references of all series of a request."""

    def __init__(self, packed: list[bytes], symbols: Symbols) -> None:
        """Decode them; a series with a reference that points to no symbol is known by nothing.

        Raises:
            MalformedError: a reference is cut off.
        """
        refs, ends = decode_varints(packed)
        numbers = np.append(symbols.numbers, np.uint32(UNKNOWN))
        self._refs = refs
        self._blob = numbers[np.minimum(refs, len(numbers) - 1)].tobytes()
        self._ends: list[int] = [0, *ends.tolist()]

    def key(self, series: int) -> bytes:
        """Give what this series is known by."""
        return self._blob[self._ends[series] * NUMBER_BYTES : self._ends[series + 1] * NUMBER_BYTES]

    def of(self, series: int) -> list[int]:
        """Give the references of one series."""
        refs: list[int] = self._refs[self._ends[series] : self._ends[series + 1]].tolist()
        return refs


def decode_varints(packed: list[bytes]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give all values of several runs of uint32 varints, and after which value each run ends.

    Raises:
        MalformedError: a value is cut off or longer than five bytes.
    """
    data = np.frombuffer(b"".join(packed), np.uint8)
    lasts = np.flatnonzero(data < 0x80)
    stops = np.cumsum([len(run) for run in packed]) if packed else np.empty(0, np.int64)
    ends = np.searchsorted(lasts, stops)
    if len(data) and not np.isin(stops[stops > 0] - 1, lasts).all():
        raise MalformedError("a label reference is cut off")
    firsts = np.concatenate([[0], lasts[:-1] + 1]) if len(lasts) else lasts
    lengths = lasts - firsts + 1
    if len(lengths) and int(lengths.max()) > _LONGEST:
        raise MalformedError("a label reference is longer than five bytes")
    values = np.zeros(len(lasts), np.int64)
    for place in range(int(lengths.max()) if len(lengths) else 0):
        those = lengths > place
        values[those] |= (data[firsts[those] + place].astype(np.int64) & 0x7F) << (7 * place)
    return values, ends.astype(np.int64)
