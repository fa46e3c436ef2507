"""Inventory over real gRPC: all or nothing, once per order, never without a deadline."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from shop_harness import eventually, running

from holdfast import journal
from holdfast.resilience import retry
from shop.chassis import FaultPlan, Faults
from shop.inventory import build
from shop.orders.stock import Stock, StockUnavailable
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, Settings
from shop.wire import inventory_pb2 as wire
from shop.wire import inventory_pb2_grpc


@contextlib.asynccontextmanager
async def inventory(settings: Settings) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Give an HTTP client, a stub and a channel of a running inventory."""
    async with (
        running(build(settings)) as client,
        grpc.aio.insecure_channel(settings.inventory_address) as channel,
    ):
        yield client, inventory_pb2_grpc.InventoryStub(channel), channel


def request(order_id: str, **quantities: int) -> Any:
    lines = [wire.Line(sku=sku.replace("_", "-"), quantity=quantity) for sku, quantity in quantities.items()]
    return wire.ReserveRequest(order_id=order_id, lines=lines)


async def stock_of(stub: Any, sku: str) -> int:
    answer = await stub.GetStock(wire.GetStockRequest(skus=[sku]), timeout=5)
    return answer.lines[0].quantity


async def break_it(client: Any, settings: Settings, **plan: Any) -> None:
    headers = {ADMIN_TOKEN_HEADER: (settings.data / ADMIN_TOKEN_FILE).read_text()}
    (await client.put("/admin/fault", json=plan, headers=headers)).raise_for_status()


async def test_an_order_reserves_once_and_gives_back_once(any_settings: Settings) -> None:
    async with inventory(any_settings) as (_, stub, _):
        before = await stock_of(stub, "COF-001")
        for _ in range(3):
            answer = await stub.Reserve(request("ord_1", COF_001=3), timeout=5)
            assert answer.outcome == wire.ReserveResponse.OUTCOME_RESERVED
        assert await stock_of(stub, "COF-001") == before - 3
        released = [(await stub.Release(wire.ReleaseRequest(order_id="ord_1"), timeout=5)).released for _ in "ab"]
        assert released == [True, False]
        assert await stock_of(stub, "COF-001") == before


async def test_an_order_gets_all_of_its_lines_or_none(any_settings: Settings) -> None:
    async with inventory(any_settings) as (_, stub, _):
        before = await stock_of(stub, "COF-001")
        answer = await stub.Reserve(request("ord_1", COF_001=1, TEA_001=100_000, XXX_001=1), timeout=5)
        assert answer.outcome == wire.ReserveResponse.OUTCOME_OUT_OF_STOCK
        assert list(answer.missing_skus) == ["TEA-001", "XXX-001"]
        assert await stock_of(stub, "COF-001") == before


async def test_the_last_piece_goes_to_one_of_many(any_settings: Settings) -> None:
    async with inventory(any_settings) as (_, stub, _):
        left = await stock_of(stub, "MUG-001")
        await stub.Reserve(request("ord_0", MUG_001=left - 1), timeout=5)
        answers = await asyncio.gather(
            *(stub.Reserve(request(f"ord_{number}", MUG_001=1), timeout=5) for number in range(1, 9))
        )
        outcomes = [answer.outcome for answer in answers]
        assert outcomes.count(wire.ReserveResponse.OUTCOME_RESERVED) == 1
        assert await stock_of(stub, "MUG-001") == 0


@pytest.mark.parametrize(
    "bad",
    [
        request("", COF_001=1),
        request("ord_1"),
        request("ord_1", COF_001=0),
        wire.ReserveRequest(order_id="o", lines=[wire.Line(sku="A", quantity=1), wire.Line(sku="A", quantity=2)]),
    ],
)
async def test_a_reservation_that_makes_no_sense_is_refused(settings: Settings, bad: Any) -> None:
    async with inventory(settings) as (_, stub, _):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Reserve(bad, timeout=5)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_a_deadline_or_without_time_is_refused(settings: Settings) -> None:
    async with inventory(settings) as (_, stub, _):
        await stub.GetStock(wire.GetStockRequest(skus=["COF-001"]), timeout=5)
        for timeout in (None, 60):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Reserve(request("ord_1", COF_001=1), timeout=timeout)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "deadline" in (refused.value.details() or "")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Reserve(request("ord_1", COF_001=1), timeout=0.001)
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_the_health_protocol_follows_readiness(settings: Settings) -> None:
    async with inventory(settings) as (client, _, channel):
        health = health_pb2_grpc.HealthStub(channel)
        question = health_pb2.HealthCheckRequest(service="shop.Inventory")
        serving = health_pb2.HealthCheckResponse

        async def says(status: int) -> bool:
            return (await health.Check(question, timeout=5)).status == status

        assert await says(serving.SERVING)
        await break_it(client, settings, dead_dependency="database")
        await eventually(lambda: says(serving.NOT_SERVING))
        assert (await client.get("/readyz")).status_code == 503
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await health.Check(health_pb2.HealthCheckRequest(service="shop.Nothing"), timeout=5)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_calls_suffer_errors_and_a_bad_release_and_are_counted(settings: Settings) -> None:
    async with inventory(settings) as (client, stub, _):
        for plan in ({"errors": 1}, {"bad_release": True}):
            await break_it(client, settings, **plan)
            codes = set()
            for _ in range(20):
                try:
                    await stock_of(stub, "COF-001")
                except grpc.aio.AioRpcError as error:
                    codes.add(error.code())
            assert codes == {grpc.StatusCode.INTERNAL}
        metrics = (await client.get("/metrics")).text
        assert 'rpc_server_calls_total{code="INTERNAL",method="shop.Inventory/GetStock"}' in metrics


async def test_orders_client_repeats_what_is_safe_to_repeat(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = iter([0.0, 0.0])  # two calls are struck, the third is not
    async with inventory(settings) as (client, _, _):
        stock = Stock(settings.inventory_address, Faults())
        async with stock.connected():
            await break_it(client, settings, errors=0.5)
            monkeypatch.setattr("shop.chassis.faults.random.random", lambda: next(dice, 1.0))
            assert await stock.reserve("ord_1", [("COF-001", 1)]) == []
            assert next(dice, None) is None
            assert await stock.reserve("ord_2", [("COF-001", 1), ("XXX-001", 1)]) == ["XXX-001"]
            # Inventory judges itself once a second: a slow machine may have it look between the struck calls.
            await retry(attempts=None, max_elapsed_s=30, base_s=0.1, cap_s=0.5).call(stock.dependency().probe)


async def test_orders_client_gives_up_on_an_inventory_that_is_away(settings: Settings) -> None:
    faults = Faults()
    stock = Stock(settings.inventory_address, faults)
    async with stock.connected():
        with pytest.raises(StockUnavailable, match="UNAVAILABLE"):
            await stock.reserve("ord_1", [("COF-001", 1)])
        with pytest.raises(grpc.aio.AioRpcError):
            await stock.dependency().probe()
        await faults.apply(FaultPlan(dead_dependency="inventory"))
        with pytest.raises(StockUnavailable):
            await stock.reserve("ord_1", [("COF-001", 1)])
        await faults.heal()


@pytest.mark.usefixtures("log_set_back")
async def test_the_correlation_id_crosses_grpc(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    journal.configure(service="test")
    async with inventory(replace(settings)):
        stock = Stock(settings.inventory_address, Faults())
        async with stock.connected():
            with journal.bind(correlation_id="cor-over-grpc"):
                await stock.reserve("ord_1", [("COF-001", 1)])
    line = next(line for line in capsys.readouterr().err.splitlines() if '"reserved"' in line)
    assert "cor-over-grpc" in line
