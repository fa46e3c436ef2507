"""Lines reach a real server that is away, slow, overloaded and back; the program never waits; losses are counted."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from holdfast import journal
from holdfast.journal import Shipper
from holdfast.resilience import Backoff

QUICK = Backoff(base_s=0.02, cap_s=0.05)


class Server:
    """An OTLP server that answers as it is told; `script` holds (status, headers, body) for the next requests."""

    def __init__(self):
        self.requests, self.script, self.slowness_s = [], [], 0.0
        self.port = _free_port()
        self._http = None

    def start(self):
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
                time.sleep(told.slowness_s)
                status, headers, answer = told.script.pop(0) if told.script else (200, {}, b"")
                if status == 200:
                    told.requests.append((self.path, dict(self.headers.items()), body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def records(self):
        """Every record that was taken, as (service, logger, LogRecord)."""
        found = []
        for _, headers, body in list(self.requests):
            request = ExportLogsServiceRequest()
            if headers["content-type"] == "application/json":
                # OTLP writes trace and span ids in hexadecimal where protobuf's JSON has base64.
                read = json.loads(body)
                for record in (r for g in read["resourceLogs"] for s in g["scopeLogs"] for r in s["logRecords"]):
                    for name in {"traceId", "spanId"} & set(record):
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
                Parse(json.dumps(read), request)
            else:
                request.ParseFromString(body)
            for group in request.resource_logs:
                names = {pair.key: pair.value.string_value for pair in group.resource.attributes}
                for scope in group.scope_logs:
                    found += [(names.get("service.name", ""), scope.scope.name, record) for record in scope.log_records]
        return found

    @property
    def events(self):
        return [record.body.string_value for _, _, record in self.records]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(holds, seconds=15.0):
    ends_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_s, "it did not happen"
        threading.Event().wait(0.01)


@pytest.fixture
def server():
    told = Server()
    yield told
    told.stop()


@pytest.fixture
def shipper_to():
    made = []

    def make(url, **options):
        made.append(Shipper(url, **{"linger_s": 0.02, "backoff": QUICK, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close(0.5)


def line(event, **fields):
    return json.dumps({"timestamp": "2026-01-31T12:00:00.123456Z", "level": "info", "event": event, **fields})


@pytest.mark.parametrize("protocol", ["json", "protobuf"])
def test_a_line_arrives_as_a_record_of_otlp(server, shipper_to, protocol):
    server.start()
    shipper = shipper_to(
        server.url, protocol=protocol, resource={"deployment.environment.name": "prod"}, headers={"x-scope-orgid": "a"}
    )
    journal.configure(service="orders", stream=io.StringIO(), ship=[shipper])
    with journal.bind(trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331"):
        journal.get_logger("shop").error(
            "paid ü", n=-7, rate=0.5, ok=True, none=None, tags=["a", 1], more={"deep": [{}]}, empty="", huge=2**70
        )
    wait_until(lambda: server.requests)
    path, headers, _ = server.requests[0]
    ((service, logger, record),) = server.records
    assert (path, headers["x-scope-orgid"], service, logger) == ("/v1/logs", "a", "orders", "shop")
    assert (record.severity_number, record.severity_text, record.body.string_value) == (17, "ERROR", "paid ü")
    assert (record.trace_id.hex(), record.span_id.hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert abs(record.time_unix_nano / 1e9 - time.time()) < 60
    values = {pair.key: pair.value for pair in record.attributes}
    assert (values["n"].int_value, values["rate"].double_value, values["ok"].bool_value) == (-7, 0.5, True)
    assert [item.WhichOneof("value") for item in values["tags"].array_value.values] == ["string_value", "int_value"]
    assert values["more"].kvlist_value.values[0].key == "deep"
    assert values["none"].WhichOneof("value") is None
    assert values["empty"].WhichOneof("value") == "string_value"
    assert values["huge"].string_value == str(2**70)


@pytest.mark.parametrize("has_spool", [True, False])
def test_a_server_that_is_away_then_slow_then_back_gets_every_line(server, shipper_to, tmp_path, has_spool):
    shipper = shipper_to(server.url, spool=tmp_path if has_spool else None, batch_lines=50, queue_lines=2000)
    for number in range(500):
        shipper.write_line(line(f"e{number}"))
    wait_until(lambda: shipper.shipped.retries >= 2)
    assert "Refused" in shipper.shipped.last_error
    server.slowness_s = 0.1
    server.start()
    for number in range(500, 1000):
        shipper.write_line(line(f"e{number}"))
    wait_until(lambda: len(server.requests) >= 3)
    server.slowness_s = 0.0
    wait_until(lambda: shipper.shipped.sent == 1000)
    assert sorted(server.events, key=lambda event: int(event[1:])) == [f"e{number}" for number in range(1000)]
    assert (shipper.dropped, shipper.shipped.refused) == (0, 0)


def test_the_program_does_not_wait_and_what_is_lost_is_counted(server, shipper_to):
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections and never answers
    with silent:
        shipper = shipper_to(
            f"http://127.0.0.1:{silent.getsockname()[1]}", queue_lines=100, batch_lines=10, timeout_s=30
        )
        for number in range(1000):
            shipper.write_line(line(f"e{number}"))
        told = shipper.shipped
        assert told.waiting <= 100
        assert 880 <= told.dropped <= 900
        shipper.close(0.2)
        assert shipper.dropped >= 990


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept(server, shipper_to, status):
    server.script = [(status, {"retry-after": "1"}, b"slow down")]
    server.start()
    shipper = shipper_to(server.url)
    began_s = time.monotonic()
    shipper.write_line(line("a"))
    wait_until(lambda: server.requests)
    assert time.monotonic() - began_s >= 1.0
    assert f"HTTP {status}" in shipper.shipped.last_error
    assert shipper.shipped.retries == 1


def test_what_is_refused_for_good_is_counted_and_not_sent_again(server, shipper_to):
    server.script = [(400, {}, b"no")]
    server.start()
    shipper = shipper_to(server.url)
    shipper.write_line(line("a"))
    wait_until(lambda: shipper.shipped.refused == 1)
    shipper.write_line(line("b"))
    wait_until(lambda: server.events == ["b"])
    assert (shipper.shipped.sent, shipper.shipped.retries) == (1, 0)


@pytest.mark.parametrize("protocol", ["json", "protobuf"])
def test_records_refused_by_partial_success_are_counted(server, shipper_to, protocol):
    told = ExportLogsServiceResponse()
    told.partial_success.rejected_log_records = 1
    told.partial_success.error_message = "too old"
    as_json = b'{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}'
    server.script = [(200, {}, as_json if protocol == "json" else told.SerializeToString())]
    server.start()
    shipper = shipper_to(server.url, protocol=protocol, batch_lines=2)
    shipper.write_line(line("a"))
    shipper.write_line(line("b"))
    wait_until(lambda: shipper.shipped.refused + shipper.shipped.sent == 2)
    assert shipper.shipped.refused == 1


def test_a_batch_that_is_too_large_is_halved(server, shipper_to):
    server.script = [(413, {}, b""), (413, {}, b"")]
    server.start()
    shipper = shipper_to(server.url, batch_lines=8, linger_s=1)
    for number in range(8):
        shipper.write_line(line(f"e{number}"))
    wait_until(lambda: shipper.shipped.sent == 8)
    assert server.events == [f"e{number}" for number in range(8)]
    assert len(server.requests) == 3


def test_the_end_of_the_program_sends_what_is_left(server):
    server.start()
    script = (
        "import sys; from holdfast import journal\n"
        "from holdfast.journal import Shipper\n"
        "journal.configure(service='s', ship=[Shipper(sys.argv[1], linger_s=60)])\n"
        "for n in range(700): journal.get_logger().info('last')\n"
    )
    subprocess.run([sys.executable, "-c", script, server.url], check=True, capture_output=True, timeout=30)
    assert server.events == ["last"] * 700


def test_the_end_of_the_program_does_not_wait_longer_than_its_deadline(server):
    script = (
        "import sys, time; from holdfast import journal\n"
        "from holdfast.journal import Shipper\n"
        "shipper = Shipper(sys.argv[1], exit_deadline_s=0.5)\n"
        "journal.configure(service='s', ship=[shipper])\n"
        "journal.get_logger().info('lost')\n"
        "import atexit; began = time.monotonic()\n"
        "shipper.close_at_exit(); print(time.monotonic() - began, shipper.dropped)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, server.url], check=True, capture_output=True, text=True, timeout=30
    )
    waited_s, dropped = told.stdout.split()
    assert 0.4 < float(waited_s) < 5
    assert dropped == "1"


@pytest.mark.slow
def test_what_a_killed_process_spooled_is_sent_by_the_next(server, shipper_to, tmp_path):
    script = (
        "import sys, time; from holdfast.journal import Shipper\n"
        "shipper = Shipper(sys.argv[1], spool=sys.argv[2], linger_s=0.01, batch_lines=10)\n"
        'for n in range(100): shipper.write_line(\'{"event":"e%d"}\' % n)\n'
        "while shipper.shipped.waiting: time.sleep(0.01)\n"
        "time.sleep(0.2); print('spooled', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, server.url, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"spooled\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process.stdout.close()
    server.start()
    shipper = shipper_to(server.url, spool=tmp_path)
    shipper.write_line(line("e100"))
    wait_until(lambda: len(server.events) == 101)
    assert set(server.events) == {f"e{number}" for number in range(101)}


def test_the_spool_is_bounded_and_the_oldest_go_first(server, shipper_to, tmp_path):
    shipper = shipper_to(server.url, spool=tmp_path, spool_bytes=2_000, batch_lines=10)
    for number in range(200):
        shipper.write_line(line(f"e{number}"))
    wait_until(lambda: not shipper.shipped.waiting and shipper.dropped > 100)
    assert shipper.shipped.spooled_bytes <= 3_000
    server.start()
    wait_until(lambda: "e199" in server.events)
    wait_until(lambda: shipper.shipped.sent + shipper.dropped == 200)


def test_a_forked_child_ships_its_own_lines_and_none_of_its_parent(server, shipper_to):
    shipper = shipper_to(server.url, linger_s=0.02)
    shipper.write_line(line("parent"))
    child = os.fork()
    if child == 0:
        shipper.write_line(line("child"))
        shipper.close(10)
        os._exit(0 if shipper.shipped.sent == 1 else 1)
    server.start()
    assert os.waitpid(child, 0)[1] == 0
    wait_until(lambda: len(server.events) == 2)
    assert sorted(server.events) == ["child", "parent"]


@pytest.mark.parametrize(
    "options", [{"url": "ftp://x"}, {"url": "localhost:4653"}, {"protocol": "thrift"}, {"queue_lines": 0}]
)
def test_an_address_or_bound_that_is_none_is_refused(options):
    with pytest.raises(ValueError):
        Shipper(**{"url": "http://127.0.0.1:1", **options})
