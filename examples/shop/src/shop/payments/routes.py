"""Payments over HTTP: charge once per idempotency key."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from shop.chassis import Problem
from shop.payments.charges import (
    Charge,
    ChargeRequest,
    ChargeStatus,
    begin_attempt,
    clear_doubt,
    find_charge,
    is_same,
    open_charge,
    settle_charge,
)
from shop.payments.processor import NothingMoved, Processor
from shop.storage import Database

IdempotencyKey = Annotated[str, Header(min_length=8, max_length=80)]


def routes(database: Database, processor: Processor) -> APIRouter:
    """Return the payments' routes."""
    router = APIRouter(tags=["payments"])

    @router.post("/charges", status_code=201)
    async def charge(request: ChargeRequest, idempotency_key: IdempotencyKey, response: Response) -> Charge:
        opened = await database.write(open_charge, idempotency_key, request)
        if not is_same(opened, request):
            raise Problem(422, "idempotency-key-reused", "This Idempotency-Key stands for another charge.")
        if opened.status is not ChargeStatus.PENDING:
            response.status_code = 200
            return opened
        was_in_doubt = await database.write(begin_attempt, opened.id)
        try:
            receipt = await processor.charge(idempotency_key, request.amount, request.card_token)
        except NothingMoved as problem:
            if was_in_doubt:
                # This attempt moved nothing; the one before it may have.
                raise Problem(504, "charge-in-doubt", "An earlier attempt has no answer yet.") from problem
            await database.write(clear_doubt, opened.id)
            raise
        status = await database.write(settle_charge, opened.id, receipt)
        return opened.model_copy(update={"status": status})

    @router.get("/charges/{charge_id}")
    async def show(charge_id: str) -> Charge:
        found = await database.read(find_charge, charge_id)
        if found is None:
            raise Problem(404, "unknown-charge", f"There is no charge {charge_id}.")
        return found

    return router
