"""Charges: their shape, and the queries on them."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, delete, select, update

from shop.chassis import CURRENCY, Amount, from_cents, new_id, now_ms, to_cents
from shop.payments.provider import Receipt
from shop.payments.tables import charges
from shop.storage import insert_if_absent


class ChargeStatus(StrEnum):
    """`pending` means that the provider's word is not known yet."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"


class ChargeRequest(BaseModel):
    """What to charge, and to whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: Annotated[str, Field(min_length=1, max_length=60)]
    amount: Annotated[Amount, Field(gt=0)]
    currency: Literal["EUR"]
    card_token: Annotated[str, Field(pattern=r"^tok_[a-z0-9_]{1,60}$")]


class Charge(BaseModel):
    """One charge and its outcome."""

    model_config = ConfigDict(frozen=True)

    id: str
    order_id: str
    amount: Amount
    currency: str = CURRENCY
    status: ChargeStatus


def open_charge(connection: Connection, key: str, request: ChargeRequest) -> Charge:
    """Return the charge of this idempotency key; a new key makes a pending one."""
    values = {
        "id": new_id("chg"),
        "idempotency_key": key,
        "order_id": request.order_id,
        "amount_cents": to_cents(request.amount),
        "card_token": request.card_token,
        "status": ChargeStatus.PENDING.value,
        "in_doubt": 0,
        "created_ms": now_ms(),
    }
    insert_if_absent(connection, charges, values)
    return _charge(connection.execute(select(charges).where(charges.c.idempotency_key == key)).one())


def begin_attempt(connection: Connection, charge_id: str) -> bool:
    """Note that the provider is about to be asked; return whether an earlier attempt is still in doubt."""
    query = select(charges.c.in_doubt).where(charges.c.id == charge_id).with_for_update()
    was_in_doubt = bool(connection.execute(query).scalar_one())
    connection.execute(update(charges).where(charges.c.id == charge_id).values(in_doubt=1))
    return was_in_doubt


def clear_doubt(connection: Connection, charge_id: str) -> None:
    """Note that the attempt is known to have moved no money."""
    connection.execute(update(charges).where(charges.c.id == charge_id).values(in_doubt=0))


def settle_charge(connection: Connection, charge_id: str, receipt: Receipt) -> ChargeStatus:
    """Record the provider's final word."""
    status = ChargeStatus.APPROVED if receipt.is_approved else ChargeStatus.DECLINED
    change = {"status": status.value, "provider_reference": receipt.reference, "in_doubt": 0}
    connection.execute(update(charges).where(charges.c.id == charge_id).values(change))
    return status


def find_charge(connection: Connection, charge_id: str) -> Charge | None:
    """Return the charge, or None."""
    found = connection.execute(select(charges).where(charges.c.id == charge_id)).one_or_none()
    return None if found is None else _charge(found)


def forget_old_charges(connection: Connection, older_than_ms: int) -> int:
    """Delete charges made before a moment; return how many."""
    return connection.execute(delete(charges).where(charges.c.created_ms < older_than_ms)).rowcount


def is_same(charge: Charge, request: ChargeRequest) -> bool:
    """Whether a repeated request asks for the charge that its key already stands for."""
    return (charge.order_id, Decimal(charge.amount)) == (request.order_id, Decimal(request.amount))


def _charge(row: Row[tuple[object, ...]]) -> Charge:
    return Charge(
        id=row.id, order_id=row.order_id, amount=from_cents(row.amount_cents), status=ChargeStatus(row.status)
    )
