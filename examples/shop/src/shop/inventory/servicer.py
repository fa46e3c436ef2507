"""The gRPC methods: they translate between messages and stock, and nothing else.

Deadlines, faults, metrics, correlation are the interceptor's.
"""

from typing import Any

import grpc

from holdfast import journal
from shop.inventory.stock import OutOfStock, read_stock, release, reserve
from shop.storage import Database
from shop.wire import inventory_pb2, inventory_pb2_grpc

LINES_LIMIT = 100
_log = journal.get_logger()


class InventoryServicer(inventory_pb2_grpc.InventoryServicer):
    """`shop.Inventory` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetStock(self, request: Any, context: Any) -> Any:  # noqa: N802 -- gRPC's name
        """Answer the quantities of some products."""
        await _refuse_unless(len(request.skus) <= LINES_LIMIT, f"at most {LINES_LIMIT} skus", context)
        quantities = await self._database.read(read_stock, list(request.skus))
        lines = [inventory_pb2.Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items()]
        return inventory_pb2.GetStockResponse(lines=lines)

    async def Reserve(self, request: Any, context: Any) -> Any:  # noqa: N802 -- gRPC's name
        """Reserve all lines of an order, or none."""
        quantities = {line.sku: line.quantity for line in request.lines}
        is_sound = 0 < len(request.lines) <= LINES_LIMIT and len(quantities) == len(request.lines)
        await _refuse_unless(is_sound, f"lines must be 1 to {LINES_LIMIT} different skus", context)
        await _refuse_unless(bool(request.order_id), "order_id is missing", context)
        await _refuse_unless(all(quantities.values()), "a quantity is zero", context)
        outcome = inventory_pb2.ReserveResponse.Outcome
        try:
            await self._database.write(reserve, request.order_id, quantities)
        except OutOfStock as error:
            _log.warning("out_of_stock", order_id=request.order_id, missing_skus=error.missing_skus)
            return inventory_pb2.ReserveResponse(outcome=outcome.OUTCOME_OUT_OF_STOCK, missing_skus=error.missing_skus)
        _log.info("reserved", order_id=request.order_id, lines=len(quantities))
        return inventory_pb2.ReserveResponse(outcome=outcome.OUTCOME_RESERVED)

    async def Release(self, request: Any, context: Any) -> Any:  # noqa: N802 -- gRPC's name
        """Give back what an order reserved."""
        await _refuse_unless(bool(request.order_id), "order_id is missing", context)
        released = await self._database.write(release, request.order_id)
        _log.info("released", order_id=request.order_id, had_reserved=released)
        return inventory_pb2.ReleaseResponse(released=released)


async def _refuse_unless(is_sound: bool, why: str, context: Any) -> None:  # noqa: FBT001 -- reads as a sentence
    if not is_sound:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, why)
