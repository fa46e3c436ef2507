"""Keeps retries a small part of all calls, because retries are what keeps an overloaded service overloaded.

The bucket is that of gRPC's retry throttling (gRFC A6): a retry takes a token, a success gives a part of one back.
Share one budget between all callers of one dependency.
"""

from __future__ import annotations

import threading


class RetryBudget:
    """A bucket of `tokens`; each retry or hedge takes one, each success gives `ratio` of one back.

    An idle program may retry `tokens` times in a burst; one under load adds at most `ratio` of its calls.
    """

    __slots__ = ("_lock", "name", "ratio", "refused", "tokens", "tokens_left")

    def __init__(self, *, tokens: float = 10.0, ratio: float = 0.1, name: str = "") -> None:
        if tokens < 1 or ratio <= 0:
            raise ValueError(f"tokens={tokens} must be at least 1 and ratio={ratio} positive")
        self.name = name
        self.tokens = tokens
        self.ratio = ratio
        self.tokens_left = float(tokens)
        self.refused = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Show how much is left."""
        return f"RetryBudget(name={self.name!r}, tokens={self.tokens_left:g} of {self.tokens:g}, ratio={self.ratio:g})"

    def note_success(self) -> None:
        """Give back the part of a token that a success is worth."""
        if self.tokens_left < self.tokens:
            with self._lock:
                self.tokens_left = min(self.tokens, self.tokens_left + self.ratio)

    def try_take(self) -> bool:
        """Take a token if there is a whole one."""
        with self._lock:
            if self.tokens_left < 1:
                self.refused += 1
                return False
            self.tokens_left -= 1
            return True
