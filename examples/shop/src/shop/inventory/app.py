"""Puts inventory together: gRPC on its port, and a small HTTP side for health, metrics and faults."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from starlette.applications import Starlette
from starlette.types import ASGIApp

from holdfast import instrument
from shop.chassis import Dependency, Loop, Service, Status, now_ms
from shop.inventory.interceptor import CallInterceptor
from shop.inventory.servicer import InventoryServicer
from shop.inventory.stock import forget_old_reservations, restock, seed
from shop.settings import Settings
from shop.storage import Database
from shop.wire import inventory_pb2_grpc

MIGRATIONS = Path(__file__).parent / "migrations"
GRPC_SERVICE = "shop.Inventory"
KEPT_MS = 24 * 3600 * 1000
MESSAGE_LIMIT_BYTES = 256 * 1024
GRACE_S = 2.0


def build(settings: Settings) -> ASGIApp:
    """Return inventory's HTTP side; its lifespan is that of the gRPC server."""
    service = Service("inventory", settings)
    database = Database.open(settings, "inventory", service.faults)
    service.health.add(Dependency("database", database.ping))

    async def keep_shelves() -> bool:
        await database.write(restock)
        await database.write(forget_old_reservations, now_ms() - KEPT_MS)
        return False

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await database.migrate(MIGRATIONS, seed)
        address = f"{settings.host}:{settings.grpc_port}"
        async with _serving(service, database, address), Loop("restock", keep_shelves, pause_s=20).running():
            yield
        await database.close()

    # Latency and errors on command strike the gRPC calls, in the interceptor.
    return service.dress(Starlette(lifespan=lifespan), strikes_requests=False)


@contextlib.asynccontextmanager
async def _serving(service: Service, database: Database, address: str) -> AsyncIterator[None]:
    server = grpc.aio.server(
        interceptors=[instrument.GrpcAioServerInterceptor(), CallInterceptor(service)],
        options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
            ("grpc.so_reuseport", 0),  # a second process on the port must fail, not share it
        ],
        maximum_concurrent_rpcs=100,
    )
    add = inventory_pb2_grpc.add_InventoryServicer_to_server
    add(InventoryServicer(database), server)  # type: ignore[no-untyped-call]  # generated
    health_servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs forget it
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    server.add_insecure_port(address)

    async def report_health() -> bool:
        status, _ = await service.health.probe()
        serving = health_pb2.HealthCheckResponse
        answer = serving.NOT_SERVING if status is Status.FAILING else serving.SERVING
        for name in ("", GRPC_SERVICE):
            await health_servicer.set(name, answer)
        return False

    await report_health()
    await server.start()
    async with Loop("health", report_health, pause_s=1.0).running():
        yield
    await health_servicer.enter_graceful_shutdown()
    await server.stop(GRACE_S)
