"""gRPC: real servers and channels, plain and aio, all four kinds of call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import time

import grpc
import grpc.aio
import pytest

from holdfast import journal
from holdfast.instrument import (
    GrpcAioServerInterceptor,
    GrpcClientInterceptor,
    GrpcServerInterceptor,
    grpc_aio_client_interceptors,
)

SERVICE = "test.Echo"


def tell_correlation(request):
    return request + b" " + journal.correlation_id().encode()


class Plain:
    """The four kinds, as functions of bytes."""

    def one(self, request, context):
        if request == b"missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "missing")
        if request == b"broken":
            raise RuntimeError("broken")
        if request == b"set":
            context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
        return tell_correlation(request)

    def many_out(self, request, context):
        yield from (request, request) if request != b"slow" else itertools.repeat(request)

    def many_in(self, requests, context):
        return b"".join(requests)

    def both(self, requests, context):
        yield from requests


class Aio:
    """The same for asyncio, one of them in the style that writes to the context."""

    async def one(self, request, context):
        if request == b"missing":
            await context.abort(grpc.StatusCode.NOT_FOUND, "missing")
        if request == b"broken":
            raise RuntimeError("broken")
        if request == b"set":
            context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
        if request == b"slow":
            await asyncio.sleep(30)
        return tell_correlation(request)

    async def many_out(self, request, context):
        yield request
        if request == b"slow":
            await asyncio.sleep(30)
        yield request

    async def many_in(self, requests, context):
        return b"".join([request async for request in requests])

    async def both(self, requests, context):
        async for request in requests:
            await context.write(request)


def handlers(servicer):
    methods = {
        "One": grpc.unary_unary_rpc_method_handler(servicer.one),
        "ManyOut": grpc.unary_stream_rpc_method_handler(servicer.many_out),
        "ManyIn": grpc.stream_unary_rpc_method_handler(servicer.many_in),
        "Both": grpc.stream_stream_rpc_method_handler(servicer.both),
    }
    return (grpc.method_handlers_generic_handler(SERVICE, methods),)


@pytest.fixture
def plain_address(registry):
    pool = concurrent.futures.ThreadPoolExecutor(4)
    server = grpc.server(pool, handlers(Plain()), interceptors=[GrpcServerInterceptor(registry)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(30)
    pool.shutdown()


@pytest.fixture
async def aio_address(registry):
    server = grpc.aio.server(interceptors=[GrpcAioServerInterceptor(registry)])
    server.add_generic_rpc_handlers(handlers(Aio()))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


def check_ends(figures, side):
    """What four good calls, and three that end otherwise, have to leave behind."""

    def count(method, code):
        return figures(f"rpc_{side}_calls_total", method=f"{SERVICE}/{method}", code=code)

    for method in ("One", "ManyOut", "ManyIn", "Both"):
        assert count(method, "OK") == 1, method
        assert figures(f"rpc_{side}_active_calls", method=f"{SERVICE}/{method}") == 0, method
    for code in ("NOT_FOUND", "UNKNOWN", "FAILED_PRECONDITION"):
        assert count("One", code) == 1, code
    assert figures(f"rpc_{side}_call_duration_seconds_count", method=f"{SERVICE}/One") == 4


def test_plain_servers_and_channels(plain_address, registry, figures, kept_spans):
    with grpc.insecure_channel(plain_address) as bare, journal.bind(correlation_id="req-1"):
        channel = grpc.intercept_channel(bare, GrpcClientInterceptor(registry))
        one = channel.unary_unary(f"/{SERVICE}/One")
        assert one(b"a", timeout=5) == b"a req-1"
        assert list(channel.unary_stream(f"/{SERVICE}/ManyOut")(b"a", timeout=5)) == [b"a", b"a"]
        assert channel.stream_unary(f"/{SERVICE}/ManyIn")(iter([b"a", b"b"]), timeout=5) == b"ab"
        assert list(channel.stream_stream(f"/{SERVICE}/Both")(iter([b"a", b"b"]), timeout=5)) == [b"a", b"b"]
        for request in (b"missing", b"broken", b"set"):
            with pytest.raises(grpc.RpcError):
                one(request, timeout=5)
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(f"/{SERVICE}/Unheard")(b"", timeout=5)
    check_ends(figures, "client")
    check_ends(figures, "server")
    assert figures("rpc_server_calls_total", method="unmatched", code="UNIMPLEMENTED") == 1
    by_trace = {}
    for span in kept_spans.get_finished_spans():
        by_trace.setdefault(span.context.trace_id, set()).add(span.kind.name)
    assert list(by_trace.values()).count({"CLIENT", "SERVER"}) == 7


async def test_aio_servers_and_channels(aio_address, registry, figures, kept_spans):
    async with grpc.aio.insecure_channel(aio_address, interceptors=grpc_aio_client_interceptors(registry)) as channel:
        with journal.bind(correlation_id="req-2"):
            one = channel.unary_unary(f"/{SERVICE}/One")
            assert await one(b"a", timeout=5) == b"a req-2"
            out = channel.unary_stream(f"/{SERVICE}/ManyOut")(b"a", timeout=5)
            assert [message async for message in out] == [b"a", b"a"]
            assert await channel.stream_unary(f"/{SERVICE}/ManyIn")(iter([b"a", b"b"]), timeout=5) == b"ab"
            both = channel.stream_stream(f"/{SERVICE}/Both")(iter([b"a", b"b"]), timeout=5)
            assert [message async for message in both] == [b"a", b"b"]
            for request in (b"missing", b"broken", b"set"):
                with pytest.raises(grpc.aio.AioRpcError):
                    await one(request, timeout=5)
    check_ends(figures, "client")
    check_ends(figures, "server")
    assert {span.kind.name for span in kept_spans.get_finished_spans()} == {"CLIENT", "SERVER"}


async def test_nobody_there_is_counted_as_unavailable(registry, figures):
    async with grpc.aio.insecure_channel("127.0.0.1:1", interceptors=grpc_aio_client_interceptors(registry)) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(f"/{SERVICE}/One")(b"a", timeout=5)
    assert figures("rpc_client_calls_total", method=f"{SERVICE}/One", code="UNAVAILABLE") == 1


class Waits(grpc.aio.UnaryUnaryClientInterceptor):
    """Never lets a call go, as one that fetches a token from a server that is away."""

    async def intercept_unary_unary(self, *_):
        await asyncio.Event().wait()


async def test_a_call_that_its_caller_gave_up_before_it_went_out_is_cancelled(registry, figures):
    interceptors = [*grpc_aio_client_interceptors(registry), Waits()]
    async with grpc.aio.insecure_channel("127.0.0.1:1", interceptors=interceptors) as channel:
        call = channel.unary_unary(f"/{SERVICE}/One")(b"a")
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert figures("rpc_client_calls_total", method=f"{SERVICE}/One", code="CANCELLED") == 1


async def under_way(figures, number):
    async with asyncio.timeout(20):
        while figures("rpc_server_active_calls") != number:  # noqa: ASYNC110 -- the server runs in this loop and tells nobody
            await asyncio.sleep(0.01)


async def test_a_caller_who_goes_away_is_no_fault_of_the_server(aio_address, figures, kept_spans):
    async with grpc.aio.insecure_channel(aio_address) as channel:
        one = channel.unary_unary(f"/{SERVICE}/One")(b"slow")
        many = channel.unary_stream(f"/{SERVICE}/ManyOut")(b"slow")
        assert await many.read() == b"slow"
        await under_way(figures, 2)
        one.cancel()
        many.cancel()
        await under_way(figures, 0)
    codes = {
        method: figures("rpc_server_calls_total", method=f"{SERVICE}/{method}", code="CANCELLED")
        for method in ("One", "ManyOut")
    }
    assert codes == {"One": 1, "ManyOut": 1}
    assert all(span.status.is_ok or span.status.is_unset for span in kept_spans.get_finished_spans())


def test_a_caller_who_wants_no_more_of_a_stream_is_no_fault_of_the_server(plain_address, figures):
    with grpc.insecure_channel(plain_address) as channel:
        many = channel.unary_stream(f"/{SERVICE}/ManyOut")(b"slow")
        assert next(many) == b"slow"
        many.cancel()
        deadline_s = time.monotonic() + 20
        while figures("rpc_server_active_calls") and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert figures("rpc_server_calls_total", method=f"{SERVICE}/ManyOut") == 1
    assert figures("rpc_server_calls_total", method=f"{SERVICE}/ManyOut", code="CANCELLED") == 1


async def test_a_call_that_took_too_long_for_its_caller_is_counted_as_that(aio_address, figures, kept_spans):
    async with grpc.aio.insecure_channel(aio_address) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(f"/{SERVICE}/One")(b"slow", timeout=0.3)
        with pytest.raises(grpc.aio.AioRpcError):
            async for _ in channel.unary_stream(f"/{SERVICE}/ManyOut")(b"slow", timeout=0.3):
                pass
        await under_way(figures, 0)
    for method in ("One", "ManyOut"):
        assert figures("rpc_server_calls_total", method=f"{SERVICE}/{method}", code="DEADLINE_EXCEEDED") == 1
