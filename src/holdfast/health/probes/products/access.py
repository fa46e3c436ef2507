"""How to reach a product's HTTP API: the fields that those kinds share, and the calls made from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Auth, Call, Response, UrlText, fetch, parse_url
from holdfast.health.probes.network import Family, TlsOptions

MAX_BODY_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """An HTTP API.

    Attributes:
        url: its base, such as `https://search.example:9200`.
        auth: basic or bearer authentication.
        headers: further request headers; values may hold secrets, `${env:NAME}`.
        tls: whom to trust and who we are, for https.
        ip: which addresses of the name to use: `any`, `4` or `6`.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    url: UrlText
    auth: Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: TlsOptions = field(default_factory=TlsOptions)
    ip: Family = Family.ANY


def call_of(access: HttpAccess, path: str) -> Call:
    """Make the call of `path` below the base."""
    return Call(
        parse_url(access.url).join(path),
        headers=tuple(access.headers.items()),
        auth=access.auth,
        tls=access.tls,
        family=access.ip,
        max_body_bytes=MAX_BODY_BYTES,
    ).prepare()


async def fetch_ok(attempt: Attempt, call: Call, *allowed: int) -> Response:
    """Make `call` and give the answer if its status is 200 or one of `allowed`.

    Raises:
        FaultError: another status.
        OSError: the connection failed.
    """
    response = await fetch(attempt, call)
    attempt.facts["status_code"] = response.status
    if response.status != 200 and response.status not in allowed:
        raise FaultError(f"expected {call.url} to answer 200 OK, found {response.status_text}: {response.excerpt()}")
    return response
