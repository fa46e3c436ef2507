"""Asks over HTTP: connects afresh, chooses the protocol version, follows redirects, fills in secrets.

Product kinds use `fetch` as the http kind does. It judges nothing: expectations are in `expectations`.
"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import holdfast
from holdfast.health.probes.attempts import now_s, quote
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http.http1 import Http1Exchange, serialise
from holdfast.health.probes.http.http2 import Http2Exchange
from holdfast.health.probes.http.messages import Request, Response
from holdfast.health.probes.http.spec import Auth, HttpVersion
from holdfast.health.probes.network import DEFAULT_TLS, Family, TlsOptions, dial, secure
from holdfast.health.verdict import Verdict

if TYPE_CHECKING:
    import ssl

    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.http.urls import Url

MAX_BODY_BYTES: Final = 10_000_000
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ALPN: Final = {
    HttpVersion.AUTO: ("h2", "http/1.1"),
    HttpVersion.ONE: ("http/1.1",),
    HttpVersion.TWO: ("h2",),
}
_ALWAYS: Final = (("User-Agent", f"Holdfast/{holdfast.__version__}"), ("Accept", "*/*"))
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "host"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a check configures it: header values and body may still hold references to secrets."""

    url: Url
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    auth: Auth | None = None
    body: str = ""
    tls: TlsOptions = DEFAULT_TLS
    family: Family = Family.ANY
    http_version: HttpVersion = HttpVersion.ONE
    redirects: int = 0
    max_body_bytes: int = MAX_BODY_BYTES
    keeps_body: bool = True
    prepared: tuple[Request, bytes] | None = field(default=None, compare=False)

    def prepare(self) -> Call:
        """Write the request down once if no secret is in it, so that attempts need not."""
        texts = [self.body, *(value for _, value in self.headers)]
        if self.auth is not None or any("${" in text for text in texts):
            return self
        request = _make_request(self, self.headers, self.body)
        return replace(self, prepared=(request, serialise(request)))


async def fetch(attempt: Attempt, call: Call) -> Response:
    """Make the call and give the final answer.

    Raises:
        FaultError: no answer, or too many redirects.
        OSError: the connection failed.
    """
    request, written = call.prepared or await _fill_in(attempt, call)
    response = await _ask(attempt, call, request, written)
    followed = 0
    while call.redirects and response.status in _REDIRECTS:
        location = response.header(b"location")
        if location is None:
            break
        followed += 1
        if followed > call.redirects:
            raise FaultError(f"more than {call.redirects} redirects; the last one came from {request.url}")
        call, request = _follow(call, request, response.status, location)
        attempt.facts["redirects"] = followed
        attempt.facts["final_url"] = str(request.url)
        response = await _ask(attempt, call, request, serialise(request))
    return response


async def _ask(attempt: Attempt, call: Call, request: Request, written: bytes) -> Response:
    url = request.url
    exchange: Http1Exchange | Http2Exchange
    if not url.is_tls:
        exchange = _begin(call, request, written, is_two=call.http_version is HttpVersion.TWO)
        transport, _ = await dial(attempt, url.endpoint(call.family), lambda: exchange)
        # The request left when the connection stood, before `dial` came back: that time is the answer's, not both's.
        attempt.connect_s = max(0.0, (attempt.connect_s or 0.0) - (now_s() - exchange.sent_s))
        return await _finish(attempt, exchange, transport, None)
    endpoint = url.endpoint(call.family)
    transport, doorstep = await dial(attempt, endpoint, _Doorstep)
    doorstep.early.clear()
    transport, peer = await secure(attempt, transport, endpoint, call.tls, _ALPN[call.http_version])
    chosen = peer.selected_alpn_protocol()
    if call.http_version is HttpVersion.TWO and chosen != "h2":
        transport.abort()
        raise FaultError(f"expected HTTP/2, but the server chose {chosen or 'no protocol'} in the TLS handshake")
    exchange = _begin(call, request, written, is_two=chosen == "h2")
    doorstep.hand_over(transport, exchange)
    return await _finish(attempt, exchange, transport, peer)


def _begin(call: Call, request: Request, written: bytes, *, is_two: bool) -> Http1Exchange | Http2Exchange:
    if is_two:
        return Http2Exchange(request, limit=call.max_body_bytes)
    is_head = request.method == "HEAD"
    return Http1Exchange(written, is_head=is_head, keeps_body=call.keeps_body, limit=call.max_body_bytes)


async def _finish(
    attempt: Attempt,
    exchange: Http1Exchange | Http2Exchange,
    transport: asyncio.Transport,
    peer: ssl.SSLObject | None,
) -> Response:
    attempt.stage = "waiting for the answer"
    try:
        outcome = await exchange.done
    finally:
        if exchange.first_s:
            ended_s = exchange.ended_s or now_s()
            attempt.first_byte_s = (attempt.first_byte_s or 0.0) + exchange.first_s - exchange.sent_s
            attempt.transfer_s = (attempt.transfer_s or 0.0) + ended_s - exchange.first_s
        transport.abort()
    if isinstance(outcome, Exception):
        raise outcome
    outcome.peer = peer
    return outcome


class _Doorstep(asyncio.Protocol):
    """Holds a connection until TLS has chosen who speaks on it; a server may speak first."""

    def __init__(self) -> None:
        self.early: list[bytes] = []
        self._is_lost = False

    def data_received(self, data: bytes) -> None:
        self.early.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._is_lost = True

    def hand_over(self, transport: asyncio.Transport, to: Http1Exchange | Http2Exchange) -> None:
        transport.set_protocol(to)
        to.connection_made(transport)
        for data in self.early:
            to.data_received(data)
        if self._is_lost:
            to.connection_lost(None)


async def _fill_in(attempt: Attempt, call: Call) -> tuple[Request, bytes]:
    headers = [(name, await attempt.expand(value)) for name, value in call.headers]
    if call.auth is not None:
        headers.append(("Authorization", await _authorization(attempt, call.auth)))
    request = _make_request(call, tuple(headers), await attempt.expand(call.body))
    return request, serialise(request)


async def _authorization(attempt: Attempt, auth: Auth) -> str:
    if auth.bearer is not None:
        return f"Bearer {await attempt.expand(auth.bearer)}"
    assert auth.basic is not None
    password = await attempt.expand(auth.basic.password)
    attempt.hide(password)
    pair = base64.b64encode(f"{auth.basic.username}:{password}".encode()).decode()
    attempt.hide(pair)
    return f"Basic {pair}"


def _make_request(call: Call, headers: tuple[tuple[str, str], ...], body: str) -> Request:
    given = {name.lower(): value for name, value in headers}
    defaults = tuple(pair for pair in _ALWAYS if pair[0].lower() not in given)
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or "\r" in value or "\n" in value or "\0" in value:
            raise FaultError(f"the header {quote(name)} cannot be sent: line breaks or odd characters", Verdict.UNKNOWN)
    sent = tuple(pair for pair in headers if pair[0].lower() not in {"host", "content-length", "connection"})
    authority = given.get("host", call.url.authority)
    return Request(call.method, call.url, authority, defaults + sent, body.encode())


def _follow(call: Call, request: Request, status: int, location: bytes) -> tuple[Call, Request]:
    try:
        url = request.url.follow(location.decode("utf-8", "replace"))
    except ValueError as error:
        raise FaultError(f"the redirect of {request.url} leads nowhere: {error}") from None
    method, body, headers = request.method, request.body, request.headers
    if status == 303 or (status in {301, 302} and method == "POST"):  # RFC 9110, 15.4
        method, body = ("HEAD" if method == "HEAD" else "GET"), b""
    authority = request.authority
    if url.origin != request.url.origin:
        authority = url.authority
        secret = _PRIVATE_HEADERS | {name.lower() for name, value in call.headers if "${" in value}
        headers = tuple(pair for pair in headers if pair[0].lower() not in secret)
        call = replace(call, tls=replace(call.tls, cert_file=None, key_file=None, server_name=None))
    return call, Request(method, url, authority, headers, body)
