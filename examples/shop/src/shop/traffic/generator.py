"""Lets customers arrive at random (Poisson), as many as the rate and the hour ask for, and reports what they saw."""

import asyncio
import logging
import random
import signal
import time
from collections import deque

import httpx

from holdfast import journal
from shop.settings import Settings
from shop.traffic.curve import level
from shop.traffic.customer import Customer, GaveUp, Tally
from shop.traffic.journeys import visit

THINK_S = 0.5
CUSTOMERS_LIMIT = 300
REMEMBERED_CUSTOMERS = 500
RETURNING_SHARE = 0.4
REPORT_S = 10.0
_FIRST_GUESS_OF_REQUESTS = 6.0
_log = journal.get_logger()


async def generate(settings: Settings, *, rate: float, day_s: float, for_s: float | None = None) -> int:
    """Shop until SIGINT, SIGTERM or the time is over; return the exit code.

    Args:
        settings: Where the gateway is.
        rate: Requests per second, as the mean over a day.
        day_s: Seconds that a day takes; at its begin it is the hour that the clock shows.
        for_s: Stop after so many seconds.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would repeat every request
    journal.configure(service="traffic", level=settings.log_level, format="json")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if for_s is not None:
        loop.call_later(for_s, stopping.set)
    limits = httpx.Limits(max_connections=CUSTOMERS_LIMIT, max_keepalive_connections=50)
    async with httpx.AsyncClient(
        base_url=settings.url("gateway"),
        timeout=10.0,
        limits=limits,
        trust_env=False,
        verify=False,  # noqa: S501 -- plain HTTP: no TLS context
    ) as client:
        await _Crowd(client, random.Random(), rate=rate, day_s=day_s).arrive_until(stopping)
    return 0


class _Crowd:
    def __init__(self, client: httpx.AsyncClient, rng: random.Random, *, rate: float, day_s: float) -> None:
        self._client = client
        self._rng = rng
        self._rate = rate
        self._day_s = day_s
        self._tally = Tally()
        self._known: deque[Customer] = deque(maxlen=REMEMBERED_CUSTOMERS)
        self._requests_per_visit = _FIRST_GUESS_OF_REQUESTS
        self._visits: set[asyncio.Task[None]] = set()

    async def arrive_until(self, stopping: asyncio.Event) -> None:
        """Let customers come; report what they saw every ten seconds."""
        local = time.localtime()
        day_began = time.monotonic() - self._day_s * (local.tm_hour + local.tm_min / 60) / 24
        reported = time.monotonic()
        while not stopping.is_set():
            arrivals_per_s = self._rate * level((time.monotonic() - day_began) / self._day_s) / self._requests_per_visit
            pause_s = min(self._rng.expovariate(arrivals_per_s), REPORT_S)
            try:
                await asyncio.wait_for(stopping.wait(), pause_s)
            except TimeoutError:
                self._admit_one()
            if time.monotonic() - reported > REPORT_S:
                _log.info("traffic", customers=len(self._visits), **self._tally.summary())
                reported = time.monotonic()
        for task in self._visits:
            task.cancel()

    def _admit_one(self) -> None:
        if len(self._visits) >= CUSTOMERS_LIMIT:
            return
        is_returning = self._known and self._rng.random() < RETURNING_SHARE
        customer = self._rng.choice(self._known) if is_returning else self._new_customer()
        task = asyncio.create_task(self._visit(customer))
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)

    def _new_customer(self) -> Customer:
        customer = Customer(self._client, self._tally, self._rng, THINK_S)
        self._known.append(customer)
        return customer

    async def _visit(self, customer: Customer) -> None:
        before = customer.requests
        try:
            await visit(customer)
        except GaveUp as error:
            _log.info("customer_gave_up", step=str(error))
        self._requests_per_visit += 0.05 * (customer.requests - before - self._requests_per_visit)
