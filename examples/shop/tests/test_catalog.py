"""The catalog: pages, products, prices, and a cache that may fail."""

import asyncio
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from prometheus_client import REGISTRY
from shop_harness import running

from shop.catalog import build
from shop.catalog.cache import MEMORY_ENTRIES, Bodies, CatalogCache
from shop.catalog.redis_cache import ShopStore
from shop.chassis import FaultPlan, Faults
from shop.settings import Settings


def lookups(outcome: str) -> float:
    return REGISTRY.get_sample_value("shop_cache_lookups_total", {"outcome": outcome}) or 0.0


async def test_pages_lead_through_all_products_once(any_settings: Settings) -> None:
    async with running(build(any_settings)) as client:
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = (await client.get("/products", params={"after": after, "limit": 7})).json()
            seen += [product["sku"] for product in page["products"]]
            after = page["next_after"]
        assert len(seen) == 40
        assert seen == sorted(set(seen))
        teas = (await client.get("/products", params={"category": "tea"})).json()
        assert [product["category"] for product in teas["products"]] == ["tea"] * 5


async def test_a_product_has_a_price_in_exact_decimals(any_settings: Settings) -> None:
    async with running(build(any_settings)) as client:
        product = (await client.get("/products/COF-001")).json()
        assert product["price"] == "11.00"
        assert (await client.get("/products/XXX-999")).json()["code"] == "unknown-product"
        assert (await client.get("/products/nonsense")).status_code == 422


async def test_the_second_read_comes_from_the_cache(settings: Settings) -> None:
    async with running(build(settings)) as client:
        before = lookups("hit")
        first = await client.get("/products/TEA-001")
        assert (await client.get("/products/TEA-001")).content == first.content
        assert lookups("hit") == before + 1


async def test_a_new_price_is_seen_at_once(any_settings: Settings) -> None:
    async with running(build(any_settings)) as client:
        await client.get("/products/TEA-001")
        assert (await client.patch("/products/TEA-001", json={"price": "5.55"})).status_code == 204
        assert (await client.get("/products/TEA-001")).json()["price"] == "5.55"


@pytest.mark.parametrize("price", ["0", "-1", "1.999", "10000000", "free"])
async def test_a_price_that_is_none_is_refused(settings: Settings, price: str) -> None:
    async with running(build(settings)) as client:
        assert (await client.patch("/products/TEA-001", json={"price": price})).status_code == 422
        assert Decimal((await client.get("/products/TEA-001")).json()["price"]) > 0


async def test_the_catalog_sells_on_without_its_cache(settings: Settings) -> None:
    away = replace(settings, redis_url="redis://127.0.0.1:1/0")
    async with running(build(away)) as client:
        before = lookups("error")
        assert (await client.get("/products/TEA-001")).status_code == 200
        assert lookups("error") > before
        ready = (await client.get("/readyz")).json()
        assert (ready["status"], ready["checks"]["cache"]["status"]) == ("degraded", "degraded")


def counted_fetch(body: bytes):
    """Return a fetch and the list of its calls."""
    calls: list[bytes] = []

    async def fetch() -> bytes:
        calls.append(body)
        return body

    return fetch, calls


async def test_memory_forgets_what_was_not_used_for_longest() -> None:
    bodies = Bodies("test", 60)
    fetch, calls = counted_fetch(b"")
    for number in range(MEMORY_ENTRIES):
        await bodies.get(str(number), fetch)
    await bodies.get("0", fetch)
    await bodies.get("one more", fetch)
    calls.clear()
    await bodies.get("0", fetch)
    assert calls == []
    await bodies.get("1", fetch)
    assert calls == [b""]


async def test_a_page_that_many_ask_for_at_once_is_read_once() -> None:
    fetch, calls = counted_fetch(b"page")
    bodies = Bodies("test", 60)
    assert set(await asyncio.gather(*(bodies.get("page", fetch) for _ in range(50)))) == {b"page"}
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["memory", pytest.param("redis", marks=pytest.mark.service)])
async def test_every_cache_keeps_and_drops(kind: str, request: pytest.FixtureRequest) -> None:
    store = None if kind == "memory" else ShopStore(request.getfixturevalue("redis_url"), Faults())
    cache = CatalogCache(store)
    key = f"test:{uuid.uuid4().hex}"
    fetch, calls = counted_fetch(b"\x00bytes")
    await cache.ping()
    assert [await cache.products.get(key, fetch) for _ in range(2)] == [b"\x00bytes"] * 2
    assert len(calls) == 1
    await cache.products.drop(key)
    assert await cache.products.get(key, fetch) == b"\x00bytes"
    assert len(calls) == 2
    await cache.products.drop(key)
    await cache.close()


@pytest.mark.service
async def test_a_dead_cache_on_command_is_a_miss(redis_url: str) -> None:
    faults = Faults()
    cache = CatalogCache(ShopStore(redis_url, faults))
    key = f"test:{uuid.uuid4().hex}"
    fetch, calls = counted_fetch(b"here")
    await cache.products.get(key, fetch)
    await faults.apply(FaultPlan(dead_dependency="cache"))
    assert await cache.products.get(key, fetch) == b"here"
    assert len(calls) == 2
    await cache.products.drop(key)
    with pytest.raises(ConnectionRefusedError):
        await cache.ping()
    await faults.heal()
    await cache.products.get(key, fetch)
    assert len(calls) == 2
    await cache.products.drop(key)
    await cache.close()
