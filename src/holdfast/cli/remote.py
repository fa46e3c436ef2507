"""A running Holdfast as the command line sees it: its address, a token, and its errors as ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Annotated, Any, Final, Self, TypeAlias

import httpx
import orjson
import typer

from holdfast.kernel.errors import HoldfastError, InvalidError, UnauthenticatedError, UnavailableError

DEFAULT_URL: Final = "http://127.0.0.1:4653"
TIMEOUT_S: Final = 30.0
QUIET_S: Final = 60.0  # longer than the server's pause between two signs of life
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
MAX_WORDS: Final = 2000
_HINT_HEADER: Final = "x-holdfast-hint"  # where Loki's API says what to do about an error
_OTHER_SERVER: Final = "is this a Holdfast server? Name it with --url or HOLDFAST_URL"

Query: TypeAlias = Mapping[str, str | int | list[str]]

UrlOption = Annotated[
    str | None, typer.Option("--url", help="The server; also HOLDFAST_URL.", show_default=DEFAULT_URL)
]


class Remote:
    """Calls the REST API; the token comes from HOLDFAST_TOKEN, so that it stands in no command line."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api: str = "/api/v1",
        tenant: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = (url or os.environ.get("HOLDFAST_URL") or DEFAULT_URL).rstrip("/")
        token = os.environ.get("HOLDFAST_TOKEN")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.headers |= {"X-Scope-OrgID": tenant} if tenant else {}
        if not all(text.isascii() and text.isprintable() for text in self.headers.values()):
            raise InvalidError(
                "the token or the tenant has letters that no header holds", hint="set HOLDFAST_TOKEN anew"
            )
        try:
            self._client = httpx.Client(
                base_url=f"{self.url}{api}", headers=self.headers, timeout=TIMEOUT_S, transport=transport
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise InvalidError(f"{self.url} is no address: {error}", hint=f"such as {DEFAULT_URL}") from None

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self, method: str, path: str, *, body: Any = None, query: Query | None = None, form: Query | None = None
    ) -> Any:
        """Send one request, with JSON or a form; give the decoded answer, or None where there is none.

        Raises:
            UnauthenticatedError: the token is missing or wrong.
            UnavailableError: the server does not answer.
            InvalidError: what it answers is not what a Holdfast server says.
            HoldfastError: the server refused; its words and its hint.
        """
        answer = self._send(method, path, json=body, params=query, data=form)
        has_words = answer.content != b"null" and (answer.content or answer.status_code == HTTPStatus.OK)
        return self._read(answer) if has_words or method == "GET" else None

    def _read(self, answer: httpx.Response) -> Any:
        """Give the object in an answer; a field that it lacks is an error that says so."""
        url = self.url

        class Told(dict[str, Any]):
            def __missing__(self, field: str) -> Any:
                raise InvalidError(f"{url} answered without {field!r}", hint=_OTHER_SERVER)

        if not answer.content:
            raise InvalidError(f"{url} answered nothing", hint=_OTHER_SERVER)
        try:
            told = json.loads(answer.content, object_hook=Told)
        except ValueError as error:
            kind = answer.headers.get("content-type", "") or "no content type"
            raise InvalidError(f"{url} answered what is no JSON ({kind}): {error}", hint=_OTHER_SERVER) from None
        if not isinstance(told, dict):
            raise InvalidError(f"{url} answered what is no object", hint=_OTHER_SERVER)
        return told

    def text(self, path: str) -> str:
        """Get what is no JSON; raises as `call` does."""
        return self._send("GET", path).text

    def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **what)
        except httpx.TransportError as error:
            hint = "is it running? Name it with --url or HOLDFAST_URL"
            raise UnavailableError(f"{self.url} does not answer: {error}", hint=hint) from error
        except httpx.DecodingError as error:
            raise InvalidError(f"{self.url} gave an answer that cannot be read: {error}", hint=_OTHER_SERVER) from None
        except httpx.InvalidURL as error:
            raise InvalidError(f"{self.url} is no address: {error}", hint=f"such as {DEFAULT_URL}") from None
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise InvalidError(f"{self.url} answered more than 32 MiB")
        if answer.is_success:
            return answer
        raise self.refusal(answer)

    def follow(self, path: str) -> Iterator[tuple[str, Any]]:
        """Follow a stream of server-sent events until the server ends it: each event's kind and its decoded data.

        Raises as `call` does.
        """
        kind = ""
        try:
            with self._client.stream("GET", path, timeout=httpx.Timeout(TIMEOUT_S, read=QUIET_S)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self.refusal(answer)
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        yield kind, orjson.loads(line.removeprefix("data: "))
        except httpx.TransportError as error:
            raise UnavailableError(f"{self.url} does not answer any more: {error}") from error

    def refusal(self, answer: httpx.Response) -> HoldfastError:
        """Give the error that an answer tells."""
        if answer.status_code == 401:
            return UnauthenticatedError(f"{self.url} does not know us", hint="set HOLDFAST_TOKEN to an API token")
        try:
            problem = answer.json()
            message, hint = str(problem.get("detail") or problem["error"]), str(problem.get("hint", ""))
        except (ValueError, KeyError, TypeError):
            if answer.headers.get("content-type", "").startswith("text/plain"):  # as Loki's API tells errors
                hint = answer.headers.get(_HINT_HEADER, "")
                return InvalidError(f"{self.url} refused: {answer.text[:MAX_WORDS]}", hint=hint)
            message, hint = f"status {answer.status_code} without an explanation", _OTHER_SERVER
        return InvalidError(f"{self.url} refused: {message}", hint=hint)
