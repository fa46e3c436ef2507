"""Services killed in the middle of checkouts: afterwards money, goods, orders and messages agree."""

import concurrent.futures
import contextlib
import os
import signal
import sqlite3
import threading
import uuid
from pathlib import Path

import httpx
import pytest
from shop_harness import RunningShop, pid_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("crashes"), pytest.mark.timeout(180)]
CUSTOMERS = 4
FULL = 500
CHECKOUTS_LIMIT = FULL // CUSTOMERS - 20  # stock must never run low, or the supplier would spoil the count


def go_shopping(shop: RunningShop, is_over: threading.Event) -> None:
    """Check out again and again until it is over; a shop that is closed is left alone for a moment."""
    bought = 0
    while bought < CHECKOUTS_LIMIT and not is_over.is_set():
        if check_out(shop):
            bought += 1
        else:
            is_over.wait(0.1)


def check_out(shop: RunningShop) -> bool:
    """Try to buy one bag of coffee; tell whether the order may have been opened."""
    with (
        contextlib.suppress(httpx.HTTPError, KeyError),
        httpx.Client(base_url=shop.url("gateway"), timeout=10) as client,
    ):
        token = client.post("/api/sessions").json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        if client.put("/api/cart/COF-001", json={"quantity": 1}).is_error:
            return False
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        with contextlib.suppress(httpx.HTTPError):
            client.post("/api/orders", json={"card_token": "tok_good"}, headers=headers)
        return True
    return False


def rows(data: Path, service: str, query: str) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(data / f"{service}.db", timeout=10)) as connection:
        return connection.execute(query).fetchall()


def count_orders(shop: RunningShop) -> int:
    return len(rows(shop.data, "orders", "SELECT id FROM orders"))


def test_after_every_crash_the_books_agree(shop: RunningShop) -> None:
    is_over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CUSTOMERS) as customers:
        shopping = [customers.submit(go_shopping, shop, is_over) for _ in range(CUSTOMERS)]
        for victim in ("orders", "payments", "inventory", "orders", "notifier"):
            before = count_orders(shop)
            shop.wait_until(lambda before=before: count_orders(shop) >= before + 3, 30, "orders are opened")
            pid = pid_of(shop, victim)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        is_over.set()
    assert all(done.exception() is None for done in shopping)

    def is_settled() -> bool:
        pending = rows(shop.data, "orders", "SELECT id FROM orders WHERE status = 'pending'")
        unsent = rows(shop.data, "orders", "SELECT id FROM outbox WHERE published_ms IS NULL")
        undone = rows(shop.data, "notifier", "SELECT event_id FROM inbox WHERE status = 'pending'")
        return not (pending or unsent or undone)

    shop.wait_until(is_settled, 90, "every order is closed and told of")
    closed = dict(rows(shop.data, "orders", "SELECT id, status FROM orders"))
    paid = {order_id for order_id, status in closed.items() if status == "paid"}
    charged = rows(shop.data, "payments", "SELECT order_id FROM charges WHERE status = 'approved'")
    reserved = rows(shop.data, "inventory", "SELECT order_id FROM reservations")
    left = rows(shop.data, "inventory", "SELECT quantity FROM stock WHERE sku = 'COF-001'")
    assert len(paid) >= 5
    assert sorted(order_id for (order_id,) in charged) == sorted(paid)
    assert {order_id for (order_id,) in reserved} == paid
    assert left == [(FULL - len(paid),)]
    subjects = [subject for (subject,) in rows(shop.data, "notifier", "SELECT subject FROM messages")]
    told = sorted(word for subject in subjects for word in subject.split() if word.startswith("ord_"))
    assert told == sorted(closed)
