"""What policies look at: traces as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class WholeTraces:
    """N traces; every sequence has N entries.

    Attributes:
        ids: 16 bytes each.
        lengths_ns: from the first start to the last end.
        have_failed: whether any span failed.
        roots: service and name of the root, or of the earliest span.
        services, names: those of all spans, some hundred of each at most.
    """

    ids: Sequence[bytes]
    lengths_ns: npt.NDArray[np.int64]
    have_failed: npt.NDArray[np.bool_]
    roots: Sequence[tuple[str, str]]
    services: Sequence[Sequence[str]]
    names: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.ids)
