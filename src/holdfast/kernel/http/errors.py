"""Errors of HTTP, in and out."""

from __future__ import annotations

from holdfast.kernel.errors import NEVER, DeniedError, InvalidError, LimitError, UnavailableError


class TooLargeError(LimitError):
    """A body is larger than the limit, before or after decompression."""

    code = "too_large"
    retry = NEVER


class MediaTypeError(InvalidError):
    """The body is of a type, or compressed in a way, that is not taken here."""

    code = "unsupported_media_type"


class SlowBodyError(LimitError):
    """The rest of a request's body did not arrive in time."""

    code = "slow_body"


class AddressRefusedError(DeniedError):
    """The destination is an address that outbound calls may not reach."""

    code = "address_refused"


class PeerError(UnavailableError):
    """The other side answered with something that is not HTTP, or closed in the middle."""

    code = "peer_broken"


class PeerStatusError(PeerError):
    """The other side answered with a status that says no; `retry_after` is its header of that name."""

    def __init__(self, message: str, *, status: int, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after


class AnswerTooLargeError(PeerError):
    """The other side's answer is larger than the limit; it was not read to its end."""

    code = "answer_too_large"
