"""What a check file may say under `http`. Strict: an unknown key is an error with a suggestion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from holdfast.health.probes.http.urls import UrlText
from holdfast.health.probes.limits import DaysLeft, DurationLimits, Latency
from holdfast.health.probes.network import Family, TlsOptions
from holdfast.kernel.units import Size

_STRICT: Final = ConfigDict(extra="forbid")
_STATUS: Final = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.IGNORECASE)
UNSET: Final = "\0unset"


class HttpVersion(StrEnum):
    """Which HTTP to speak: `2` is prior knowledge without TLS; `auto` lets the TLS handshake choose."""

    ONE = "1.1"
    TWO = "2"
    AUTO = "auto"


def _version(given: Any) -> Any:
    return str(given) if isinstance(given, int | float) else given


def parse_statuses(given: Any) -> str:
    """Check one status, class or range, such as `204`, `2xx` or `200-299`.

    Raises:
        ValueError: it is none of them.
    """
    text = str(given)
    if not _STATUS.fullmatch(text):
        raise ValueError(f"{given!r} is not a status: write one such as 204, 2xx or 200-299")
    return text.lower()


def statuses_of(texts: tuple[str, ...]) -> frozenset[int]:
    """Give all statuses that `texts` allow."""
    allowed: set[int] = set()
    for text in texts:
        match = _STATUS.fullmatch(text)
        assert match is not None
        hundreds, first, last = match.groups()
        begin = int(hundreds) * 100 if hundreds else int(first)
        allowed.update(range(begin, begin + 100) if hundreds else range(begin, int(last or first) + 1))
    return frozenset(allowed)


def _listed(given: Any) -> Any:
    return given if isinstance(given, list | tuple) else [given]


Status = Annotated[str, BeforeValidator(parse_statuses)]
Statuses = Annotated[tuple[Status, ...], BeforeValidator(_listed), Field(min_length=1)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(_listed)]


@dataclass(frozen=True, slots=True)
class Basic:
    """Basic authentication.

    Attributes:
        username: sent as it is.
        password: a reference to a secret, such as `${env:PASSWORD}`.
    """

    __pydantic_config__: ClassVar = _STRICT

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Auth:
    """How to log in: one of the two.

    Attributes:
        basic: user name and password.
        bearer: a token, usually a reference such as `${file:/var/run/token}`.
    """

    __pydantic_config__: ClassVar = _STRICT

    basic: Basic | None = None
    bearer: str | None = None

    def __post_init__(self) -> None:
        if (self.basic is None) == (self.bearer is None):
            raise ValueError("write either basic or bearer")


@dataclass(frozen=True, slots=True)
class HeaderExpectation:
    """What a response header must be; without a condition it must be there.

    Attributes:
        name: the header, in any case.
        equals: its whole value.
        matches: a regular expression found in it.
        absent: true if it must not be there.
    """

    __pydantic_config__: ClassVar = _STRICT

    name: str
    equals: str | None = None
    matches: re.Pattern[str] | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class BodyExpectation:
    """What the body must say, as text.

    Attributes:
        contains: texts that must be in it.
        excludes: texts that must not be in it.
        matches: regular expressions that must be found in it.
    """

    __pydantic_config__: ClassVar = _STRICT

    contains: Texts = ()
    excludes: Texts = ()
    matches: Patterns = ()


@dataclass(frozen=True, slots=True)
class JsonExpectation:
    """What a part of a JSON body must be. Every value that the path selects must pass, and there must be one.

    Attributes:
        path: a JSON path (RFC 9535), such as `$.checks[*].status`.
        equals: the value, of any JSON type.
        matches: a regular expression found in the value's text.
        min: the least number.
        max: the greatest number.
        exists: false if the path must select nothing.
    """

    __pydantic_config__: ClassVar = _STRICT

    path: str
    equals: Any = UNSET
    matches: re.Pattern[str] | None = None
    min: float | None = None
    max: float | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Expect:
    """What the answer must be like.

    Attributes:
        status: allowed statuses: `204`, `2xx`, `200-299`, or a list of them.
        latency: limits on the whole attempt, from name lookup to the last byte.
        headers: what headers must be.
        body: what the text must say.
        json: what values in a JSON body must be.
        json_schema: a JSON Schema that the body must obey.
        certificate: days that the server's certificate must still last.
    """

    __pydantic_config__: ClassVar = _STRICT

    status: Statuses = ("2xx",)
    latency: Latency = field(default_factory=DurationLimits)
    headers: tuple[HeaderExpectation, ...] = ()
    body: BodyExpectation = field(default_factory=BodyExpectation)
    json: tuple[JsonExpectation, ...] = ()
    json_schema: Mapping[str, Any] | bool | None = None
    certificate: DaysLeft | None = None


def _method(given: str) -> str:
    if not re.fullmatch(r"[A-Z]{1,20}", given):
        raise ValueError("a method is written in capital letters, such as GET or POST")
    return given


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """A request and what its answer must be like.

    Attributes:
        url: absolute http or https URL, without credentials.
        method: request method.
        headers: request headers; values may hold secrets, `${env:NAME}`.
        auth: basic or bearer authentication.
        body: request body; may hold secrets.
        redirects: how many redirects to follow; 0 judges the redirect itself.
        http_version: `1.1`, `2` or `auto`.
        ip: which addresses of the name to use: `any`, `4` or `6`.
        tls: whom to trust and who we are, for https.
        max_body: the largest body to read; a larger one is down.
        expect: what the answer must be like.
    """

    __pydantic_config__: ClassVar = _STRICT

    url: UrlText
    method: Annotated[str, AfterValidator(_method)] = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth | None = None
    body: str = ""
    redirects: Annotated[int, Field(ge=0, le=20)] = 5
    http_version: Annotated[HttpVersion, BeforeValidator(_version)] = HttpVersion.ONE
    ip: Family = Family.ANY
    tls: TlsOptions = field(default_factory=TlsOptions)
    max_body: Size = 10_000_000
    expect: Expect = field(default_factory=Expect)
