"""Orders: carts, and what became of them.

Owns carts, orders and the events about them (transactional outbox). Refuses prices, stock and money: it asks catalog,
inventory and payments, and keeps the three in step.
"""

from shop.orders.app import build

__all__ = ["build"]
