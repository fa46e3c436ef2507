"""WSGI: the same metrics as ASGI's, measured until the server has closed the body."""

from __future__ import annotations

import threading
import wsgiref.simple_server

import httpx
import pytest
from opentelemetry import trace
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from holdfast import journal
from holdfast.instrument import WsgiMiddleware

RULES = Map(
    [Rule("/orders/<order_id>", endpoint="order"), Rule("/fail", endpoint="fail"), Rule("/slow", endpoint="slow")]
)


class FrameworkRequest(Request):
    url_rule = None


def application(environ, start_response):
    """What Flask does with Werkzeug, without Flask."""
    request = FrameworkRequest(environ)
    try:
        request.url_rule, arguments = RULES.bind_to_environ(environ).match(return_rule=True)
    except HTTPException as refused:
        return refused(environ, start_response)
    if request.url_rule.endpoint == "fail":
        raise RuntimeError("no")
    if request.url_rule.endpoint == "slow":
        response = Response(pieces(), content_type="text/plain")
    else:
        response = Response(f"{arguments['order_id']} {journal.correlation_id()} {len(request.get_data())}")
    answer = response(environ, start_response)
    environ["werkzeug.request"] = None  # as Flask does when its context ends, before the server reads the body
    return answer


def pieces():
    yield "a" * 10
    yield journal.correlation_id()


class QuietHandler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(registry):
    app = WsgiMiddleware(application, service="shop", registry=registry, skip=["/livez"])
    with wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(timeout=30)


def wait_for_counts(server):
    """Wait until all requests are counted: the server takes one after the other, and counts one behind its answer."""
    httpx.get(f"{server}/livez")


def test_requests_are_counted_under_the_rule_that_matched(server, figures):
    for number in range(3):
        httpx.post(f"{server}/orders/{number}", content=b"12345")
    wait_for_counts(server)
    labels = {"service": "shop", "method": "POST", "route": "/orders/<order_id>"}
    assert figures("http_server_requests_total", **labels, status="200") == 3
    assert figures("http_server_request_duration_seconds_count", **labels) == 3
    assert figures("http_server_request_body_size_bytes_sum", **labels) == 15
    assert figures("http_server_active_requests", service="shop") == 0


def test_paths_that_no_rule_knows_share_one_series(server, figures):
    for number in range(5):
        httpx.get(f"{server}/wp-admin/{number}")
    wait_for_counts(server)
    assert figures("http_server_requests_total", route="unmatched", status="404") == 5


def test_the_correlation_id_is_bound_while_the_body_is_made_and_goes_out(server, figures):
    answer = httpx.get(f"{server}/slow", headers={"X-Correlation-ID": "req-7"})
    assert answer.headers["x-correlation-id"] == "req-7"
    assert answer.text == "a" * 10 + "req-7"
    wait_for_counts(server)
    assert figures("http_server_response_body_size_bytes_sum", route="/slow") == 15


def test_an_app_that_raises_is_counted_and_raises(registry, figures, kept_spans):
    app = WsgiMiddleware(application, service="shop", registry=registry)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/fail",
        "SERVER_NAME": "shop",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    with pytest.raises(RuntimeError):
        app(environ, lambda *_: None)
    assert figures("http_server_requests_total", route="/fail", status="500") == 1
    assert figures("http_server_exceptions_total", route="/fail", exception="RuntimeError") == 1
    (span,) = kept_spans.get_finished_spans()
    assert span.name == "GET /fail"
    assert not span.status.is_ok


class NotesSpans(trace.NoOpTracer):
    def __init__(self):
        self.begun = []

    def start_span(self, name, *args, **kwargs):
        self.begun.append(name)
        return super().start_span(name, *args, **kwargs)


def test_without_an_sdk_only_a_request_that_brings_a_trace_has_a_span(registry, figures, monkeypatch):
    tracer = NotesSpans()
    monkeypatch.setattr(trace, "get_tracer", lambda *_: tracer)
    watched = WsgiMiddleware(application, service="shop", registry=registry)
    with httpx.Client(transport=httpx.WSGITransport(watched), base_url="http://shop") as client:
        client.get("/livez")
        assert tracer.begun == []
        client.get("/livez", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert tracer.begun == ["GET"]
    assert figures("http_server_requests_total") == 2


def test_an_app_may_say_its_route_itself(registry, figures):
    def app(environ, start_response):
        environ["holdfast.route"] = "/django/<int:pk>"
        start_response("204 No Content", [])
        return []

    watched = WsgiMiddleware(app, service="shop", registry=registry)
    body = watched({"REQUEST_METHOD": "GET", "PATH_INFO": "/django/3"}, lambda *_: None)
    assert list(body) == []
    body.close()
    assert figures("http_server_requests_total", route="/django/<int:pk>", status="204") == 1


def test_a_search_for_the_route_that_fails_does_not_fail_the_request(registry, figures):
    def app(_environ, start_response):
        start_response("204 No Content", [])
        return []

    watched = WsgiMiddleware(app, service="shop", registry=registry, find_route=lambda environ: environ["route"])
    body = watched({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    body.close()
    assert figures("http_server_requests_total", route="unmatched", status="204") == 1


def test_skipped_paths_are_not_counted(server, figures):
    httpx.get(f"{server}/livez")
    assert figures("http_server_requests_total") is None
