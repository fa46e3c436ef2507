"""Payments: once per key, honest about what is not known, honest about its provider."""

import asyncio
import random
from decimal import Decimal

import pytest
from shop_harness import running

from shop.chassis import FaultPlan, Faults, Problem
from shop.payments import build
from shop.payments import processor as processor_module
from shop.payments.processor import Processor
from shop.payments.provider import Provider, Temper
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, Settings

GOOD = Temper(median_latency_s=0.0001, declines=0.0, errors=0.0)
CHARGE = {"order_id": "ord_1", "amount": "19.90", "currency": "EUR", "card_token": "tok_good"}


def payments(settings: Settings, temper: Temper = GOOD):
    return build(settings, temper, random.Random(7))


async def break_it(client, settings: Settings, **plan) -> None:
    headers = {ADMIN_TOKEN_HEADER: (settings.data / ADMIN_TOKEN_FILE).read_text()}
    (await client.put("/admin/fault", json=plan, headers=headers)).raise_for_status()


async def test_a_key_charges_once(any_settings: Settings) -> None:
    async with running(payments(any_settings)) as client:
        headers = {"Idempotency-Key": "key-00001"}
        first = await client.post("/charges", json=CHARGE, headers=headers)
        again = await client.post("/charges", json=CHARGE, headers=headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["status"] == "approved"
        assert (await client.get(f"/charges/{first.json()['id']}")).json() == first.json()


async def test_many_at_once_with_one_key_make_one_charge(any_settings: Settings) -> None:
    async with running(payments(any_settings)) as client:
        headers = {"Idempotency-Key": "key-00001"}
        answers = await asyncio.gather(*(client.post("/charges", json=CHARGE, headers=headers) for _ in range(10)))
        assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_key_stands_for_one_charge_only(any_settings: Settings) -> None:
    async with running(payments(any_settings)) as client:
        headers = {"Idempotency-Key": "key-00001"}
        await client.post("/charges", json=CHARGE, headers=headers)
        other = await client.post("/charges", json=CHARGE | {"amount": "20.00"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_declined_card_stays_declined(settings: Settings) -> None:
    async with running(payments(settings)) as client:
        charge = CHARGE | {"card_token": "tok_declined"}
        for _ in range(2):
            answer = await client.post("/charges", json=charge, headers={"Idempotency-Key": "key-00001"})
            assert answer.json()["status"] == "declined"


@pytest.mark.parametrize("change", [{"amount": "0"}, {"amount": "1.005"}, {"currency": "USD"}, {"card_token": "4111"}])
async def test_a_charge_that_makes_no_sense_is_refused(settings: Settings, change) -> None:
    async with running(payments(settings)) as client:
        answer = await client.post("/charges", json=CHARGE | change, headers={"Idempotency-Key": "key-00001"})
        assert answer.status_code == 422


async def test_a_charge_that_failed_at_the_provider_succeeds_with_the_same_key_later(settings: Settings) -> None:
    async with running(payments(settings)) as client:
        headers = {"Idempotency-Key": "key-00001"}
        await break_it(client, settings, errors=1)
        failed = await client.post("/charges", json=CHARGE, headers=headers)
        assert (failed.status_code, failed.json()["code"]) == (502, "provider-failed")
        await break_it(client, settings, latency_s=0.001)
        assert (await client.post("/charges", json=CHARGE, headers=headers)).json()["status"] == "approved"


async def test_after_a_timeout_a_failure_does_not_mean_that_nothing_was_charged(
    any_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor_module, "DEADLINE_S", 0.05)
    async with running(payments(any_settings)) as client:
        headers = {"Idempotency-Key": "key-00001"}
        await break_it(client, any_settings, latency_s=1)
        assert (await client.post("/charges", json=CHARGE, headers=headers)).json()["code"] == "provider-timeout"
        await break_it(client, any_settings, errors=1)
        assert (await client.post("/charges", json=CHARGE, headers=headers)).json()["code"] == "charge-in-doubt"
        await break_it(client, any_settings, latency_s=0.001)
        assert (await client.post("/charges", json=CHARGE, headers=headers)).json()["status"] == "approved"


async def test_readiness_tells_of_the_provider_within_one_probe(settings: Settings) -> None:
    async with running(payments(settings)) as client:
        assert (await client.get("/readyz")).json()["status"] == "ok"
    async with running(payments(settings)) as client:
        await break_it(client, settings, latency_s=0.4)
        ready = (await client.get("/readyz")).json()
        assert ready["status"] == "degraded"
        assert "answers in" in ready["checks"]["provider"]["detail"]
    async with running(payments(settings)) as client:
        await break_it(client, settings, dead_dependency="provider")
        failing = await client.get("/readyz")
        assert failing.status_code == 503
        assert "refuses connections" in failing.json()["checks"]["provider"]["detail"]
        assert (await client.get("/livez")).status_code == 200


async def test_the_canary_notices_errors_when_nobody_buys() -> None:
    faults = Faults()
    processor = Processor(Provider(faults, GOOD, random.Random(7)))
    await faults.apply(FaultPlan(errors=0.5))
    for _ in range(20):
        await processor.canary()
    await faults.heal()
    with pytest.raises(Exception, match="of 20 provider calls failed"):
        await processor.probe()


async def test_a_provider_that_takes_too_long_is_an_open_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor_module, "DEADLINE_S", 0.02)
    faults = Faults()
    processor = Processor(Provider(faults, GOOD, random.Random(7)))
    await faults.apply(FaultPlan(latency_s=1))
    with pytest.raises(Problem) as unknown:
        await processor.charge("key", Decimal(1), "tok_1")
    assert (unknown.value.status, unknown.value.code) == (504, "provider-timeout")
    await faults.heal()


async def test_a_provider_that_fails_on_and_on_is_left_alone() -> None:
    faults = Faults()
    processor = Processor(Provider(faults, GOOD, random.Random(7)))
    await faults.apply(FaultPlan(errors=1))
    codes = []
    for _ in range(6):
        with pytest.raises(Problem) as failed:
            await processor.charge("key", Decimal(1), "tok_1")
        codes.append(failed.value.code)
    assert codes == ["provider-failed"] * 5 + ["provider-refused"]
    await faults.heal()
