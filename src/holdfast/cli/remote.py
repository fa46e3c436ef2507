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

from holdfast.cli.answering import note_answer
from holdfast.kernel.errors import HoldfastError, InvalidError
from holdfast.kernel.peers import OTHER_SERVER, ask, explain, open_client, refusal

DEFAULT_URL: Final = "http://127.0.0.1:4653"
TIMEOUT_S: Final = 30.0
WITHIN_S: Final = 120.0  # an answer from its first byte to its last
QUIET_S: Final = 60.0  # longer than the server's pause between two signs of life
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024

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
        self._client = open_client(
            self.url,
            token=os.environ.get("HOLDFAST_TOKEN", ""),
            tenant=tenant or "",
            api=api,
            timeout_s=TIMEOUT_S,
            transport=transport,
        )

    @property
    def headers(self) -> dict[str, str]:
        """Give who asks, for whom, for what is no question of this client's."""
        named = ("Authorization", "X-Scope-OrgID")
        return {name: self._client.headers[name] for name in named if name in self._client.headers}

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
                raise InvalidError(f"{url} answered without {field!r}", hint=OTHER_SERVER)

        if not answer.content:
            raise InvalidError(f"{url} answered nothing", hint=OTHER_SERVER)
        try:
            told = json.loads(answer.content, object_hook=Told)
        except (ValueError, RecursionError) as error:
            kind = answer.headers.get("content-type", "") or "no content type"
            raise InvalidError(f"{url} answered what is no JSON ({kind}): {error}", hint=OTHER_SERVER) from None
        if not isinstance(told, dict):
            raise InvalidError(f"{url} answered what is no object", hint=OTHER_SERVER)
        items = told.get("items", [])
        if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
            raise InvalidError(f"{url} answered what is no list in 'items'", hint=OTHER_SERVER)
        note_answer(url)
        return told

    def items(self, path: str, *, query: Query | None = None) -> list[dict[str, Any]]:
        """Get a list of objects; raises as `call` does."""
        items: list[dict[str, Any]] = self.call("GET", path, query=query)["items"]
        return items

    def text(self, path: str) -> str:
        """Get what is no JSON; raises as `call` does."""
        return self._send("GET", path).text

    def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        answer = ask(self._client, method, path, most_bytes=MAX_ANSWER_BYTES, within_s=WITHIN_S, **what)
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
            raise explain(error, self.url) from error
        except (httpx.DecodingError, ValueError) as error:
            raise InvalidError(f"{self.url} streams what cannot be read: {error}", hint=OTHER_SERVER) from None

    def refusal(self, answer: httpx.Response) -> HoldfastError:
        """Give the error that an answer tells."""
        return refusal(answer, self.url)
