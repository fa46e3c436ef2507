"""Fallbacks: what is answered instead, in which order, and who gets to know why."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.resilience import (
    DegradedTo,
    Feature,
    FeatureOff,
    degradations,
    fallback,
    retry,
)


class Shelf:
    """Answers while it is up."""

    is_up = True
    calls = 0

    def stock(self, sku: str) -> int:
        self.calls += 1
        if not self.is_up:
            raise ConnectionError("shelf is down")
        return len(sku)


@pytest.fixture
def shelf():
    return Shelf()


def test_a_value_is_answered_and_the_caller_learns_why(shelf):
    shelf.is_up = False
    with degradations() as found:
        assert fallback(name="stock", value=0).call_sync(shelf.stock, "A-1") == 0
    assert [(one.policy, one.to, one.reason) for one in found] == [
        ("stock", DegradedTo.VALUE, "ConnectionError: shelf is down")
    ]
    assert isinstance(found[0].error, ConnectionError)


def test_a_good_answer_is_not_degraded(shelf):
    with degradations() as found:
        assert fallback(value=0).call_sync(shelf.stock, "A-1") == 3
    assert found == []


def test_none_is_a_value_too(shelf):
    shelf.is_up = False
    assert fallback(value=None).call_sync(shelf.stock, "A-1") is None


def test_a_function_gets_the_arguments_of_the_call(shelf):
    shelf.is_up = False
    assert fallback(function=lambda sku: f"ask for {sku}").call_sync(shelf.stock, "A-1") == "ask for A-1"


async def test_an_async_function_is_awaited_and_a_plain_one_called():
    async def fetch(sku):
        raise TimeoutError

    async def elsewhere(sku):
        return sku.lower()

    assert await fallback(function=elsewhere).call(fetch, "A-1") == "a-1"
    assert await fallback(function=str.title).call(fetch, "abc") == "Abc"


def test_plain_code_cannot_fall_back_to_async_code(shelf):
    async def elsewhere(sku): ...

    with pytest.raises(TypeError, match="is async"):
        fallback(function=elsewhere)(shelf.stock)


def test_a_fallback_that_fails_shows_both_errors(shelf):
    shelf.is_up = False

    def elsewhere(sku):
        raise LookupError(sku)

    with pytest.raises(LookupError) as caught:
        fallback(function=elsewhere).call_sync(shelf.stock, "A-1")
    assert isinstance(caught.value.__context__, ConnectionError)


def test_the_last_good_answer_to_the_same_question_comes_first_while_it_is_young(shelf, fake_clock):
    stock = fallback(stale_s=60, value=-1, clock=fake_clock)(shelf.stock)
    assert stock("A-1") == 3
    shelf.is_up = False
    fake_clock.sleep_sync(60)
    with degradations() as found:
        assert stock("A-1") == 3
        assert stock("B-17") == -1
        fake_clock.sleep_sync(1)
        assert stock("A-1") == -1
    assert [(one.to, one.age_s) for one in found] == [("stale", 60), ("value", None), ("value", None)]


def test_the_error_comes_through_when_nothing_is_young_enough(shelf, fake_clock):
    shelf.is_up = False
    with pytest.raises(ConnectionError, match="shelf is down"):
        fallback(stale_s=60, clock=fake_clock).call_sync(shelf.stock, "A-1")


def test_kept_answers_are_bounded(shelf, fake_clock):
    stock = fallback(stale_s=60, max_keys=2, value=-1, clock=fake_clock)(shelf.stock)
    for sku in ("a", "bb", "ccc"):
        stock(sku)
    shelf.is_up = False
    assert [stock(sku) for sku in ("a", "bb", "ccc")] == [-1, 2, 3]


def test_questions_that_cannot_be_kept_say_what_to_do(fake_clock):
    with pytest.raises(TypeError, match=r"unhashable.*key="):
        fallback(stale_s=60, clock=fake_clock).call_sync(len, [])
    assert fallback(stale_s=60, key=tuple, clock=fake_clock).call_sync(len, []) == 0


def test_a_feature_that_is_off_is_not_called(shelf):
    feature = Feature("recommendations")
    advise = fallback(value=(), feature=feature)(shelf.stock)
    feature.turn_off("the model server moves")
    with degradations() as found:
        assert advise("A-1") == ()
    assert shelf.calls == 0
    assert found[0].reason == "recommendations is switched off: the model server moves"
    feature.turn_on()
    assert advise("A-1") == 3


def test_a_feature_that_is_off_with_nothing_to_answer_says_so(shelf, fake_clock):
    feature = Feature("recommendations")
    feature.turn_off("it hurts")
    with pytest.raises(FeatureOff, match="it hurts"):
        fallback(stale_s=5, feature=feature, clock=fake_clock).call_sync(shelf.stock, "A-1")


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        fallback(value=0).call_sync(lambda: 1 / 0)


async def test_tasks_started_inside_and_blocks_around_learn_of_it_too(fake_clock):
    async def fetch():
        raise ConnectionError

    with degradations() as outer:
        with degradations() as inner:
            await asyncio.gather(*(fallback(value=1).call(fetch) for _ in range(3)))
        await fallback(value=1).call(fetch)
    assert (len(inner), len(outer)) == (3, 4)


def test_outside_of_a_retry_it_answers_when_all_attempts_failed(shelf, fake_clock):
    shelf.is_up = False
    heard = []
    policy = fallback(name="stock", value=0) | retry(attempts=3, base_s=0, clock=fake_clock)
    policy.add_listener(heard.append)
    assert policy.call_sync(shelf.stock, "A-1") == 0
    assert shelf.calls == 3
    assert (heard[-1].kind, heard[-1].what, heard[-1].detail["to"]) == ("fallback", "degraded", "value")


@pytest.mark.parametrize("words", [{}, {"stale_s": -1, "value": 1}, {"value": 1, "max_keys": 0}])
def test_a_fallback_to_nothing_is_refused(words):
    with pytest.raises(ValueError):
        fallback(**words)
