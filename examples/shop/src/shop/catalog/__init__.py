"""Catalog: what the shop sells, read often, changed seldom.

Owns products and prices; reads go through a cache (cache-aside). Refuses stock: that is inventory's.
"""

from shop.catalog.app import build

__all__ = ["build"]
