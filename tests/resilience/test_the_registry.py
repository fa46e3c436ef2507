"""The registry: policies by name, made in code or by settings, and how wrong settings are told."""

from __future__ import annotations

import pytest

from holdfast.resilience import RECOMMENDED_ORDER, PolicySettingsError, Registry, UnknownPolicyError, retry, timeout
from holdfast.resilience.testing import fails


@pytest.fixture
def registry():
    return Registry()


def test_a_policy_is_found_again(registry):
    policy = registry.add("payments", retry())
    assert registry.get("payments") is policy
    assert "payments" in registry
    assert list(registry) == [("payments", policy)]


def test_a_name_is_given_once(registry):
    registry.add("payments", retry())
    with pytest.raises(ValueError, match="already"):
        registry.add("payments", timeout(1))


def test_a_name_that_nobody_knows_gets_a_suggestion(registry):
    registry.add("payments", retry())
    with pytest.raises(UnknownPolicyError, match="did you mean 'payments'"):
        registry.get("paymets")


def test_settings_join_patterns_in_the_recommended_order(registry):
    registry.configure(
        {
            "payments": {
                "timeout": 2,
                "retry": {"attempts": 4, "jitter": "equal", "on": ["ConnectionError", "json.JSONDecodeError"]},
                "breaker": {"failures": 5, "reset_s": 10},
                "bulkhead": {"limit": 8, "queue": 16},
                "fallback": {"value": None},
            }
        }
    )
    text = repr(registry.get("payments"))
    kinds = [part.partition("(")[0] for part in text.split(" | ")]
    assert kinds == ["Fallback", "Retry", "Breaker", "Bulkhead", "Timeout"]
    assert "attempts=4" in text


@pytest.mark.parametrize("kind", sorted(RECOMMENDED_ORDER))
def test_every_pattern_can_be_configured(registry, kind):
    needed = {
        "fallback": {"value": 0},
        "hedge": 0.1,
        "rate_limit": 10,
        "bulkhead": 3,
        "cache": 60,
        "shed": 3,
        "deadline": 1,
        "timeout": 1,
    }
    registry.configure({"any": {kind: needed.get(kind)}})
    assert registry.get("any").kind == kind


def test_errors_are_found_by_name_wherever_a_pattern_takes_them(registry):
    registry.configure({"pay": {"breaker": {"failures": 1, "ignore": ["LookupError"], "on": "Exception"}}})
    policy = registry.get("pay")
    with pytest.raises(KeyError):
        policy.call_sync(fails(KeyError, times=None))
    assert policy.call_sync(int) == 0


def test_a_list_is_joined_as_it_stands(registry):
    registry.configure({"report": [{"timeout": {"seconds": 9}}, {"retry": {}}, {"timeout": 2}]})
    assert repr(registry.get("report")) == "Timeout(seconds=9) | Retry(attempts=3) | Timeout(seconds=2)"


def test_what_is_made_works_and_bears_its_name(registry, fake_clock):
    registry.configure({"stock": {"retry": {"base_s": 0, "on": "LookupError"}}}, clock=fake_clock)
    policy = registry.get("stock")
    assert policy.name == "stock"
    assert policy.call_sync(fails(KeyError, times=2).then("up")) == "up"


def test_a_decorator_may_come_before_the_settings_and_follows_them(registry, fake_clock):
    script = fails(ConnectionError, times=3).then("up")

    @registry.named("stock")
    def fetch():
        return script()

    with pytest.raises(UnknownPolicyError):
        fetch()
    registry.configure({"stock": {"retry": {"attempts": 2, "base_s": 0}}}, clock=fake_clock)
    with pytest.raises(ConnectionError):
        fetch()
    registry.configure({"stock": {"retry": {"attempts": 3, "base_s": 0}}}, clock=fake_clock)
    assert fetch() == "up"


async def test_an_async_decorator_follows_the_settings_too(registry, fake_clock):
    registry.configure({"stock": {"retry": {"base_s": 0}}}, clock=fake_clock)
    script = fails(ConnectionError).then("up")
    assert await registry.named("stock").call(script.as_async) == "up"


def test_wrong_settings_change_nothing(registry):
    registry.configure({"stock": {"timeout": 1}})
    with pytest.raises(PolicySettingsError):
        registry.configure({"stock": {"timeout": 9}, "orders": {"timeout": 0}})
    assert repr(registry.get("stock")) == "Timeout(seconds=1)"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rety": {}}, "pay: 'rety' is not known; did you mean 'retry'"),
        ({"retry": {"atempts": 3}}, "pay.retry: 'atempts' is not known; did you mean 'attempts'"),
        ({"retry": {"attempts": "3"}}, "pay.retry.attempts: int is wanted, not '3'"),
        ({"retry": {"attempts": True}}, "int is wanted, not True"),
        ({"retry": {"attempts": 0}}, "pay.retry: attempts is 0"),
        ({"retry": {"base_s": float("nan")}}, "float is wanted"),
        ({"retry": {"jitter": "ful"}}, "'ful' is none of full, equal, decorrelated, none; did you mean 'full'"),
        ({"retry": {"on": ["ConectionError"]}}, "did you mean 'ConnectionError'"),
        ({"retry": {"on": ["no.such.Error"]}}, "the program has not imported no.such"),
        ({"retry": {"on": ["print"]}}, "no kind of error"),
        ({"retry": {"rng": 4}}, "'rng' is not known"),
        ({"retry": {"budget": {"token": 4}}}, "pay.retry.budget: 'token' is not known; did you mean 'tokens'"),
        ({"retry": {"budget": 4}}, "a table is wanted"),
        ({"timeout": {}}, "pay.timeout: seconds is missing"),
        ({"timeout": "2s"}, "pay.timeout.seconds: float is wanted, not '2s'"),
        ({"retry": 3}, "pay.retry: a table is wanted, not 3"),
        ({}, "nothing in it"),
        ([{"retry": {}, "timeout": 1}], r"pay\[0\]: one pattern"),
        ("retry", "a table of patterns or a list"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_way_out(registry, settings, told):
    with pytest.raises(PolicySettingsError, match=told):
        registry.configure({"pay": settings})
