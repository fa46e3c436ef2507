"""Calls out for one section of the file: its credentials, certificates, headers and proxy, over `kernel.http`.

Files of credentials are read again when they change. A scrape is one such call; so are the questions of discoveries.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from holdfast.kernel.errors import HoldfastError, UnavailableError
from holdfast.kernel.http import (
    NO_PROXIES,
    Answer,
    AnswerTooLargeError,
    Call,
    OutboundHttp,
    OutboundSettings,
    Proxies,
)
from holdfast.telemetry.metrics.exposition import accept_header
from holdfast.telemetry.metrics.scrape.certificates import context_of, version_of
from holdfast.telemetry.metrics.scrape.config import ClientConfig, OAuth2, ScrapeJob, TlsConfig
from holdfast.telemetry.metrics.scrape.targets import Target

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.secrets import Secret, Secrets

Fetch = Callable[[Target], Awaitable[Answer]]

MAX_PAGE_BYTES: Final = 256 * 1024 * 1024  # of a page, where the job gives no body_size_limit
_TOKEN_MARGIN_S: Final = 10.0
_TOKEN_LIFE_S: Final = 300.0  # where the server does not say how long
_NEVER_S: Final = 86_400.0


class Callers:
    """The clients of all sections: one for each set of certificates and proxies."""

    def __init__(
        self,
        settings: OutboundSettings,
        secrets: Secrets,
        clock: Clock,
        environment: Proxies = NO_PROXIES,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        # A silence may last as long as the scrape's own timeout, which bounds the whole call.
        self._settings = replace(settings, read_timeout=_NEVER_S, total_timeout=_NEVER_S, max_connections=10_000)
        self._environment = environment
        self._own: dict[tuple[object, ...], OutboundHttp] = {}
        self.secrets = secrets
        self.clock = clock
        self.variables = variables  # those of the environment, which tell a pod where its cluster is

    def caller(self, client: ClientConfig, base: Path, purpose: str) -> Caller:
        """Give the caller of a section whose relative paths start from `base`."""
        return Caller(self, client, base, purpose)

    async def sender(self, client: ClientConfig | OAuth2, base: Path) -> OutboundHttp:
        """Give the client with the certificates and proxies of a section.

        Raises:
            InvalidError: a certificate cannot be read.
        """
        tls, is_http2 = client.tls_config, isinstance(client, OAuth2) or client.enable_http2
        proxies = await self._proxies(client)
        files = tuple(version_of(base, name) for name in (tls.ca_file, tls.cert_file, tls.key_file))
        key = (tls, proxies, base if any(files) else None, files, is_http2)
        if key not in self._own:
            context = context_of(tls, base) if tls != TlsConfig() else None
            self._own[key] = OutboundHttp(
                self._settings, self.secrets.redactor, tls=context, proxies=proxies, is_http2=is_http2
            )
        return self._own[key]

    async def _proxies(self, client: ClientConfig | OAuth2) -> Proxies:
        pairs = [(name, each) for name, given in client.proxy_connect_header.items() for each in given]
        headers = tuple([(name, (await self._revealed(each)).reveal()) for name, each in pairs])
        if client.proxy_from_environment:
            return replace(self._environment, connect_headers=headers)
        url = client.proxy_url
        # With hosts to spare, Prometheus spares this machine too; a proxy alone gets everything.
        return Proxies(url, url, client.no_proxy, spares_loopback=bool(client.no_proxy), connect_headers=headers)

    async def _revealed(self, given: Secret) -> Secret:
        return await self.secrets.fetch(given.reveal()) if "${" in given.reveal() else given

    async def close(self) -> None:
        """Close every connection."""
        for sender in self._own.values():
            await sender.aclose()
        self._own.clear()


class Caller:
    """Makes the calls of one section."""

    def __init__(self, callers: Callers, client: ClientConfig, base: Path, purpose: str) -> None:
        self._callers = callers
        self._client = client
        self._base = base
        self._purpose = purpose
        self._token: tuple[str, float] = ("", 0.0)

    async def get(
        self, url: str, headers: Mapping[str, str], *, timeout_s: float, max_bytes: int = MAX_PAGE_BYTES
    ) -> Answer:
        """Fetch `url`; raises what `OutboundHttp.send` raises, and `NotFoundError` for a missing secret file."""
        client = self._client
        sender = await self._callers.sender(client, self._base)
        own = {**headers, **await self._credentials(), **await self._further()}
        return await sender.send(
            Call("GET", url, self._purpose, own, b"", timeout_s, max_bytes, client.follow_redirects)
        )

    async def lines(self, url: str, *, silence_s: float, max_bytes: int = MAX_PAGE_BYTES) -> AsyncIterator[bytes]:
        """Give the lines of a long answer as they come; raises what `OutboundHttp.lines` raises."""
        sender = await self._callers.sender(self._client, self._base)
        headers = {"accept": "application/json", **await self._credentials(), **await self._further()}
        async for line in sender.lines(Call("GET", url, self._purpose, headers, b"", silence_s, max_bytes)):
            yield line

    async def _credentials(self) -> dict[str, str]:
        client = self._client
        if client.basic_auth is not None:
            basic = client.basic_auth
            name = basic.username or await self._file(basic.username_file)
            word = await self._secret(basic.password, basic.password_file)
            return {"authorization": f"Basic {base64.b64encode(f'{name}:{word}'.encode()).decode()}"}
        if client.oauth2 is not None:
            return {"authorization": f"Bearer {await self._traded(client.oauth2)}"}
        if client.authorization is not None:
            given = client.authorization
            credentials = await self._secret(given.credentials, given.credentials_file)
            return {"authorization": f"{given.type.strip()} {credentials}"} if credentials else {}
        token = await self._secret(client.bearer_token, client.bearer_token_file)
        return {"authorization": f"Bearer {token}"} if token else {}

    async def _further(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, header in self._client.http_headers.items():
            values = [*header.values]
            values += [await self._secret(secret, "") for secret in header.secrets]
            values += [await self._file(path) for path in header.files]
            found[name] = ", ".join(values)
        return found

    async def _secret(self, given: Secret, path: str) -> str:
        """Give a secret that stands in the file, itself or as a reference, or in a file of its own."""
        if not given:
            return (await self._file(path)).strip() if path else ""
        secrets = self._callers.secrets
        found = await secrets.fetch(given.reveal()) if "${" in given.reveal() else given
        secrets.redactor.learn(found)
        return found.reveal()

    async def _file(self, path: str) -> str:
        return (await self._callers.secrets.fetch(f"${{file:{self._base.absolute() / path}}}")).reveal() if path else ""

    async def _traded(self, oauth: OAuth2) -> str:
        """Give the token for which the client's credentials are traded, a new one shortly before it ends."""
        token, until_s = self._token
        now_s = self._callers.clock.monotonic()
        if token and now_s < until_s:
            return token
        secret = await self._secret(oauth.client_secret, oauth.client_secret_file)
        form = {"grant_type": "client_credentials", **oauth.endpoint_params}
        if oauth.scopes:
            form["scope"] = " ".join(oauth.scopes)
        pair = base64.b64encode(f"{oauth.client_id}:{secret}".encode()).decode()
        headers = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {pair}"}
        sender = await self._callers.sender(oauth, self._base)
        answer = await sender.send(
            Call("POST", oauth.token_url, f"{self._purpose}_token", headers, urlencode(form).encode())
        )
        if not answer.is_ok:
            raise UnavailableError(f"{answer.url} gave no token: status {answer.status}")
        said = answer.json()
        life_s = float(said.get("expires_in") or _TOKEN_LIFE_S)
        self._token = (str(said.get("access_token", "")), now_s + max(1.0, life_s - _TOKEN_MARGIN_S))
        return self._token[0]


def fetcher(job: ScrapeJob, callers: Callers) -> Fetch:
    """Give the function that fetches a target's page as the job says."""
    caller = callers.caller(job.client, job.base, "scrape")
    limit = job.limits.body_bytes
    headers = {
        "accept": accept_header(job.reading.protocols, job.reading.escaping),
        "accept-encoding": "gzip" if job.reading.is_compressed else "identity",
    }

    async def fetch(target: Target) -> Answer:
        own = {**headers, "x-prometheus-scrape-timeout-seconds": f"{target.timeout_s:g}"}
        try:
            answer = await caller.get(target.url, own, timeout_s=target.timeout_s, max_bytes=limit or MAX_PAGE_BYTES)
        except AnswerTooLargeError as error:
            raise AnswerTooLargeError(
                f"body_size_limit exceeded: {error.message}", hint="raise body_size_limit of the job if it is meant"
            ) from None
        if answer.status != 200:
            raise ScrapeStatusError(f"server returned HTTP status {answer.status}")
        return answer

    return fetch


class ScrapeStatusError(HoldfastError):
    """A target answered with another status than 200."""

    code = "scrape_status"
