"""Metrics by decorator: what they count, where labels come from, and that they never harm the call."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest
from prometheus_client import Counter

from holdfast.instrument import bounded, counted, encode_metrics, gauge_of, in_progress, timed


@dataclass
class Order:
    total: Decimal
    currency: str = "EUR"


async def test_calls_that_return_are_counted_with_labels_from_their_arguments(registry, figures):
    @counted("orders_placed", "Orders.", labels={"currency": "order.currency", "by": "channel"}, registry=registry)
    async def place(order, channel="web"):
        if order.total < 0:
            raise ValueError("negative")
        return order

    await place(Order(Decimal(5)))
    await place(Order(Decimal(5), "USD"), channel="app")
    with pytest.raises(ValueError):
        await place(Order(Decimal(-1)))
    assert figures("orders_placed_total", currency="EUR", by="web") == 1
    assert figures("orders_placed_total", currency="USD", by="app") == 1
    assert figures("orders_placed_total") == 2


def test_a_generator_stays_one_and_is_timed_to_its_end(registry, figures):
    @in_progress("reads_in_progress", "Reads.", registry=registry)
    @timed("read_seconds", "Time.", registry=registry)
    @counted("rows", "Rows.", amount="return", registry=registry)
    def read(rows):
        """Read."""
        sent = yield rows
        assert sent == "more"
        try:
            yield 2
        except KeyError:
            yield 3
        return rows

    assert inspect.isgeneratorfunction(read)
    assert str(inspect.signature(read)) == "(rows)"
    going = read(7)
    assert figures("reads_in_progress") == 0
    assert (next(going), going.send("more"), figures("reads_in_progress")) == (7, 2, 1)
    assert figures("read_seconds_count") is None
    assert going.throw(KeyError()) == 3
    with pytest.raises(StopIteration) as end:
        next(going)
    assert (end.value.value, figures("rows_total"), figures("reads_in_progress")) == (7, 7, 0)
    assert figures("read_seconds_count", outcome="ok") == 1
    cut = read(1)
    next(cut)
    cut.close()
    assert figures("read_seconds_count", outcome="ok") == 2
    failing = read(1)
    next(failing)
    with pytest.raises(AssertionError):
        failing.send("less")
    assert figures("read_seconds_count", outcome="error") == 1


async def test_an_async_generator_stays_one_and_is_timed_to_its_end(registry, figures):
    ended = []

    @in_progress("reads_in_progress", "Reads.", registry=registry)
    @timed("read_seconds", "Time.", labels={"rows": "rows"}, registry=registry)
    async def read(rows):
        try:
            sent = yield rows
            try:
                yield sent
            except KeyError:
                yield 3
        finally:
            await asyncio.sleep(0)
            ended.append(rows)

    assert inspect.isasyncgenfunction(read)
    going = read(7)
    assert (await anext(going), await going.asend("more"), figures("reads_in_progress")) == (7, "more", 1)
    assert await going.athrow(KeyError()) == 3
    assert [item async for item in going] == []
    assert (ended, figures("reads_in_progress")) == ([7], 0)
    cut = read(8)
    await anext(cut)
    await cut.aclose()
    assert ended == [7, 8]
    assert figures("read_seconds_count", outcome="ok") == 2
    failing = read(9)
    await anext(failing)
    with pytest.raises(ZeroDivisionError):
        await failing.athrow(ZeroDivisionError())
    assert figures("read_seconds_count", outcome="error", rows="9") == 1


def test_methods_of_a_class_stay_what_they_are_in_either_order(registry, figures):
    class Shop:
        @counted("above", "Calls.", labels={"what": "what"}, registry=registry)
        @staticmethod
        def above(what):
            return what

        @staticmethod
        @counted("below", "Calls.", labels={"what": "what"}, registry=registry)
        def below(what):
            return what

        @in_progress("open_now", "Calls.", registry=registry)
        @counted("opened", "Calls.", labels={"kind": "cls.__name__"}, registry=registry)
        @classmethod
        def open(cls):
            return cls, figures("open_now")

    assert (Shop.above(1), Shop().above(1), Shop().below(1)) == (1, 1, 1)
    assert (Shop.open(), Shop().open()) == ((Shop, 1), (Shop, 1))
    assert figures("above_total", what="1") == 2
    assert figures("opened_total", kind="Shop") == 2


def test_an_amount_is_added_instead_of_one(registry, figures):
    @counted(
        "revenue_eur", "Revenue.", amount="return.total", labels={"currency": "return.currency"}, registry=registry
    )
    def pay(price):
        return Order(price)

    pay(Decimal("19.90"))
    pay(Decimal("0.10"))
    assert figures("revenue_eur_total", currency="EUR") == pytest.approx(20)


def test_errors_may_be_what_counts(registry, figures):
    @counted("payments_failed", "Failures.", errors=True, registry=registry)
    def pay(is_good):
        if not is_good:
            raise RuntimeError

    pay(True)
    with pytest.raises(RuntimeError):
        pay(False)
    assert figures("payments_failed_total") == 1


def test_labels_are_bounded_and_what_is_folded_is_counted(registry, figures):
    @counted("visits", "Visits.", labels={"user": "user"}, most=3, registry=registry)
    def visit(user):
        pass

    for number in range(10):
        visit(number)
    assert figures.values("visits_total", "user") == {"0", "1", "2", "other"}
    assert figures("visits_total", user="other") == 7
    assert figures("instrument_label_values_folded_total", label="visits:user") == 7


def test_a_value_that_no_page_can_hold_does_not_spoil_the_page(registry, figures):
    @counted("visits", "Visits.", labels={"user": "user"}, registry=registry)
    def visit(user):
        pass

    @gauge_of("users", "Users.", label="user", most=2, registry=registry)
    def users():
        return {"\ud83d": 1, "other": 2, "more": 4}

    guarded = bounded(Counter("guarded", "Guarded.", ["user"], registry=registry), registry=registry)
    for user in ("\ud83d", "a" * 300, "a" * 400):
        visit(user)
        guarded.labels(user).inc()
    assert b'visits_total{user="?"} 1.0' in encode_metrics(registry)[0]
    for name in ("visits_total", "guarded_total"):
        assert figures(name, user="a" * 256) == 2
    guarded.forget("a" * 300)
    assert figures("guarded_total", user="a" * 256) is None
    assert (figures("users", user="?"), figures("users", user="other")) == (1, 6)


def test_an_amount_that_is_no_number_is_not_added(registry, figures):
    @counted("revenue", "Revenue.", amount="total", registry=registry)
    def pay(total):
        pass

    for total in (2, float("nan"), float("inf"), Decimal("NaN"), 3):
        pay(total)
    assert figures("revenue_total") == 5


def test_calls_are_timed_by_outcome(registry, figures):
    @timed("quote_duration_seconds", "Quotes.", labels={"kind": lambda kind, **_: kind.upper()}, registry=registry)
    def quote(kind, *, fails=False):
        if fails:
            raise RuntimeError

    quote("fast")
    with pytest.raises(RuntimeError):
        quote("fast", fails=True)
    assert figures("quote_duration_seconds_count", kind="FAST", outcome="ok") == 1
    assert figures("quote_duration_seconds_count", kind="FAST", outcome="error") == 1


async def test_calls_under_way_are_shown(registry, figures):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @in_progress("exports_in_progress", "Exports.", registry=registry)
    async def export():
        begun.set()
        await go_on.wait()

    task = asyncio.create_task(export())
    await begun.wait()
    assert figures("exports_in_progress") == 1
    go_on.set()
    await task
    assert figures("exports_in_progress") == 0


def test_a_gauge_asks_its_function_when_somebody_looks(registry, figures):
    carts = {"web": 3, "app": 2, "kiosk": 1}

    @gauge_of("carts_open", "Carts.", label="channel", most=2, registry=registry)
    def count_carts():
        return carts

    @gauge_of("queue_length", "Waiting.", registry=registry)
    def queue_length():
        return 7

    assert figures("carts_open", channel="web") == 3
    assert figures("carts_open", channel="other") == 1
    assert figures("queue_length") == 7
    carts["web"] = 4
    assert figures("carts_open", channel="web") == 4


def test_a_gauge_that_fails_hides_only_itself(registry, figures):
    @gauge_of("broken", "Broken.", registry=registry)
    def broken():
        raise RuntimeError

    Counter("orders", "Orders.", registry=registry).inc()
    assert figures("broken") is None
    assert figures("orders_total") == 1
    assert figures("instrument_gauge_failures_total", gauge="broken") >= 1


def test_a_label_that_cannot_be_read_does_not_fail_the_call(registry, figures):
    @counted("orders", "Orders.", labels={"size": lambda order: 1 / 0}, registry=registry)
    def place(order):
        return "placed"

    assert place(Order(Decimal(1))) == "placed"
    assert figures("orders_total") is None


def test_a_watch_that_fails_does_not_fail_a_call_without_a_name_either(registry):
    quoted = counted("quotes", "Quotes.", labels={"to": lambda *_: 1 / 0}, registry=registry)(partial(divmod, 7))
    assert quoted(2) == (3, 1)


def test_a_parameter_that_does_not_exist_is_refused_at_once(registry):
    with pytest.raises(ValueError, match=r"place has no parameter 'oder'; it has: order, return"):

        @counted("orders", "Orders.", labels={"currency": "oder.currency"}, registry=registry)
        def place(order):
            pass


def test_two_functions_may_count_into_one_metric_but_not_with_other_labels(registry, figures):
    decorate = counted("orders", "Orders.", registry=registry)
    first, second = decorate(lambda: None), counted("orders", "Orders.", registry=registry)(lambda: None)
    first()
    second()
    assert figures("orders_total") == 2
    with pytest.raises(ValueError, match="exists as a Counter"):
        counted("orders", "Orders.", labels={"a": "return"}, registry=registry)
    with pytest.raises(ValueError, match="call it quotes_seconds"):
        timed("quotes", "Quotes.", registry=registry)


def test_any_metric_may_have_a_guard(registry, figures):
    orders = bounded(Counter("orders", "Orders.", ["shop", "kind"], registry=registry), most=2, registry=registry)
    for number in range(5):
        orders.labels(number, kind := "a").inc()
        orders.labels(shop=number, kind=kind).inc()
    assert figures("orders_total", shop="0", kind="a") == 2
    assert figures("orders_total", shop="other", kind="other") == 6
    assert orders.folded == 6
    orders.forget("0", "a")
    orders.labels("9", "a").inc()
    assert figures("orders_total", shop="9") == 1
    with pytest.raises(ValueError, match="give all of shop, kind"):
        orders.labels(shop="1")
