"""A server as a command sees it: an address, a token, one question at a time, one clear error for all that goes wrong.

What it answers is bounded in bytes and in time, however it is packed and however slowly it drips. What it means is read
where it was asked for. The server's own calls are `kernel.http`'s.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from holdfast.kernel.errors import (
    BusyError,
    DeniedError,
    HoldfastError,
    InvalidError,
    TimedOutError,
    UnauthenticatedError,
    UnavailableError,
    after,
)
from holdfast.resilience import parse_retry_after

OTHER_SERVER: Final = "is this a Holdfast server? Name it with --url or HOLDFAST_URL"
_RUNNING: Final = "is it running? Name it with --url or HOLDFAST_URL"
_DEFAULT: Final = "http://127.0.0.1:4653"
_MOST_WORDS: Final = 2000
_HINT_HEADER: Final = "x-holdfast-hint"  # where Loki's API says what to do about an error
_PACKED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
# What goes wrong under TLS, by a word of OpenSSL's, and what to do about it.
_TLS: Final = (
    ("WRONG_VERSION_NUMBER", "does it speak TLS? Name it with http:// if not"),
    ("RECORD_LAYER_FAILURE", "does it speak TLS? Name it with http:// if not"),
    ("CERTIFICATE_VERIFY_FAILED", "let SSL_CERT_FILE name the certificate of the authority that signed its own"),
)


def open_client(
    url: str,
    *,
    token: str = "",
    tenant: str = "",
    api: str = "",
    timeout_s: float,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Give a client of a server; nothing is sent yet.

    Args:
        url: where it is, without a slash at its end.
        token: a bearer token; empty for none.
        tenant: whose data is meant, if not that of the token.
        api: the path below which all questions stand.
        timeout_s: how long connecting, sending and each pause within an answer may take.
        transport: how the bytes go, in a test.

    Raises:
        InvalidError: the address is none, or no header can hold the token or the tenant.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"X-Scope-OrgID": tenant} if tenant else {}
    if not all(text.isascii() and text.isprintable() for text in headers.values()):
        raise InvalidError("the token or the tenant has letters that no header holds", hint="set HOLDFAST_TOKEN anew")
    try:
        parsed = httpx.URL(url)
        client = httpx.Client(base_url=f"{url}{api}", headers=headers, timeout=timeout_s, transport=transport)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidError(f"{url} is no address: {error}", hint=f"such as {_DEFAULT}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        client.close()
        raise InvalidError(f"{url} is no address of a server", hint=f"write it with http://, such as {_DEFAULT}")
    return client


def ask(
    client: httpx.Client, method: str, path: str, *, most_bytes: int, within_s: float, **what: Any
) -> httpx.Response:
    """Send one request; give the whole answer, whatever its status, unpacked.

    Args:
        client: as `open_client` gives it.
        method: such as GET.
        path: below the client's address.
        most_bytes: what the answer may take, unpacked.
        within_s: how long it may take from the first byte to the last.
        what: body and query, as `httpx.Client.request` takes them.

    Raises:
        UnavailableError: the server does not answer; `TimedOutError` if not in time.
        InvalidError: the question cannot be sent, or the answer cannot be read or is too large.
    """
    url = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
    try:
        with client.stream(method, path, **what) as answer:
            content = _read(answer, url, most_bytes, within_s)
            headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _PACKED]
            return httpx.Response(answer.status_code, headers=headers, content=content, request=answer.request)
    except httpx.TransportError as error:
        raise explain(error, url) from error
    except httpx.DecodingError as error:
        raise InvalidError(f"{url} gave an answer that cannot be read: {error}", hint=OTHER_SERVER) from None
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidError(f"{url} cannot be asked for this: {error}", hint="is what is asked for too long?") from None


def explain(error: httpx.TransportError, url: str) -> UnavailableError:
    """Give the error to tell when a server cannot be reached, with what to do about it."""
    says = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"{url} does not answer in time: {says}", hint=_RUNNING)
    if isinstance(error, httpx.RemoteProtocolError):
        return UnavailableError(f"{url} does not answer as a web server does: {says}", hint=OTHER_SERVER)
    hint = next((hint for word, hint in _TLS if word in says), _RUNNING)
    return UnavailableError(f"{url} does not answer: {says}", hint=hint)


def refusal(answer: httpx.Response, url: str) -> HoldfastError:
    """Give the error that an answer tells: in the server's words where it has some, a page of HTML is none."""
    status = answer.status_code
    if status == HTTPStatus.UNAUTHORIZED:
        return UnauthenticatedError(f"{url} does not know us", hint="set HOLDFAST_TOKEN to an API token")
    if answer.is_redirect:
        place = answer.headers.get("location", "")[:_MOST_WORDS]
        return InvalidError(f"{url} sends us on to {place} with status {status}", hint=OTHER_SERVER)
    words, hint = _words_of(answer)
    message = f"{url} refused: {words or f'status {status} without an explanation'}"
    if status == HTTPStatus.FORBIDDEN:
        return DeniedError(message, hint=hint or "set HOLDFAST_TOKEN to a token that may do this")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        later_s = parse_retry_after(answer.headers.get("retry-after", ""), lambda: datetime.now(UTC))
        when = "" if later_s is None else f"ask again in {later_s:.0f} s"
        kind = BusyError if status == HTTPStatus.TOO_MANY_REQUESTS else UnavailableError
        known = hint or ("" if words or when else OTHER_SERVER)
        told = "; ".join(text for text in (known, when) if text)
        return kind(message, hint=told, retry=None if later_s is None else after(later_s))
    return InvalidError(message, hint=hint or ("" if words else OTHER_SERVER))


def _words_of(answer: httpx.Response) -> tuple[str, str]:
    """Give what a refusal says, and its hint: of Holdfast's and Prometheus' objects, and of Loki's plain text."""
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem["error"])[:_MOST_WORDS], str(problem.get("hint") or "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        is_plain = answer.headers.get("content-type", "").startswith("text/plain")
        return (answer.text.strip()[:_MOST_WORDS], answer.headers.get(_HINT_HEADER, "")) if is_plain else ("", "")


def _read(answer: httpx.Response, url: str, most_bytes: int, within_s: float) -> bytes:
    until_s = time.monotonic() + within_s
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > most_bytes:
            most = f"{most_bytes / 2**20:g} MiB"
            raise InvalidError(f"{url} answered more than {most}", hint="ask for less, such as a shorter time")
        if time.monotonic() > until_s:
            raise TimedOutError(
                f"{url} did not end its answer within {within_s:g} s", hint="ask for less, or again later"
            )
    return bytes(content)
