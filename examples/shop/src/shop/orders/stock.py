"""Stock, as orders see it: a gRPC client of inventory with deadlines, retries and a breaker.

Reserve and Release are idempotent per order, so that repeating them is safe.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from holdfast import instrument
from holdfast.resilience import BreakerOpen, breaker, retry
from shop.chassis import Dependency, Faults, Problem
from shop.peers import watch_breaker
from shop.wire import inventory_pb2, inventory_pb2_grpc

DEADLINE_S = 1.0
PROBE_DEADLINE_S = 0.5
GRPC_SERVICE = "shop.Inventory"
_REFUSING_ADDRESS = "127.0.0.1:1"  # nothing listens on port 1: the refusal is a real one


class StockUnavailable(Problem):
    """Inventory failed or did not answer in time."""

    def __init__(self, why: str) -> None:
        super().__init__(503, "inventory-unavailable", f"inventory: {why}", headers={"Retry-After": "1"})


class Stock:
    """Inventory's client; use it between entering and leaving `connected`."""

    def __init__(self, address: str, faults: Faults) -> None:
        self._address = address
        self._faults = faults
        guard = breaker(name="inventory", failures=5, reset_s=3.0)
        watch_breaker(guard)
        self._guard = retry(attempts=3, base_s=0.05, cap_s=0.3, on=(StockUnavailable,)) | guard
        faults.add_dependency("inventory")

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Hold one channel for all calls; it connects by itself, again and again."""
        watching = instrument.grpc_aio_client_interceptors()
        async with (
            grpc.aio.insecure_channel(self._address, interceptors=watching) as channel,
            grpc.aio.insecure_channel(_REFUSING_ADDRESS, interceptors=watching) as refusing,
        ):
            self._channels = {False: channel, True: refusing}
            yield

    async def reserve(self, order_id: str, quantities: Iterable[tuple[str, int]]) -> list[str]:
        """Reserve all lines or none; return the skus that are missing: none when it is reserved.

        Raises:
            StockUnavailable: Inventory failed three times, or too often lately.
        """
        lines = [inventory_pb2.Line(sku=sku, quantity=quantity) for sku, quantity in quantities]
        answer = await self._call("Reserve", inventory_pb2.ReserveRequest(order_id=order_id, lines=lines))
        return list(answer.missing_skus)

    async def release(self, order_id: str) -> None:
        """Give back what an order reserved; it need not have reserved anything.

        Raises:
            StockUnavailable: Inventory failed three times, or too often lately.
        """
        await self._call("Release", inventory_pb2.ReleaseRequest(order_id=order_id))

    def dependency(self) -> Dependency:
        """Return inventory as `/readyz` names it."""
        return Dependency("inventory", self._probe)

    async def _call(self, method: str, request: Any) -> Any:
        try:
            return await self._guard.call(self._exchange, method, request)
        except BreakerOpen as error:
            raise StockUnavailable(str(error)) from error

    async def _exchange(self, method: str, request: Any) -> Any:
        stub = inventory_pb2_grpc.InventoryStub(self._channel)  # type: ignore[no-untyped-call]  # generated
        call = getattr(stub, method)
        try:
            return await call(request, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise StockUnavailable(f"{error.code().name}: {error.details()}") from error

    async def _probe(self) -> None:
        stub = health_pb2_grpc.HealthStub(self._channel)
        request = health_pb2.HealthCheckRequest(service=GRPC_SERVICE)
        answer = await stub.Check(request, timeout=PROBE_DEADLINE_S)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
            raise ConnectionError(f"inventory says {name}")

    @property
    def _channel(self) -> grpc.aio.Channel:
        return self._channels[self._faults.is_dead("inventory")]
