"""Payments: charges cards through a provider that is not ours and not always well.

Owns charges and their outcome. Refuses orders: it knows only whose money moves, once per idempotency key.
"""

from shop.payments.app import build

__all__ = ["build"]
