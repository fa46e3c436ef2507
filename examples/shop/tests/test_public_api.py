"""The public API against its own OpenAPI file: whatever is asked, the answer is one that was promised."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from shop_harness import RunningShop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole-shop")]
KEPT = [status_code_conformance, content_type_conformance, response_schema_conformance]
EFFORT = settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None
)


def test_every_answer_is_one_that_was_promised(shop: RunningShop) -> None:
    token = httpx.post(f"{shop.url('gateway')}/api/sessions").json()["token"]
    schema = schemathesis.openapi.from_url(f"{shop.url('gateway')}/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @EFFORT
        @given(case=operation.as_strategy())
        def ask(case) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=KEPT)

        ask()
        tried += 1
    assert tried == 10
