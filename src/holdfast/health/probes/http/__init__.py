"""HTTP for probes: one fresh connection per request, HTTP/1.1 and HTTP/2, expectations on the answer.

Owns the `http` kind and the client that product kinds ask through. Refuses connection pools and cookies: a check
must see what a new client sees.
"""

from holdfast.health.probes.http.client import Call, fetch
from holdfast.health.probes.http.kind import KIND, HttpProbe
from holdfast.health.probes.http.messages import Request, Response, describe_status
from holdfast.health.probes.http.spec import Auth, Basic, HttpSpec, HttpVersion
from holdfast.health.probes.http.urls import Url, UrlText, parse_url

__all__ = [
    "KIND",
    "Auth",
    "Basic",
    "Call",
    "HttpProbe",
    "HttpSpec",
    "HttpVersion",
    "Request",
    "Response",
    "Url",
    "UrlText",
    "describe_status",
    "fetch",
    "parse_url",
]
