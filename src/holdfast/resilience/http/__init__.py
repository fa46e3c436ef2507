"""Calls other people's HTTP services from async and from plain code; needs `pip install "holdfast[http]"`.

Owns a client on httpx that puts each call under a policy, repeats only what may be repeated, stops before a limit
is hit, and raises typed errors without secrets. Refuses unbounded answers and pages; the server's own calls are
`kernel.http`'s.
"""

from holdfast.resilience.http.async_client import AsyncHttpClient
from holdfast.resilience.http.auth import ApiKey, Basic, Bearer, HmacSigning
from holdfast.resilience.http.errors import (
    AnswerTooLarge,
    BadAnswer,
    Conflict,
    Forbidden,
    HttpError,
    Invalid,
    NotFound,
    PagingError,
    PeerAway,
    PeerSlow,
    Problem,
    QuotaSpent,
    ServerFault,
    ServerUnavailable,
    StatusError,
    TooManyRequests,
    Unauthorized,
)
from holdfast.resilience.http.exchange import ClientOptions
from holdfast.resilience.http.oauth import ClientCredentials
from holdfast.resilience.http.paging import Cursor, LinkHeader, Offset, PageNumber, Paging
from holdfast.resilience.http.redaction import redact_headers, redact_url
from holdfast.resilience.http.sync_client import HttpClient

__all__ = [
    "AnswerTooLarge",
    "ApiKey",
    "AsyncHttpClient",
    "BadAnswer",
    "Basic",
    "Bearer",
    "ClientCredentials",
    "ClientOptions",
    "Conflict",
    "Cursor",
    "Forbidden",
    "HmacSigning",
    "HttpClient",
    "HttpError",
    "Invalid",
    "LinkHeader",
    "NotFound",
    "Offset",
    "PageNumber",
    "Paging",
    "PagingError",
    "PeerAway",
    "PeerSlow",
    "Problem",
    "QuotaSpent",
    "ServerFault",
    "ServerUnavailable",
    "StatusError",
    "TooManyRequests",
    "Unauthorized",
    "redact_headers",
    "redact_url",
]
