"""The whole shop in six processes: buying, breaking, healing, dying, stopping."""

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from shop_harness import RunningShop, pid_of, start_shop, stop_shop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole-shop")]


class Shopper:
    """A customer at the public API."""

    def __init__(self, shop: RunningShop) -> None:
        self.client = httpx.Client(base_url=shop.url("gateway"), timeout=10)
        session = self.client.post("/api/sessions").json()
        self.customer_id: str = session["customer_id"]
        self.client.headers["Authorization"] = f"Bearer {session['token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def buy(self, *, card: str = "tok_good", key: str | None = None) -> httpx.Response:
        """Put one thing in the cart and check out."""
        self.client.put("/api/cart/COF-001", json={"quantity": 2}).raise_for_status()
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.client.post("/api/orders", json={"card_token": card}, headers=headers)


def status_of(shop: RunningShop, service: str) -> str:
    return str(httpx.get(f"{shop.url(service)}/readyz").json()["status"])


def test_a_customer_buys_and_is_told(shop: RunningShop) -> None:
    with Shopper(shop) as shopper:
        correlation_id = uuid.uuid4().hex
        shopper.client.headers["X-Correlation-ID"] = correlation_id
        answers = [shopper.buy() for _ in range(20)]
        order = next(answer for answer in answers if answer.status_code == 201).json()
        assert order["status"] == "paid"
        assert order["total"] == "22.00"
        assert shopper.client.get("/api/cart").json() == {"lines": []} or answers[-1].status_code != 201
        shown = shopper.client.get(f"/api/orders/{order['id']}").json()
        assert shown == order

        def is_told() -> bool:
            url = f"{shop.url('notifier')}/messages"
            messages = httpx.get(url, params={"customer_id": shopper.customer_id}).json()["messages"]
            return any(order["id"] in message["subject"] for message in messages)

        shop.wait_until(is_told, 45, "the message about the order")
        shop.wait_until(
            lambda: correlation_id in (shop.data / "logs" / "notifier.log").read_text(), 45, "the correlation id"
        )


def test_the_same_key_buys_once(shop: RunningShop) -> None:
    with Shopper(shop) as shopper:
        first = shopper.buy(key="only-once-please")
        again = shopper.buy(key="only-once-please")
        assert first.json() == again.json()
        assert len(shopper.client.get("/api/orders").json()["orders"]) == 1


def test_broken_payments_show_within_seconds_and_fail_customers_and_heal(shop: RunningShop) -> None:
    broken = shop.command("break", "payments", "--latency", "800ms", "--errors", "30%")
    assert broken.returncode == 0, broken.stderr
    shop.wait_until(lambda: status_of(shop, "payments") != "ok", 45, "payments not ready")
    failed, slow = [], []
    with Shopper(shop) as shopper:
        for _ in range(40):  # three of ten fail, by the dice
            answer = shopper.buy()
            failed += [answer] if answer.status_code >= 500 else []
            slow += [answer] if answer.elapsed.total_seconds() > 0.6 else []
            if failed and slow:
                break
    assert failed
    assert slow
    assert failed[0].json()["code"] in {"payment-failed", "payment-unknown"}
    assert shop.command("heal", "payments").returncode == 0
    shop.wait_until(lambda: status_of(shop, "payments") == "ok", 45, "payments ready again")
    with Shopper(shop) as shopper:
        assert any(shopper.buy().status_code == 201 for _ in range(5))


def test_a_killed_service_comes_back(shop: RunningShop) -> None:
    before = pid_of(shop, "catalog")
    assert before is not None
    os.kill(before, signal.SIGKILL)
    shop.wait_until(lambda: status_of(shop, "catalog") == "ok", 45, "the catalog again")
    assert pid_of(shop, "catalog") != before


def test_status_tells_programs_everything(shop: RunningShop) -> None:
    status: dict[str, Any] = json.loads(shop.command("status", "--json").stdout)
    assert set(status["services"]) == {"gateway", "catalog", "orders", "inventory", "payments", "notifier"}
    assert set(status["services"]["orders"]["checks"]) >= {"database", "catalog", "inventory", "payments", "outbox"}


def test_a_second_shop_on_the_folder_is_refused(shop: RunningShop) -> None:
    second = shop.command("up", "--base-port", "7900")
    assert second.returncode == 1
    assert "belongs to a shop that runs already" in second.stderr


def test_a_taken_port_is_named(shop: RunningShop, tmp_path: Path) -> None:
    refused = shop.command("up", "--base-port", str(shop.base_port), "--data", str(tmp_path))
    assert refused.returncode == 1


def test_services_end_with_their_supervisor_even_when_it_is_killed(tmp_path: Path) -> None:
    shop = start_shop(tmp_path)
    pid = pid_of(shop, "orders")
    shop.process.kill()
    assert stop_shop(shop) != 0
    shop.wait_until(lambda: not Path(f"/proc/{pid}").exists(), 45, "the end of orders")
