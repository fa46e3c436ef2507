"""HTTP at both ends: calls that leave the process, and errors that leave it as answers.

Owns the outbound client (timeouts, size caps, refused addresses), bounded decompression, and `problems`, the one table
of statuses. Refuses routes and the server: those are `web`'s.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.kernel.http import problems
    from holdfast.kernel.http.addresses import AddressPolicy
    from holdfast.kernel.http.answers import Answer, Call
    from holdfast.kernel.http.encodings import BoundedDecoder
    from holdfast.kernel.http.errors import (
        AddressRefusedError,
        AnswerTooLargeError,
        MediaTypeError,
        PeerError,
        PeerStatusError,
        SlowBodyError,
        TooLargeError,
    )
    from holdfast.kernel.http.network import resolve
    from holdfast.kernel.http.outbound import OutboundHttp
    from holdfast.kernel.http.proxies import NO_PROXIES, Proxies, proxy_url
    from holdfast.kernel.http.settings import SECTION, OutboundSettings

__all__ = [
    "NO_PROXIES",
    "SECTION",
    "AddressPolicy",
    "AddressRefusedError",
    "Answer",
    "AnswerTooLargeError",
    "BoundedDecoder",
    "Call",
    "MediaTypeError",
    "OutboundHttp",
    "OutboundSettings",
    "PeerError",
    "PeerStatusError",
    "Proxies",
    "SlowBodyError",
    "TooLargeError",
    "problems",
    "proxy_url",
    "resolve",
]

_HOMES = {
    "addresses": "AddressPolicy",
    "answers": "Answer Call",
    "encodings": "BoundedDecoder",
    "errors": "AddressRefusedError AnswerTooLargeError MediaTypeError PeerError PeerStatusError SlowBodyError "
    "TooLargeError",
    "network": "resolve",
    "outbound": "OutboundHttp",
    "proxies": "NO_PROXIES Proxies proxy_url",
    "settings": "SECTION OutboundSettings",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
