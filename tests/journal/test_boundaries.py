"""Ids travel: over HTTP, gRPC and messages, into threads, pools and processes; what strangers send does no harm."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceState, use_span

from holdfast import journal

log = journal.get_logger("edge")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def fields_now(_=None):
    return dict(journal.bound_fields())


def test_what_is_injected_is_what_is_extracted():
    with journal.bind(correlation_id="c1", request_id="r1", trace_id=TRACE, span_id=SPAN, user_id="ü 7", secret="x"):
        headers = journal.inject()
    assert headers["traceparent"] == f"00-{TRACE}-{SPAN}-01"
    assert journal.extract(headers) == {
        "correlation_id": "c1",
        "request_id": "r1",
        "trace_id": TRACE,
        "span_id": SPAN,
        "user_id": "ü 7",
    }


def test_headers_that_stand_already_stay():
    with journal.bind(correlation_id="c1"):
        assert journal.inject({"x-correlation-id": "mine"}) == {"x-correlation-id": "mine"}


@pytest.mark.parametrize(
    "carrier",
    [
        {"TraceParent": f"00-{TRACE}-{SPAN}-01", "X-Request-Id": "r1"},
        [(b"traceparent", f"00-{TRACE}-{SPAN}-00".encode()), (b"x-request-id", b"r1")],
        {"TRACEPARENT": f"00-{TRACE}-{SPAN}-01", "X_REQUEST_ID": "r1"},
        {"traceparent": [f"00-{TRACE}-{SPAN}-01"], "x-request-id": ["r1"]},
        {"traceparent": f"01-{TRACE}-{SPAN}-01-future", "x-request-id": "r1"},
    ],
)
def test_headers_come_in_any_form(carrier):
    found = journal.extract(carrier)
    assert found == {"correlation_id": "r1", "request_id": "r1", "trace_id": TRACE, "span_id": SPAN}


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{SPAN}-01-more"},
        {"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"},
        {"x-request-id": "a\nb", "x-correlation-id": "x" * 200},
        {"baggage": "user_id=" + "x" * 9000},
        {"baggage": ",,=;user_id"},
    ],
)
def test_malformed_headers_count_as_absent(headers):
    found = journal.extract(headers)
    assert set(found) == {"correlation_id"}
    assert len(found["correlation_id"]) == 32


def test_only_chosen_baggage_becomes_a_field():
    headers = {"baggage": "user_id=7;meta=1, service=evil, plan=gold%20plus"}
    assert journal.extract(headers)["user_id"] == "7"
    assert "service" not in journal.extract(headers)
    assert journal.extract(headers, baggage=["plan"])["plan"] == "gold plus"


def test_grpc_metadata_and_messages_take_up_the_work(lines):
    with journal.bind(correlation_id="c1"):
        metadata = journal.grpc_metadata([("authorization", "x")])
    with journal.continue_from(metadata):
        log.info("served")
    assert lines.last["correlation_id"] == "c1"
    assert ("authorization", "x") in metadata


def test_lines_carry_the_ids_of_the_current_span(lines):
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    with journal.bind(trace_id="outer"), tracer.start_as_current_span("work") as span:
        log.info("inside")
        headers = journal.inject()
    log.info("outside")
    context = span.get_span_context()
    assert lines.events[0]["trace_id"] == f"{context.trace_id:032x}"
    assert lines.events[0]["span_id"] == f"{context.span_id:016x}"
    assert f"{context.span_id:016x}" in headers["traceparent"]
    assert "trace_id" not in lines.events[1]


def test_threads_and_pools_get_what_is_bound():
    found = []
    with journal.bind(order_id=7):
        thread = threading.Thread(target=journal.carry(lambda: found.append(fields_now())))
        with journal.ContextExecutor(ThreadPoolExecutor(2)) as pool:
            assert pool.submit(fields_now).result() == {"order_id": 7}
            assert list(pool.map(fields_now, range(3))) == [{"order_id": 7}] * 3
    thread.start()
    thread.join(timeout=30)
    assert found == [{"order_id": 7}]


@pytest.mark.slow
def test_processes_get_what_is_bound():
    spawn = get_context("spawn")
    with (
        journal.bind(correlation_id="c7", odd={1}, lock=threading.Lock()),
        journal.ContextExecutor(ProcessPoolExecutor(1, mp_context=spawn)) as pool,
    ):
        assert pool.submit(journal.correlation_id).result() == "c7"
        with journal.bind(correlation_id="c8"):
            assert pool.submit(journal.correlation_id).result() == "c8"
    with journal.bind(correlation_id="c9"):
        initializer = journal.process_initializer()
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=initializer) as plain:
        assert plain.submit(journal.correlation_id).result() == "c9"


def test_a_child_process_takes_up_the_work_from_its_environment():
    with journal.bind(correlation_id="c1", trace_id=TRACE, span_id=SPAN):
        environ = journal.inject_environ(os.environ)
    script = (
        "import os, json; from holdfast import journal\n"
        "with journal.continue_from(os.environ): print(json.dumps(dict(journal.bound_fields())))"
    )
    told = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == {"correlation_id": "c1", "trace_id": TRACE, "span_id": SPAN}


async def _ask(app, path="/", headers=None):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False)) as client:
        return await client.get(f"http://shop{path}", headers=headers)


async def answer(scope, _receive, send):
    log.debug("looked", path=scope["path"])
    if scope["path"] == "/broken":
        raise RuntimeError("no")
    status = 503 if scope["path"] == "/away" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def test_an_asgi_request_has_its_ids_and_one_line(lines):
    told = await _ask(
        journal.AsgiContext(answer), headers={"X-Request-ID": "r1", "traceparent": f"00-{TRACE}-{SPAN}-01"}
    )
    assert told.headers["x-request-id"] == "r1"
    ours = [event for event in lines.events if event["logger"] != "httpx"]
    assert [event["event"] for event in ours] == ["request_served"]
    assert (ours[0]["request_id"], ours[0]["trace_id"], ours[0]["status"]) == ("r1", TRACE, 200)
    assert ours[0]["duration_ms"] >= 0


@pytest.mark.parametrize(("path", "is_kept"), [("/", False), ("/away", True), ("/broken", True)])
async def test_every_line_of_a_failed_asgi_request_is_kept(lines, path, is_kept):
    await _ask(journal.AsgiContext(answer, keeps_on_error=True), path)
    assert ("looked" in [event["event"] for event in lines.events]) is is_kept


def test_a_wsgi_request_has_its_ids_in_its_body_too(lines):
    def app(_environ, start_response):
        start_response("200 OK", [])
        log.info("begun")
        yield b"a"
        log.info("streamed")
        yield b"b"

    with httpx.Client(transport=httpx.WSGITransport(journal.WsgiContext(app))) as client:
        told = client.get("http://shop/x", headers={"x-correlation-id": "c1"})
    assert told.text == "ab"
    assert told.headers["x-correlation-id"] == "c1"
    ours = [event for event in lines.events if event["logger"] != "httpx"]
    assert [event["event"] for event in ours] == ["begun", "streamed", "request_served"]
    assert {event["correlation_id"] for event in ours} == {"c1"}
    assert not journal.correlation_id()


async def test_httpx_sends_the_ids_on():
    seen = []

    def handle(request):
        seen.append(request.headers["x-correlation-id"])
        return httpx.Response(200)

    transport = httpx.MockTransport(handle)
    with journal.bind(correlation_id="c1"):
        hooks = {"request": [journal.httpx_hook]}
        await asyncio.to_thread(lambda: httpx.Client(transport=transport, event_hooks=hooks).get("http://x"))
        async with httpx.AsyncClient(transport=transport, event_hooks=hooks) as client:
            await client.get("http://x")
    assert seen == ["c1", "c1"]


STATE = "congo=t61rcWkgMzE,rojo@sys=00f067aa0ba902b7"


@pytest.mark.parametrize(
    "carrier",
    [
        {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": STATE},
        {"TRACEPARENT": f"00-{TRACE}-{SPAN}-01", "TRACESTATE": STATE},
        [
            (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()),
            *((b"tracestate", part.encode()) for part in STATE.split(",")),
        ],
        {"traceparent": [f"00-{TRACE}-{SPAN}-01"], "tracestate": STATE.split(",")},
    ],
)
def test_what_vendors_noted_on_a_trace_travels_with_it(carrier, lines):
    with journal.continue_from(carrier):
        log.info("in")
        assert journal.inject()["tracestate"] == STATE
        assert ("tracestate", STATE) in journal.grpc_metadata()
        assert journal.inject_environ({})["TRACESTATE"] == STATE
        with journal.bind(order_id=7):
            assert journal.inject()["tracestate"] == STATE
        with journal.bind(trace_id="1" * 32, span_id=SPAN):
            assert "tracestate" not in journal.inject()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(journal.carry(journal.inject)).result()["tracestate"] == STATE
    assert "tracestate" not in journal.inject()
    assert "tracestate" not in lines.events[0]
    assert lines.events[0]["trace_id"] == TRACE


@pytest.mark.parametrize(
    "state", ["", "a", "A=1", "a=1,a=2", "a=\n", "=", ",".join(f"a{n}=1" for n in range(33)), "a=1" * 2000]
)
def test_a_malformed_state_counts_as_not_there(state):
    assert "tracestate" not in journal.extract({"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": state})
    assert "tracestate" not in journal.extract({"tracestate": STATE})


def test_a_long_state_loses_its_last_members():
    state = ",".join(f"k{n}={'x' * 100}" for n in range(9))
    found = journal.extract({"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": state})["tracestate"]
    assert state.startswith(found + ",")
    assert 400 < len(found) <= 512


def test_the_state_of_a_span_goes_first():
    span = SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=True, trace_state=TraceState([("otel", "7")]))
    with use_span(NonRecordingSpan(span)), journal.bind(trace_id=TRACE, tracestate=STATE):
        assert journal.inject()["tracestate"] == "otel=7"
