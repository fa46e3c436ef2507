"""The HTTP front: one app of all rooms' routes, guarded and bounded, with the console behind it, and its server.

Owns middlewares, `/livez`, `/readyz`, `/metrics`, the OpenAPI document and the socket. Refuses routes of its own beyond
those and `/status`, and anything that knows what a check or an event is.
"""

from holdfast.web.assembly import WebApp, build_app
from holdfast.web.front import build, listen_address
from holdfast.web.rehearsal import rehearse
from holdfast.web.safety import hosts_to_answer, is_loopback
from holdfast.web.server import bind, parse_listen, serve
from holdfast.web.settings import SECTION, WebSettings

__all__ = [
    "SECTION",
    "WebApp",
    "WebSettings",
    "bind",
    "build",
    "build_app",
    "hosts_to_answer",
    "is_loopback",
    "listen_address",
    "parse_listen",
    "rehearse",
    "serve",
]
