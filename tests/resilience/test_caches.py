"""Caches: what is fresh, stale, gone, bounded, counted; and what becomes of errors."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience import Registry, cache, degradations
from holdfast.resilience.cached_values import CachedValue, ValueTable
from holdfast.resilience.testing import FakeClock


class Source:
    """Answers with how often it was asked; or fails with the next of `errors`."""

    def __init__(self, *errors: Exception) -> None:
        self.asked = 0
        self.errors = list(errors)

    async def fetch(self, sku: str = "A") -> str:
        return self.fetch_sync(sku)

    def fetch_sync(self, sku: str = "A") -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return f"{sku} {self.asked}"


def make(fake_clock, **how):
    return cache(**{"ttl_s": 10, "jitter": 0, "clock": fake_clock, "name": "prices"} | how)


async def test_the_same_question_is_asked_once_while_the_answer_is_fresh(fake_clock):
    source = Source()
    look = make(fake_clock)(source.fetch)
    assert [await look("A"), await look("A"), await look("B"), await look(sku="A")] == ["A 1", "A 1", "B 2", "A 3"]
    await fake_clock.advance(10)
    assert await look("A") == "A 4"


def test_plain_functions_are_kept_too(fake_clock):
    source = Source()
    look = make(fake_clock)(source.fetch_sync)
    assert [look("A"), look("A")] == ["A 1", "A 1"]
    fake_clock.sleep_sync(10)
    assert look("A") == "A 2"


async def test_none_and_false_are_answers(fake_clock):
    asked = []

    @make(fake_clock)
    async def look(answer):
        asked.append(answer)
        return answer

    for answer in (None, False, 0, ""):
        assert [await look(answer), await look(answer)] == [answer, answer]
    assert len(asked) <= 4


async def test_a_stale_answer_is_given_at_once_and_refreshed_behind(fake_clock):
    source = Source()
    look = make(fake_clock, stale_s=60)(source.fetch)
    await look()
    await fake_clock.advance(11)
    assert [await look(), await look()] == ["A 1", "A 1"]
    await fake_clock.advance(0)
    assert await look() == "A 2"
    assert source.asked == 2


async def test_a_refresh_that_fails_leaves_the_stale_answer(fake_clock):
    source, heard = Source(), []
    prices = make(fake_clock, stale_s=60)
    prices.add_listener(heard.append)
    look = prices(source.fetch)
    await look()
    source.errors = [ConnectionError()]
    await fake_clock.advance(11)
    assert await look() == "A 1"
    await fake_clock.advance(0)
    assert "refresh_failed" in [event.what for event in heard]
    assert await look() == "A 1"
    await fake_clock.advance(0)
    assert await look() == "A 3"


def test_in_a_thread_who_finds_it_stale_first_refreshes_it(fake_clock):
    source = Source()
    look = make(fake_clock, stale_s=60)(source.fetch_sync)
    look()
    fake_clock.sleep_sync(11)
    assert look() == "A 2"
    source.errors = [ConnectionError()]
    fake_clock.sleep_sync(11)
    assert look() == "A 2"


async def test_a_stale_answer_bridges_an_error_and_says_so(fake_clock):
    source = Source()
    look = make(fake_clock, stale_if_error_s=60)(source.fetch)
    await look()
    await fake_clock.advance(30)
    source.errors = [ConnectionError("down"), ConnectionError("down")]
    with degradations() as found:
        assert await look() == "A 1"
    assert (found[0].policy, found[0].reason, found[0].age_s) == ("prices", "ConnectionError: down", 30)
    await fake_clock.advance(60)
    with pytest.raises(ConnectionError):
        await look()


async def test_errors_are_not_kept_unless_they_are_answers(fake_clock):
    source = Source(KeyError("A"), ConnectionError("down"), KeyError("A"))
    look = make(fake_clock, negative_on=(KeyError,), negative_ttl_s=5)(source.fetch)
    for _ in range(3):
        with pytest.raises(KeyError):
            await look()
    assert source.asked == 1
    await fake_clock.advance(5)
    with pytest.raises(ConnectionError):
        await look()
    with pytest.raises(KeyError):
        await look()
    assert source.asked == 3


async def test_a_kept_error_does_not_grow_its_traceback(fake_clock):
    look = make(fake_clock, negative_on=(KeyError,))(Source(KeyError("A")).fetch)
    lengths = []
    for _ in range(5):
        with pytest.raises(KeyError) as caught:
            await look()
        lengths.append(len(caught.traceback))
    assert len(set(lengths[1:])) == 1


async def test_answers_not_worth_keeping_are_not_kept(fake_clock):
    look = make(fake_clock, keep_if=lambda answer: answer != "A 1")(Source().fetch)
    assert [await look(), await look(), await look()] == ["A 1", "A 2", "A 2"]


async def test_what_is_invalidated_is_fetched_anew_and_a_fetch_under_way_is_not_kept(fake_clock):
    prices, read = make(fake_clock, key=lambda sku: sku), []

    @prices
    async def look(sku):
        answer = len(read)
        read.append(sku)
        await fake_clock.sleep(1)
        return answer

    old = asyncio.ensure_future(look("A"))
    await fake_clock.advance(0.5)
    prices.invalidate("A")
    new = asyncio.ensure_future(look("A"))
    await fake_clock.advance(1)
    assert (await old, await new, await look("A")) == (0, 1, 1)


async def test_one_call_some_keys_or_all_can_be_invalidated(fake_clock):
    prices, source = make(fake_clock), Source()
    look = prices(source.fetch)
    for sku in "ABC":
        await look(sku)
    prices.invalidate(prices.key_of(look, "A"))
    assert len(prices) == 2
    assert prices.invalidate_where(lambda key: key[1] == ("B",)) == 1
    prices.clear()
    assert len(prices) == 0
    assert await look("C") == "C 4"


def test_the_answers_used_longest_ago_go_first(fake_clock):
    prices = make(fake_clock, max_entries=3)
    look = prices(Source().fetch_sync)
    for sku in "ABCADA":
        look(sku)
    assert look("A") == "A 1"
    assert look("B") == "B 5"
    assert prices.statistics.evicted == 2
    assert len(prices) == 3


def test_answers_are_bounded_by_weight_and_one_too_heavy_is_not_kept(fake_clock):
    prices = make(fake_clock, max_weight=10, weigh=len, key=str)
    look = prices(lambda size: "x" * size)
    for size in (4, 5, 6, 11):
        look(size)
    assert [prices._table.get(str(size), 0.0) is not None for size in (4, 5, 6, 11)] == [False, False, True, False]
    assert prices._table.weight == 6


@given(
    sizes=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12)), max_size=60),
    most_weight=st.integers(1, 30),
    most_entries=st.integers(1, 6),
)
def test_a_table_never_holds_more_than_its_bounds(sizes, most_weight, most_entries):
    table = ValueTable(max_entries=most_entries, max_weight=most_weight, weigh=float)
    for key, weight in sizes:
        table.put(key, CachedValue(weight, None, 1.0, 1.0))
        held = [found.value for key in range(9) if (found := table.get(key, 0.0)) is not None]
        assert len(held) <= most_entries
        assert table.weight == sum(held) <= most_weight


def test_times_to_live_are_spread_by_jitter():
    clock = FakeClock()
    prices = cache(ttl_s=100, jitter=0.5, clock=clock, max_entries=500)
    for key in range(500):
        prices.put(key, key)
    clock.sleep_sync(75)
    left = sum(prices._table.get(key, clock.monotonic()) is not None for key in range(500))
    assert 100 < left < 400


async def test_a_hand_that_puts_needs_no_fetch(fake_clock):
    prices = make(fake_clock)
    prices.put("A", 12)
    await prices.put_async("B", 13)
    assert await prices.get_or_fetch("A", Source().fetch) == 12
    assert prices.get_or_fetch_sync("B", Source().fetch_sync) == 13


async def test_it_counts_what_became_of_the_questions(fake_clock):
    prices = make(fake_clock)
    look = prices(Source(KeyError()).fetch)
    with pytest.raises(KeyError):
        await look()
    await asyncio.gather(*(look() for _ in range(4)))
    await look()
    counts = prices.statistics
    assert (counts.hits, counts.misses, counts.failures, counts.waited, counts.entries) == (4, 2, 1, 0, 1)


async def test_unhashable_arguments_are_refused_by_python_until_a_key_is_given(fake_clock):
    with pytest.raises(TypeError, match="unhashable"):
        await make(fake_clock)(Source().fetch)(["A"])
    assert await make(fake_clock, key=tuple)(Source().fetch)(["A"]) == "['A'] 1"


async def test_processes_share_answers_through_a_store(cache_store, fake_clock):
    here, there = (make(fake_clock, key=lambda sku: sku, store=cache_store, stale_if_error_s=50) for _ in range(2))
    source = Source()
    look_here, look_there = here(source.fetch), there(source.fetch)
    assert [await look_here("A"), await look_there("A")] == ["A 1", "A 1"]
    await there.invalidate_async("A")
    assert await look_here("A") == "A 2"
    await fake_clock.advance(20)
    source.errors = [ConnectionError()]
    assert await look_there("A") == "A 2"
    await here.clear_async()
    assert await look_there("A") == "A 4"


def test_plain_functions_share_through_a_store_too(cache_store, fake_clock):
    prices = make(fake_clock, key=lambda sku: sku, store=cache_store)
    look = prices(Source().fetch_sync)
    assert [look("A"), look("A")] == ["A 1", "A 1"]
    prices.invalidate("A")
    assert look("A") == "A 2"


async def test_without_its_store_it_fetches_each_time(fake_clock):
    class Away:
        def __getattr__(self, verb):
            raise ConnectionError("no store")

    prices, heard = make(fake_clock, key=lambda sku: sku, store=Away()), []
    prices.add_listener(heard.append)
    look = prices(Source().fetch)
    assert [await look("A"), await look("A")] == ["A 1", "A 2"]
    assert {event.what for event in heard} == {"store_failed", "fetched"}
    with pytest.raises(ConnectionError):
        prices.invalidate("A")


@pytest.mark.parametrize(
    "numbers",
    [
        {"ttl_s": 0},
        {"stale_s": -1},
        {"negative_ttl_s": 0},
        {"jitter": 1},
        {"max_entries": 0},
        {"max_weight": 1},
        {"store": object()},
        {"store": object(), "key": str, "name": "x", "negative_on": (KeyError,)},
    ],
)
def test_numbers_that_mean_nothing_are_refused(numbers):
    with pytest.raises(ValueError):
        cache(**{"ttl_s": 1} | numbers)


def test_settings_make_one_too():
    registry = Registry()
    registry.configure({"prices": {"cache": 60}, "stock": {"cache": {"ttl_s": 5, "negative_on": ["KeyError"]}}})
    look = registry.get("prices")(Source().fetch_sync)
    assert [look("A"), look("A")] == ["A 1", "A 1"]
    look = registry.get("stock")(Source(KeyError()).fetch_sync)
    for _ in range(2):
        with pytest.raises(KeyError):
            look("A")
