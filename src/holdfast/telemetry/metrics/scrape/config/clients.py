"""How a scrape or a discovery calls out, as Prometheus' files say it: credentials, TLS, proxies, headers.

Shapes and what may not stand together. Who turns them into calls is `scrape.calling`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import ConfigDict

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import proxy_url
from holdfast.kernel.secrets import Secret
from holdfast.telemetry.metrics.scrape.config.scalars import Flag
from holdfast.telemetry.metrics.scrape.config.urls import is_url

_STRICT: Final = ConfigDict(extra="forbid")
NONE: Final = Secret("")
TlsVersion = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
# What a client sets itself, or has a field of its own for (Prometheus, config.ReservedHeaders).
RESERVED_HEADERS: Final = frozenset(
    {
        "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection",
        "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding",
        "x-prometheus-remote-write-version", "x-prometheus-remote-read-version", "x-amz-date", "x-amz-security-token",
        "x-amz-content-sha256",
    }
)  # fmt: skip
_OWN_HEADERS: Final = RESERVED_HEADERS | {"x-prometheus-scrape-timeout-seconds"}
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ALGORITHMS: Final = {"", "RS256", "RS384", "RS512"}


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A name and a password, given here or in files."""

    __pydantic_config__ = _STRICT

    username: str = ""
    username_file: str = ""
    username_ref: str = ""
    password: Secret = NONE
    password_file: str = ""
    password_ref: str = ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The `Authorization` header: a type and credentials, given here or in a file."""

    __pydantic_config__ = _STRICT

    type: str = "Bearer"
    credentials: Secret = NONE
    credentials_file: str = ""
    credentials_ref: str = ""


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Certificates and versions."""

    __pydantic_config__ = _STRICT

    ca: str = ""
    cert: str = ""
    key: Secret = NONE
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    ca_ref: str = ""
    cert_ref: str = ""
    key_ref: str = ""
    server_name: str = ""
    insecure_skip_verify: Flag = False
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Credentials that are traded for a token."""

    __pydantic_config__ = _STRICT

    client_id: str = ""
    client_secret: Secret = NONE
    client_secret_file: str = ""
    client_secret_ref: str = ""
    client_certificate_key_id: str = ""
    client_certificate_key: Secret = NONE
    client_certificate_key_file: str = ""
    client_certificate_key_ref: str = ""
    signature_algorithm: str = ""
    grant_type: str = ""
    iss: str = ""
    audience: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    token_url: str = ""
    endpoint_params: Mapping[str, str] = field(default_factory=dict)
    tls_config: TlsConfig = TlsConfig()
    proxy_url: str = ""
    no_proxy: str = ""
    proxy_from_environment: Flag = False
    proxy_connect_header: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeaderValues:
    """The values of one further header."""

    __pydantic_config__ = _STRICT

    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What every section that calls out may say."""

    __pydantic_config__ = _STRICT

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: OAuth2 | None = None
    bearer_token: Secret = NONE
    bearer_token_file: str = ""
    tls_config: TlsConfig = TlsConfig()
    proxy_url: str = ""
    no_proxy: str = ""
    proxy_from_environment: Flag = False
    proxy_connect_header: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    follow_redirects: Flag = True
    enable_http2: Flag = True
    http_headers: Mapping[str, HeaderValues] = field(default_factory=dict)

    @property
    def is_default(self) -> bool:
        """Tell whether nothing was said about calling out."""
        empty = ClientConfig()
        return all(getattr(self, name) == getattr(empty, name) for name in ClientConfig.__dataclass_fields__)


def client_faults(client: ClientConfig) -> Iterator[tuple[str, str]]:
    """Give what may not stand together, each with its field."""
    bearer = bool(client.bearer_token) + bool(client.bearer_token_file)
    ways = (client.basic_auth is not None) + (client.oauth2 is not None)
    ways += (client.authorization is not None) + bool(bearer)
    if bearer > 1:
        yield "bearer_token", "give only one of bearer_token and bearer_token_file"
    if ways > 1:
        yield "basic_auth", "give only one of basic_auth, authorization, oauth2 and bearer_token"
    if client.basic_auth is not None:
        yield from _basic_faults(client.basic_auth)
    if client.authorization is not None:
        if client.authorization.type.strip().lower() == "basic":
            yield "authorization", "the type cannot be basic: use basic_auth"
        yield from (("authorization", message) for message in _twice(client.authorization, "credentials"))
    if client.oauth2 is not None:
        yield from _oauth_faults(client.oauth2)
    yield from (("tls_config", message) for message in tls_faults(client.tls_config))
    yield from _proxy_faults(client)
    for name in client.http_headers:
        if name.lower() in _OWN_HEADERS:
            yield "http_headers", f"the header {name!r} cannot be set here"


def _basic_faults(basic: BasicAuth) -> Iterator[tuple[str, str]]:
    yield from (("basic_auth", message) for message in _twice(basic, "username", "password"))


def _oauth_faults(oauth: OAuth2) -> Iterator[tuple[str, str]]:
    if not oauth.client_id:
        yield "oauth2", "client_id is missing"
    if not oauth.token_url:
        yield "oauth2", "token_url is missing"
    if oauth.grant_type == _JWT_GRANT:
        yield from (("oauth2", message) for message in _twice(oauth, "client_certificate_key"))
        if oauth.signature_algorithm not in _ALGORITHMS:
            yield "oauth2", f"{oauth.signature_algorithm!r} is none of RS256, RS384 and RS512"
    else:
        yield from (("oauth2", message) for message in _twice(oauth, "client_secret"))
    yield from (("oauth2", message) for message in tls_faults(oauth.tls_config))
    yield from (("oauth2", message) for _, message in _proxy_faults(oauth))


def tls_faults(tls: TlsConfig) -> Iterator[str]:
    """Give what may not stand together in certificates and keys."""
    yield from _twice(tls, "ca", "cert", "key")
    if bool(tls.cert or tls.cert_file or tls.cert_ref) != bool(tls.key or tls.key_file or tls.key_ref):
        yield "a client certificate needs its key, and a key its certificate"
    if tls.min_version and tls.max_version and tls.max_version < tls.min_version:
        yield "max_version is below min_version"


def _twice(section: Any, *names: str) -> Iterator[str]:
    """Say what is given in more than one way: here, in a file, or by the name that a manager of secrets knows."""
    for name in names:
        ways = (name, f"{name}_file", f"{name}_ref")
        if sum(bool(getattr(section, way)) for way in ways) > 1:
            yield f"give only one of {ways[0]}, {ways[1]} and {ways[2]}"


def client_warnings(client: ClientConfig) -> Iterator[tuple[str, str]]:
    """Give what is valid, and does nothing here, each with its field."""
    oauth = client.oauth2
    if oauth is not None and (oauth.grant_type not in {"", "client_credentials"} or oauth.client_certificate_key_file):
        yield (
            "oauth2",
            "tokens are traded for client_secret only: no JWT is signed, so calls will be refused",
        )
    parts = {"basic_auth": client.basic_auth, "authorization": client.authorization, "oauth2": oauth}
    for part, section in {**parts, "tls_config": client.tls_config}.items():
        for name in () if section is None else section.__dataclass_fields__:
            if name.endswith("_ref") and getattr(section, name):
                yield part, f"{name} is not read: there is no manager of secrets, so calls go without"


def _proxy_faults(client: ClientConfig | OAuth2) -> Iterator[tuple[str, str]]:
    if not is_url(client.proxy_url):
        yield "proxy_url", "the URL of the proxy is none"
    elif client.proxy_url:
        try:
            proxy_url(client.proxy_url)
        except InvalidError as error:
            yield "proxy_url", str(error)
    if client.proxy_from_environment and (client.proxy_url or client.no_proxy):
        yield "proxy_from_environment", "do not give proxy_url or no_proxy with proxy_from_environment"
    if client.no_proxy and not client.proxy_url:
        yield "no_proxy", "no_proxy needs a proxy_url"
    if client.proxy_connect_header and not (client.proxy_url or client.proxy_from_environment):
        yield "proxy_connect_header", "proxy_connect_header needs a proxy"
