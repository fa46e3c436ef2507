"""Client credentials of OAuth 2 (RFC 6749, section 4.4): a token for a program, fetched when needed, shared."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

import httpx

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.http.errors import BadAnswer, status_error
from holdfast.resilience.http.tokens import SharedToken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

EARLY_S: Final = 30.0  # a token is renewed so long before its end, for clocks differ and calls take time


class ClientCredentials(httpx.Auth):
    """Fetches a token from `token_url` with an id and a secret, and again before it ends or when it is refused."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = "",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._url = token_url
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        words = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        self._authorization = "Basic " + base64.b64encode(words.encode()).decode("ascii")
        self._clock = clock
        self._tokens = SharedToken()

    def __repr__(self) -> str:
        """Name the method only."""
        return "ClientCredentials(***)"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token, after fetching it where there is none."""
        for attempt in range(2):
            with self._tokens.guard:
                if self._needs_token():
                    answer = yield self._ask()
                    answer.read()
                    self._keep(answer)
                token = self._tokens.value
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != 401 or attempt:
                return
            self._tokens.forget(token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the token, after fetching it where there is none."""
        for attempt in range(2):
            async with self._tokens.async_guard():
                if self._needs_token():
                    answer = yield self._ask()
                    await answer.aread()
                    self._keep(answer)
                token = self._tokens.value
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != 401 or attempt:
                return
            self._tokens.forget(token)

    def _needs_token(self) -> bool:
        return not self._tokens.value or self._clock.monotonic() >= self._tokens.over_s

    def _ask(self) -> httpx.Request:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        return httpx.Request("POST", self._url, data=self._form, headers=headers)

    def _keep(self, answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            raise status_error(answer, retry_after_s=None)
        try:
            said: Any = answer.json()
            token, lasts_s = said["access_token"], float(said.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadAnswer("the token's answer has no access_token", answer.request) from None
        self._tokens.over_s = self._clock.monotonic() + max(lasts_s - EARLY_S, lasts_s / 2)
        self._tokens.value = str(token)
