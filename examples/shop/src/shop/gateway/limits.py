"""How often one customer, and one address without a token, may ask."""

import math

from prometheus_client import Counter

from holdfast.resilience import rate_limit
from shop.chassis import Problem

_refused = Counter("shop_rate_limited", "Requests refused because they came too often", ["who"])


class Limits:
    """Token buckets: one for each customer, one for each anonymous address."""

    def __init__(self, *, customer_rate: float = 20, address_rate: float = 200) -> None:
        self._customers = rate_limit(rate=customer_rate, burst=int(customer_rate * 2))
        self._addresses = rate_limit(rate=address_rate, burst=int(address_rate * 2))

    def check_customer(self, customer_id: str) -> None:
        """Count one request of a customer.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        self._check("customer", self._customers.try_acquire(customer_id))

    def check_address(self, address: str) -> None:
        """Count one request of somebody without a token.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        self._check("address", self._addresses.try_acquire(address))

    @staticmethod
    def _check(who: str, wait_s: float) -> None:
        if wait_s > 0:
            _refused.labels(who).inc()
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise Problem(429, "too-many-requests", f"Wait {wait_s:.1f} s.", headers=headers)
