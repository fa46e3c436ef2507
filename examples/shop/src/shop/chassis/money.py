"""Money: a decimal amount on the wire and in the code, whole cents in the database.

One currency only; a shop with more would carry the currency in the type.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

CURRENCY = "EUR"
Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=2)]


def to_cents(amount: Decimal) -> int:
    """Return whole cents; an amount with a fraction of a cent is a bug and raises ValueError."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} {CURRENCY} has a fraction of a cent")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """Return the amount of so many cents, with two places."""
    return (Decimal(cents) / 100).quantize(Decimal("0.01"))
