"""Inventory: how much there is, and what is promised to whom; over gRPC.

Owns stock and reservations. Refuses prices and names: a product is a sku here.
"""

from shop.inventory.app import build

__all__ = ["build"]
