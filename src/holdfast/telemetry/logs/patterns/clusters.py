"""Groups masked lines by a tree of fixed depth: number of words, first word, then the most alike cluster.

Source: He, Zhu, Zheng, Lyu: Drain, an online log parsing approach with fixed depth tree (ICWS 2017). Words that differ
within a cluster become gaps. The number of clusters is bounded: the one that was seen longest ago makes room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from holdfast.telemetry.logs.patterns.masks import GAP

ALIKE: Final = 0.6  # of the words must be the same
_WORDS: Final = 120  # of a line that are compared
_Leaf = tuple[int, str]


@dataclass(slots=True)
class Cluster:
    """Lines of one pattern.

    Attributes:
        identity: stays the same while the pattern gets more gaps; of 64 bits, the same in every process that meets
            the same first line.
        words: of the pattern.
        sample: one line, as it came.
    """

    identity: int
    words: list[str]
    sample: str
    leaf: _Leaf = field(repr=False)

    @property
    def text(self) -> str:
        """The pattern."""
        return " ".join(self.words)


class ClusterTree:
    """The clusters of one kind of lines."""

    def __init__(self, scope: str = "", most: int = 300) -> None:
        """Begin empty.

        Args:
            scope: what the identities are for, such as a service and a level.
            most: clusters at once.
        """
        self._scope = scope
        self._most = most
        self._leaves: dict[_Leaf, list[Cluster]] = {}
        self._recent: dict[int, Cluster] = {}  # the one seen longest ago first

    def __len__(self) -> int:
        return len(self._recent)

    @property
    def identities(self) -> Collection[int]:
        """Of all clusters."""
        return self._recent.keys()

    def add(self, masked: str, sample: str) -> tuple[Cluster, bool]:
        """Give the cluster of a masked line, and whether it is new."""
        words, leaf = _split(masked)
        found = self._find(words, leaf)
        if found is not None:
            found.words = [old if old == new else GAP for old, new in zip(found.words, words, strict=True)]
            self._recent[found.identity] = self._recent.pop(found.identity)
            return found, False
        made = Cluster(self._identify(" ".join(words)), words, sample, leaf)
        self._insert(made)
        return made, True

    def restore(self, identity: int, text: str, sample: str) -> Cluster:
        """Take a cluster that was known before."""
        words, leaf = _split(text)
        made = Cluster(identity, words, sample, leaf)
        if identity not in self._recent:
            self._insert(made)
        return self._recent[identity]

    def _insert(self, cluster: Cluster) -> None:
        if len(self._recent) >= self._most:
            gone = self._recent.pop(next(iter(self._recent)))
            left = self._leaves[gone.leaf]
            left.remove(gone)
            if not left:
                del self._leaves[gone.leaf]
        self._recent[cluster.identity] = cluster
        self._leaves.setdefault(cluster.leaf, []).append(cluster)

    def _find(self, words: list[str], leaf: _Leaf) -> Cluster | None:
        best, most = None, ALIKE * len(words)
        for cluster in self._leaves.get(leaf, ()):
            same = sum(map(str.__eq__, cluster.words, words))
            if same >= most and (best is None or same > most):
                best, most = cluster, same
        return best

    def _identify(self, text: str) -> int:
        digest = hashlib.blake2b(f"{self._scope}\0{text}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        identity = int.from_bytes(digest, "big")
        while identity in self._recent:
            identity = (identity + 1) % 2**64
        return identity


def _split(masked: str) -> tuple[list[str], _Leaf]:
    words = masked.split(" ")
    if len(words) > _WORDS:
        words = [*words[: _WORDS - 1], GAP]
    return words, (len(words), GAP if GAP in words[0] else words[0])
