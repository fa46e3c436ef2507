"""Why something was left out: stable names, what each means, and what to change.

A name may mean other things for other signals, so a meaning is looked up by both. `comes_again` says that the sender
was told to send the same later: such records are not lost while it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from holdfast.kernel.http import problems
from holdfast.telemetry.ledger.signals import Signal

if TYPE_CHECKING:
    from holdfast.kernel.errors import HoldfastError


class Reason(StrEnum):
    """The names, as the API, the store and the console know them."""

    SAMPLED = "sampled"
    TAIL_SAMPLED = "tail_sampled"
    RATE_LIMIT = "rate_limit"
    PUT_OFF = "put_off"
    LINE_TOO_LONG = "line_too_long"
    METADATA_TOO_LARGE = "metadata_too_large"
    STREAM_LIMIT = "stream_limit"
    SERIES_LIMIT = "series_limit"
    DELTA_LIMIT = "delta_limit"
    SCRAPE_LIMIT = "scrape_limit"
    SCRAPE_LOST = "scrape_lost"
    OUT_OF_RANGE = "out_of_range"
    TOO_OLD = "too_old"
    OUT_OF_ORDER = "out_of_order"
    LABELS = "labels"
    HISTOGRAM = "histogram"
    IDS = "invalid_ids"
    UNSUPPORTED = "unsupported"
    MALFORMED = "malformed"
    BODY_TOO_LARGE = "body_too_large"
    SLOW_BODY = "slow_body"
    UNAUTHENTICATED = "unauthenticated"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    NOT_ALLOWED = "not_allowed"
    SENDER_RATE = "sender_rate"
    CONNECTIONS = "connections"
    QUEUE_FULL = "queue_full"
    CUT_OFF = "cut_off"
    LOST = "lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means, what to do about it, and by which settings, where there are any."""

    meaning: str
    fix: str
    settings: tuple[str, ...] = ()
    comes_again: bool = False


_ANY: Final[dict[Reason, Meaning]] = {
    Reason.PUT_OFF: Meaning(
        "Requests were answered with 429: more came than may, or than there was time for.",
        "Send less at once or by fewer senders; the sender must try again.",
        (),
        comes_again=True,
    ),
    Reason.MALFORMED: Meaning(
        "Bodies could not be read as what their address and Content-Type say.",
        "Look at the answer that the sender got: it names the first fault.",
    ),
    Reason.BODY_TOO_LARGE: Meaning(
        "Bodies were larger than the limit, as they came or once decompressed.",
        "Have the sender batch less, or raise the limit.",
        ("web.max_body",),
    ),
    Reason.SLOW_BODY: Meaning(
        "Nothing of a body came for half a minute, and the request was given up.",
        "Look at the network between the sender and this server.",
        (),
        comes_again=True,
    ),
    Reason.UNAUTHENTICATED: Meaning(
        "Requests came without a token, or with one that is unknown, revoked or expired.",
        "Make a token with `holdfast token add`, and give it to the sender as `Authorization: Bearer ...`.",
    ),
    Reason.DENIED: Meaning(
        "The sender's token is good, but may not write this signal or for this tenant.",
        "Make a token with that permission, and for the tenant that X-Scope-OrgID names.",
    ),
    Reason.UNAVAILABLE: Meaning(
        "The store did not take it: it was busy, full or away.",
        "Look at `holdfast storage` for the room on the disk; the sender must try again.",
        ("telemetry.reserve", "telemetry.queue_rows"),
        comes_again=True,
    ),
    Reason.OTHER: Meaning(
        "Requests were refused for a reason that has no name of its own.",
        "Look at the answer that the sender got, and at the server's log.",
    ),
    Reason.LABELS: Meaning(
        "Labels have names or lengths that may not enter.",
        "Mend the labels where they are made; the sender was told which.",
        ("remote_write.max_labels", "remote_write.max_label_name", "remote_write.max_label_value"),
    ),
    Reason.OUT_OF_RANGE: Meaning(
        "Times lie before 1970 or centuries ahead; of what is scraped, ten minutes.",
        "Mend the sender's clock, or the unit in which it writes times.",
    ),
    Reason.TOO_OLD: Meaning(
        "Times lie further back than is kept, so that it leaves with the next cleaning of the store.",
        "Mend the sender's clock or backlog, keep longer, or count what is kept from its arrival.",
        ("telemetry.retention", "metrics.retention_counts", "logs.retention_counts"),
    ),
    Reason.UNSUPPORTED: Meaning(
        "It is of a kind that is not kept, or contradicts itself.",
        "Have the sender leave it out; the answer that it got says what is not taken.",
    ),
}
_OWN: Final[dict[tuple[Signal, Reason], Meaning]] = {
    (Signal.LOGS, Reason.SAMPLED): Meaning(
        "Sampling leaves these records out on purpose.",
        "Keep more with a smaller `keep_one_in`, or take the rule away.",
        ("log_limits.sampling",),
    ),
    (Signal.LOGS, Reason.RATE_LIMIT): Meaning(
        "A stream sent faster than it may, and lost what was too much.",
        "Find the stream with `holdfast logs usage --by ''`; send less, or raise its rate.",
        ("log_limits.streams",),
    ),
    (Signal.LOGS, Reason.PUT_OFF): Meaning(
        "The tenant, or all streams of a request, sent faster than they may, and was told to send again later.",
        "Send less, sample, or raise the rate.",
        ("log_limits.lines_per_s", "log_limits.bytes_per_s", "log_limits.streams"),
        comes_again=True,
    ),
    (Signal.LOGS, Reason.LINE_TOO_LONG): Meaning(
        "Lines were longer than any may be, or than those of their stream.",
        "Cut them where they are written, or raise the limit.",
        ("logs.max_line", "log_limits.streams", "syslog.max_message"),
    ),
    (Signal.LOGS, Reason.METADATA_TOO_LARGE): Meaning(
        "The attributes of a record had more letters than it may have.",
        "Send fewer or shorter attributes, or raise the limit.",
        ("logs.max_metadata",),
    ),
    (Signal.LOGS, Reason.STREAM_LIMIT): Meaning(
        "New streams were kept out: the tenant has as many as it may.",
        "Take labels of many values out of the streams and send them as attributes, or raise the limit.",
        ("logs.max_streams",),
    ),
    (Signal.LOGS, Reason.LABELS): Meaning(
        "The labels of streams could not be read.", "Mend them where they are made; the sender was told which."
    ),
    (Signal.LOGS, Reason.NOT_ALLOWED): Meaning(
        "Syslog came from addresses that may not send it.",
        "Add their network, or stop the sender; `holdfast_syslog_dropped_total` counts on.",
        ("syslog.allow",),
    ),
    (Signal.LOGS, Reason.SENDER_RATE): Meaning(
        "Datagrams of syslog came faster from an address than they may, and were lost before they were read.",
        "Send less, send over TCP, where senders wait, or raise the rate.",
        ("syslog.sender_rate",),
    ),
    (Signal.LOGS, Reason.CONNECTIONS): Meaning(
        "Connections of syslog were closed as they came: as many are open as may be, in all or of their address.",
        "Close what is not used, or raise the limit.",
        ("syslog.max_connections", "syslog.sender_connections"),
    ),
    (Signal.LOGS, Reason.QUEUE_FULL): Meaning(
        "Datagrams of syslog came faster than the store takes them, and were lost before they were read.",
        "Send over TCP, where senders wait, or let more of them wait here.",
        ("syslog.queue",),
    ),
    (Signal.LOGS, Reason.CUT_OFF): Meaning(
        "Messages of syslog did not say how long they are, were longer than one may be, or ended in the middle.",
        "Look at the server's log: it names the sender. Have it frame messages as RFC 6587 says.",
        ("syslog.max_message",),
    ),
    (Signal.LOGS, Reason.LOST): Meaning(
        "Syslog that had come could not be stored, for good or until the server stopped; it is not sent again.",
        "Look at `holdfast storage` for the room on the disk, and at the server's log.",
        ("telemetry.reserve",),
    ),
    (Signal.METRICS, Reason.SERIES_LIMIT): Meaning(
        "New series were kept out: the tenant, a metric or a sender has as many as it may.",
        "The page Cardinality names the metric, the sender and the label; take the label away, or raise the limit.",
        ("metrics.max_series", "metrics.max_series_per_metric", "metrics.max_series_per_origin"),
    ),
    (Signal.METRICS, Reason.DELTA_LIMIT): Meaning(
        "New delta series were kept out: more are summed up than may be.",
        "Have the sender export cumulative sums, or raise the limit.",
        ("otlp_metrics.delta_streams",),
    ),
    (Signal.METRICS, Reason.OUT_OF_ORDER): Meaning(
        "Delta points begin before the end of the one before, so that they would count twice.",
        "Let one sender alone send each series.",
    ),
    (Signal.METRICS, Reason.HISTOGRAM): Meaning(
        "Native histograms contradict themselves.", "Update the client library; the answer says what is wrong."
    ),
    (Signal.METRICS, Reason.SCRAPE_LIMIT): Meaning(
        "Pages of a target passed a limit of their job, and nothing of them counts.",
        "The page Targets says which; expose less, or raise the job's limit in prometheus.yml.",
        ("sample_limit", "body_size_limit", "label_limit", "target_limit"),
    ),
    (Signal.METRICS, Reason.SCRAPE_LOST): Meaning(
        "What was scraped could not be stored, and a scrape is not repeated.",
        "Look at `holdfast storage` for the room on the disk, and at the server's log.",
        ("telemetry.reserve",),
    ),
    (Signal.TRACES, Reason.TAIL_SAMPLED): Meaning(
        "No policy of tail sampling kept their traces.",
        "Raise a share or a rate, or add a policy for what should stay.",
        ("traces.sampling.policies",),
    ),
    (Signal.TRACES, Reason.TOO_OLD): Meaning(
        "Spans began further back than they are kept, or say no time at all, and leave with the next cleaning.",
        "Mend the sender's clock or backlog, or keep longer; with tail sampling spans stay from their arrival.",
        ("telemetry.retention", "telemetry.retention_of.traces"),
    ),
    (Signal.TRACES, Reason.IDS): Meaning(
        "Spans have no valid trace id of 16 bytes and span id of 8.", "Update the sender's library."
    ),
}
REASONS: Final = tuple(Reason)
# What an error of a door is called, by its HTTP status; the codes of gRPC are made of the same errors.
DOOR_REASONS: Final[dict[int, Reason]] = {
    400: Reason.MALFORMED,
    401: Reason.UNAUTHENTICATED,
    403: Reason.DENIED,
    408: Reason.SLOW_BODY,
    413: Reason.BODY_TOO_LARGE,
    415: Reason.MALFORMED,
    422: Reason.MALFORMED,
    429: Reason.PUT_OFF,
    502: Reason.UNAVAILABLE,
    503: Reason.UNAVAILABLE,
    504: Reason.UNAVAILABLE,
    507: Reason.UNAVAILABLE,
}


_SAID: Final = {"limit": Reason.SERIES_LIMIT}  # what doors of metrics say to senders


def reason_of(said: str) -> Reason:
    """Give the reason that a sink or door calls `said`."""
    return _SAID.get(said) or (Reason(said) if said in REASONS else Reason.OTHER)


def reason_of_error(error: HoldfastError) -> Reason:
    """Give why an error left out what a request brought."""
    return DOOR_REASONS.get(problems.status_of(error), Reason.OTHER)


def meaning_of(signal: str, reason: str) -> Meaning:
    """Give what a reason means for a signal; of a name that a newer Holdfast wrote, that it is not known."""
    if reason not in REASONS or signal not in tuple(Signal):
        return Meaning("Written by a newer Holdfast that knows this reason.", "Look at its documentation.")
    known, of = Reason(reason), Signal(signal)
    return _OWN.get((of, known)) or _ANY.get(known) or _ANY[Reason.OTHER]


def meanings() -> list[tuple[Reason, str, Meaning]]:
    """Give every reason with the signal that it is of, or `any`, and what it means there."""
    own = [(reason, str(signal), meaning) for (signal, reason), meaning in _OWN.items()]
    return sorted([*own, *((reason, "any", meaning) for reason, meaning in _ANY.items())], key=lambda each: each[:2])
