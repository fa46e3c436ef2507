"""Takes a charge through the provider: guarded by a breaker and a deadline, watched by a canary.

A charge is never repeated behind the caller's back; the caller repeats it with the same key when it wants to know.
"""

from decimal import Decimal

from prometheus_client import Counter, Histogram

from holdfast.resilience import BreakerOpen, DeadlineExceeded, breaker, timeout
from shop.chassis import OutcomeWindow, Problem
from shop.payments.provider import Provider, ProviderError, Receipt

DEADLINE_S = 1.0
_calls = Counter("shop_provider_calls", "Charges by outcome: approved, declined, failed, refused", ["outcome"])
_duration = Histogram("shop_provider_seconds", "Duration of a charge at the provider")


class NothingMoved(Problem):
    """The attempt failed, and it is certain that it moved no money."""


class Processor:
    """The provider as the rest of the service sees it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._outcomes = OutcomeWindow("provider calls failed")
        self._guard = breaker(name="provider", failures=5, reset_s=3.0) | timeout(DEADLINE_S)

    async def charge(self, key: str, amount: Decimal, card_token: str) -> Receipt:
        """Charge once per key.

        Raises:
            NothingMoved: 502 `provider-failed` (it said so), 503 `provider-refused` (nothing was tried).
            Problem: 504 `provider-timeout` (nobody knows: repeat with the same key).
        """
        try:
            with _duration.time():
                receipt = await self._guard.call(self._provider.charge, key, amount, card_token)
        except BreakerOpen as error:
            _calls.labels("refused").inc()
            headers = {"Retry-After": "3"}
            raise NothingMoved(
                503, "provider-refused", "The provider failed too often lately.", headers=headers
            ) from error
        except DeadlineExceeded as error:
            self._fail()
            raise Problem(504, "provider-timeout", f"The provider took more than {DEADLINE_S:g} s.") from error
        except (ProviderError, ConnectionError) as error:
            self._fail()
            raise NothingMoved(502, "provider-failed", f"The provider failed: {error}.") from error
        self._outcomes.record(is_failure=False)
        _calls.labels("approved" if receipt.is_approved else "declined").inc()
        return receipt

    async def canary(self) -> bool:
        """Ask the provider how it is, so that readiness knows even when nobody buys; never says there is more."""
        try:
            await timeout(DEADLINE_S).call(self._provider.ping)
        except (ProviderError, ConnectionError, DeadlineExceeded):
            self._outcomes.record(is_failure=True)
        else:
            self._outcomes.record(is_failure=False)
        return False

    async def probe(self) -> None:
        """Raise when the provider fails now, or failed too often lately."""
        await self._provider.ping()
        await self._outcomes.probe()

    def _fail(self) -> None:
        self._outcomes.record(is_failure=True)
        _calls.labels("failed").inc()
