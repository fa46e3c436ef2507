"""Before anybody asks the app has asked itself, which neither fails nor hides."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from holdfast import web
from holdfast.kernel.errors import UnavailableError
from holdfast.kernel.wiring import Readiness, Wiring
from holdfast.web.rehearsal import TIMES

ANSWERED = {"service": "holdfast", "method": "GET", "route": "/readyz"}


async def test_the_app_asks_itself_and_counts_it(build_front):
    registry = CollectorRegistry()
    await web.rehearse(build_front(registry=registry))
    assert registry.get_sample_value("http_server_requests_total", {**ANSWERED, "status": "200"}) == TIMES


async def test_an_app_that_is_not_ready_or_has_other_names_is_rehearsed_all_the_same(build_front):
    async def refuse():
        raise UnavailableError("not yet")

    registry, wiring = CollectorRegistry(), Wiring("slow", readiness=(Readiness("loaded", refuse),))
    await web.rehearse(build_front(wiring=wiring, registry=registry))
    assert registry.get_sample_value("http_server_requests_total", {**ANSWERED, "status": "503"}) == TIMES
    await web.rehearse(build_front(hosts=frozenset({"status.example"})))
