"""A stand-in for the company that moves the money: slow at times, failing at times, declining some cards.

It keeps no books but a bounded memory of idempotency keys. A real one would be an HTTP API behind `shop.peers`.
"""

import asyncio
import random
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from shop.chassis import Faults, InjectedError, new_id

REMEMBERED_KEYS = 10_000


class ProviderError(Exception):
    """The provider answered that it failed: no money moved."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's final word on a charge."""

    reference: str
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Temper:
    """How the provider behaves on a normal day; durations in seconds, the rest shares of calls."""

    median_latency_s: float = 0.03
    declines: float = 0.03
    errors: float = 0.002


class Provider:
    """Charges cards. A card token that begins with `tok_declined` is always declined."""

    def __init__(self, faults: Faults, temper: Temper, rng: random.Random) -> None:
        self._faults = faults
        self._temper = temper
        self._rng = rng
        self._receipts: OrderedDict[str, Receipt] = OrderedDict()
        faults.add_dependency("provider")

    async def charge(self, idempotency_key: str, amount: Decimal, card_token: str) -> Receipt:
        """Charge a card once per key.

        Raises:
            ProviderError: It failed, and says so.
            ConnectionError: It is not there.
        """
        await self._travel(self._rng.lognormvariate(0, 0.4) * self._temper.median_latency_s)
        if self._rng.random() < self._temper.errors:
            raise ProviderError("the provider's own backend failed")
        if idempotency_key not in self._receipts:
            self._receipts[idempotency_key] = self._decide(amount, card_token)
            if len(self._receipts) > REMEMBERED_KEYS:
                self._receipts.popitem(last=False)
        return self._receipts[idempotency_key]

    async def ping(self) -> None:
        """Ask whether it works; it suffers what charges suffer."""
        await self._travel(self._temper.median_latency_s / 3)

    async def _travel(self, latency_s: float) -> None:
        if self._faults.is_dead("provider"):
            raise ConnectionRefusedError("the provider refuses connections")
        await asyncio.sleep(latency_s)
        try:
            await self._faults.strike()
        except InjectedError as error:
            raise ProviderError("the provider answered 500") from error

    def _decide(self, amount: Decimal, card_token: str) -> Receipt:
        is_declined = card_token.startswith("tok_declined") or amount > 5000
        is_unlucky = self._rng.random() < self._temper.declines
        return Receipt(new_id("prv"), is_approved=not (is_declined or is_unlucky))
