"""Messages of RFC 5424, RFC 3164 and of senders that keep to neither; streams cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.syslog.framing import Framing
from holdfast.telemetry.logs.syslog.messages import Message, read_message

NOW_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z


def told(severity: str, facility: str, **more: str) -> tuple[tuple[str, str], ...]:
    return ("severity_text", severity), ("facility", facility), *more.items()


# The first three are the examples of RFC 5424, 6.5, and RFC 3164, 5.4.
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
            Message(
                "'su root' failed",
                1_065_910_455_003_000_000,
                "critical",
                "mymachine.example.com",
                "su",
                told("crit", "auth", message_id="ID47"),
            ),
        ),
        (
            b'<165>1 2003-10-11T22:14:15.003Z m evntslog 77 ID47 [a@1 iut="3" q="\\"x\\]"][b@1 y="z"] An event',
            Message(
                "An event",
                1_065_910_455_003_000_000,
                "info",
                "m",
                "evntslog",
                (
                    *told("notice", "local4", process_pid="77", message_id="ID47"),
                    *(("a@1.iut", "3"), ("a@1.q", '"x]'), ("b@1.y", "z")),
                ),
            ),
        ),
        (
            b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            Message(
                "'su root' failed for lonvick on /dev/pts/8",
                1_697_062_455_000_000_000,
                "critical",
                "mymachine",
                "su",
                told("crit", "auth"),
            ),
        ),
        (
            b"<30>2023-11-14T22:13:20.5+00:00 web-1 systemd[1]: Started.\n",
            Message(
                "Started.", NOW_NS + 500_000_000, "info", "web-1", "systemd", told("info", "daemon", process_pid="1")
            ),
        ),
        (
            b"<11>order 7 failed: no stock\0",
            Message("order 7 failed: no stock", None, "error", pairs=told("err", "user")),
        ),
        (b"<14>shop: paid", Message("paid", None, "info", app="shop", pairs=told("info", "user"))),
        (b"<14>1 - - - - - -", Message("", None, "info", pairs=told("info", "user"))),
        (b"<14>1 - - - - - [broken", Message("[broken", None, "info", pairs=told("info", "user"))),
        (b"<999>x", Message("<999>x")),
        (b"no header", Message("no header")),
        (b"\xff", Message("\ufffd")),
        (b"", Message("")),
    ],
)
def test_messages_are_read(data, message):
    assert read_message(data, NOW_NS) == message


@given(
    st.binary() | st.binary().map(lambda data: b"<14>1 " + data) | st.text().map(lambda text: f"<13>{text}".encode())
)
def test_no_message_makes_it_fail(data):
    assert isinstance(read_message(data, NOW_NS), Message)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


messages = st.lists(st.binary(max_size=30).map(lambda body: b"<14>" + body.translate(None, b"\n\0")), min_size=1)


@given(messages, st.lists(st.integers(0, 1000)), st.sampled_from([b"\n", b"\0", b"\r\n", None]))
def test_messages_come_out_however_the_stream_is_cut(sent, places, end):
    if end is None:
        data = b"".join(b"%d %s" % (len(each), each) for each in sent)
    else:
        data = b"".join(each + end for each in sent)
    framing = Framing(1000)
    found = [message for part in cut(data, places) for message in framing.feed(part)]
    if end == b"\r\n":
        assert [each.rstrip(b"\r") for each in found] == [each.rstrip(b"\r") for each in sent]
    else:
        assert found == sent
    assert framing.rest() == []


def test_a_counted_message_may_hold_line_ends():
    assert list(Framing(100).feed(b"7 <14>a\nb5 <14>c")) == [b"<14>a\nb", b"<14>c"]


def test_lines_that_are_too_long_are_left_out():
    framing = Framing(10)
    found = [
        message for part in (b"<14>one\n<14>", b"x" * 50, b"y" * 50, b"\n<14>two\n") for message in framing.feed(part)
    ]
    assert (found, framing.too_long) == ([b"<14>one", b"<14>two"], 1)


@pytest.mark.parametrize("data", [b"5 <14>axx 5 <14>b", b"99999999 <14>a", b"5 <14>a-3 x"])
def test_wrong_counts_end_the_connection(data):
    with pytest.raises(InvalidError):
        list(Framing(100).feed(data))


@given(st.binary(), st.lists(st.integers(0, 1000)))
def test_no_stream_makes_it_grow(data, places):
    framing = Framing(20)
    try:
        found = [message for part in cut(data, places) for message in framing.feed(part)]
    except InvalidError:
        return
    assert all(len(message) <= 20 for message in found)
