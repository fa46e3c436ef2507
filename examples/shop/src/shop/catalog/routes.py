"""The catalog over HTTP: lists, products, prices."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from shop.catalog.cache import CatalogCache
from shop.catalog.products import Product, ProductPage, change_price, find_product, list_products
from shop.chassis import Amount, Problem
from shop.storage import Database

Sku = Annotated[str, Path(pattern=r"^[A-Z]{3}-\d{3}$", examples=["COF-001"])]
Category = Annotated[str | None, Query(max_length=40)]


class NewPrice(BaseModel):
    """A change of price."""

    price: Annotated[Amount, Field(gt=0)]


def routes(database: Database, cache: CatalogCache) -> APIRouter:
    """Return the catalog's routes; answers are cached as the bytes that go out."""
    router = APIRouter(tags=["catalog"])

    @router.get("/products", response_model=ProductPage)
    async def list_page(
        category: Category = None,
        after: Annotated[str, Query(max_length=40)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        async def fetch() -> bytes:
            page = await database.read(list_products, category, after, limit)
            return page.model_dump_json().encode()

        body = await cache.pages.get(f"{category or '*'}:{after}:{limit}", fetch)
        return Response(body, media_type="application/json")

    @router.get("/products/{sku}", response_model=Product)
    async def show(sku: Sku) -> Response:
        async def fetch() -> bytes:
            product = await database.read(find_product, sku)
            if product is None:
                raise _unknown(sku)
            return product.model_dump_json().encode()

        return Response(await cache.products.get(sku, fetch), media_type="application/json")

    @router.patch("/products/{sku}", status_code=204)
    async def reprice(sku: Sku, change: NewPrice) -> None:
        if not await database.write(change_price, sku, change.price):
            raise _unknown(sku)
        await cache.products.drop(sku)

    return router


def _unknown(sku: str) -> Problem:
    return Problem(404, "unknown-product", f"There is no product {sku}.")
