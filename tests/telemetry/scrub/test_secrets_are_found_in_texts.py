"""What is found in texts, what is not, and what becomes of a find."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.secrets import LEAKS
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.scrub import Action, Kind, OwnPattern, TextScrubber

ALL = TextScrubber(dict.fromkeys(Kind, Action.MASK), (), b"salt")


def scrub(text: str, scrubber: TextScrubber = ALL) -> str:
    return scrubber.scrub([text]).texts[0]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.text[:20])
def test_a_secret_of_each_kind_is_masked_and_counted_and_the_rest_stays(leak):
    scrubbed = ALL.scrub([leak.text])
    assert leak.secret not in scrubbed.texts[0]
    assert f"[{leak.kind}]" in scrubbed.texts[0]
    assert scrubbed.finds == {(leak.kind, Action.MASK): 1}


@pytest.mark.parametrize(
    "text",
    [
        "ts=2021-06-10T09:14:29.123456789+10:00 caller=orders.go:12 duration=12.5ms",
        "1700000000000 1700000000000000000 200 532 1043 5",
        "card 4111 1111 1111 1112 has a wrong check digit, 0000000000000000 none at all",
        "DE88 3704 0044 0532 0130 00 is no IBAN",
        "std::fs::read abc::dead 12:34:56 v1.2.3.4.5 1.2.3 ::",
        "trace 5b8efff798038103d269b633813fc60c span eee19b7ec3c1b174 id 7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "http://example.com:8080/a@b password: null secret manager started, the token expired",
        "2026-11-28 10:00 +0100 -0700",
    ],
)
def test_what_only_looks_like_a_secret_stays(text):
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("5555 4111-1111-1111-1111", "5555 [card]"),
        ("postgres://app:p@ss@db.example.com/x", "postgres://app:[url_password]@db.example.com/x"),
        ('{"m":"a\\nbob@example.org","card":4111111111111111}', '{"m":"a\\n[email]","card":"[card]"}'),
        ("x%204111111111111111&y=bob%40example.org", "x%20[card]&y=[email]"),
        ("from 10.0.0.7:80, [2001:db8::8a2e:370:7334]:443 and ::1", "from [ip]:80, [[ip]]:443 and [ip]"),
        ('{"password":1234,"user":"x"}', '{"password":"[password]","user":"x"}'),
        ("müller@exämple.de \ud800 bob@example.org", "[email] \ud800 [email]"),
    ],
)
def test_only_the_secret_goes(text, kept):
    assert scrub(text) == kept


def test_actions_mask_hash_and_drop():
    own = (OwnPattern("order", "order-([0-9]+)", Action.HASH),)
    scrubber = TextScrubber({Kind.EMAIL: Action.DROP, Kind.CARD: Action.KEEP}, own, b"salt")
    scrubbed = scrubber.scrub(["order-77 of a@b.de", "order-77", "4111111111111111", ""])
    first, second, third, fourth = scrubbed.texts
    assert first == f"{second} of "
    assert second.startswith("order-[order:")
    assert (third, fourth) == ("4111111111111111", "")
    assert scrubbed.dropped == {0}
    other = TextScrubber({}, own, b"other salt").scrub(["order-77"]).texts[0]
    assert other != second


@pytest.mark.parametrize("action", [Action.MASK, Action.HASH])
@pytest.mark.parametrize("leak", LEAKS)
def test_what_was_scrubbed_where_it_was_sent_from_stays_as_it_is(action, leak):
    scrubber = TextScrubber(dict.fromkeys(Kind, action), (), b"salt")
    once = scrubber.scrub([leak.text]).texts
    again = scrubber.scrub(once)
    assert (again.texts, again.finds) == (once, {})


def test_a_private_key_goes_though_its_lines_come_one_by_one():
    begin, end = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
    kept = ALL.scrub(["before", begin, "MIIEpAIB", "AAKCAQEA", end, "after"]).texts
    assert kept == ["before", *["[private_key]"] * 4, "after"]


def test_an_own_pattern_sees_the_ends_of_its_line_among_many():
    scrubber = TextScrubber({}, (OwnPattern("whole", "^secret .*$"),), b"")
    assert scrubber.scrub(["a secret 1", "secret 2", "", "secret 3"]).texts == ["a secret 1", "[whole]", "", "[whole]"]


@pytest.mark.parametrize("expression", ["(?=a)b", "a*", "(", r"(a)\1"])
def test_a_bad_own_pattern_is_refused_with_its_text(expression):
    with pytest.raises(InvalidError, match="expression") as refused:
        TextScrubber({}, (OwnPattern("own", expression),), b"")
    assert expression in str(refused.value)


@given(st.lists(st.one_of(st.sampled_from(LEAKS).map(lambda leak: leak.text), st.text(string.printable))))
def test_many_texts_come_out_as_each_alone(texts):
    together = ALL.scrub(texts).texts
    assert len(together) == len(texts)
    for text, kept in zip(texts, together, strict=True):
        if "PRIVATE" not in text:  # a key may go over several records
            assert kept == scrub(text)


@given(st.dictionaries(st.text("ab_", min_size=1), st.sampled_from(LEAKS).map(lambda leak: leak.text)))
def test_json_stays_json_and_keeps_no_secret(document):
    kept = scrub(json.dumps(document))
    assert json.loads(kept).keys() == document.keys()


@pytest.mark.parametrize(
    "piece", ["4444 ", "::", "a@", "eyJ.", "password=", "+1 ", "-----BEGIN PRIVATE KEY-----", "://:"]
)
def test_a_hostile_line_comes_out_whole(piece):
    text = piece * (20_000 // len(piece))
    assert scrub(f"{text} bob@example.org").endswith("[email]") or piece in {"a@", "password=", "://:"}
