"""A shop's price service misbehaves, and its customers hardly notice. Paste it and run it: `pip install holdfast`."""

import asyncio

from holdfast.resilience import (
    PolicyEvent,
    RateLimited,
    RetryBudget,
    breaker,
    bulkhead,
    deadline,
    degradations,
    fallback,
    hedge,
    idempotent,
    listen,
    rate_limit,
    retry,
    timeout,
)


class Prices:
    """Somebody else's service: every third call fails, every fourth is slow, and for a while it is down."""

    calls, is_down = 0, False

    async def price_of(self, sku: str) -> int:
        self.calls += 1
        if self.is_down or self.calls % 3 == 0:
            raise ConnectionError("prices: connection refused")
        await asyncio.sleep(0.5 if self.calls % 4 == 0 else 0.001)
        return 990 + len(sku)


prices = Prices()
stock_answers_after_s = iter([0.5, 0.001])
budget = RetryBudget(tokens=20, ratio=0.1, name="prices")  # retries stay a small part of all calls


# Read from the outside in: what is left of `|` sees the failures of what is right of it.
@(
    fallback(name="prices", stale_s=300)  # the last good answer, if nothing else helps
    | retry(attempts=4, base_s=0.01, budget=budget)  # again, later, out of step with the others
    | breaker(name="prices", failures=5, reset_s=0.2)  # leaves a service alone that is down
    | bulkhead(10, queue=100)  # ten calls at a time
    | timeout(0.1, name="prices")  # none takes for ever
)
async def price_of(sku: str) -> int:
    return await prices.price_of(sku)


@hedge(after_s=0.02, name="stock")  # asks a second time when an answer takes long
@idempotent
async def stock_of(sku: str) -> int:
    print(f"  asking for the stock of a {sku}")
    await asyncio.sleep(next(stock_answers_after_s))
    return 3


@rate_limit(rate=5, burst=3)
def send_mail(text: str) -> str:  # policies guard plain functions too
    return f"sent: {text}"


def show(event: PolicyEvent) -> None:
    if event.what in {"open", "half_open", "closed"}:
        print(f"  {event.kind} {event.name}: {event.what}")


async def main() -> None:
    listen(show)
    print("A bad day: one call in three fails, one in four is slow")
    print("  prices:", [await price_of(sku) for sku in ("pen", "book", "lamp")])

    print("The service goes down: old prices, and the reader is told so")
    prices.is_down = True
    with degradations() as found:
        print("  prices:", [await price_of(sku) for sku in ("pen", "book", "lamp")])
    print(f"  not fresh: {len(found)}, because {found[-1].reason}")

    print("It comes back, and a probe finds out")
    prices.is_down = False
    await asyncio.sleep(0.25)
    print("  price:", await price_of("pen"))

    print("One deadline for a whole page")
    async with deadline(1.0, name="page"):
        print("  stock:", await stock_of("pen"))

    print("Too many mails at once")
    try:
        for number in range(5):
            print(" ", send_mail(f"order {number}"))
    except RateLimited as refused:
        print(f"  refused, may be sent in {refused.retry_after_s:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
