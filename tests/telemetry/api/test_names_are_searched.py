"""The search of names for who types: what fits, how well, in which order, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.api.ranking import Search, likeness, spread

TIMES = {"start": "0", "end": "600"}


async def _lines(api, path, **params):
    answer = await api.get(f"/search/{path}", params={**TIMES, **params})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_metric_names_come_in_batches_with_what_is_said_of_them(prometheus_api):
    assert await _lines(prometheus_api, "metric_names", include_metadata="true") == [
        {"results": [{"name": "latency"}, {"name": "requests_total", "type": "counter", "help": "Requests."}]},
        {"status": "success", "has_more": False},
    ]
    assert await _lines(prometheus_api, "metric_names", batch_size="1", sort_by="alpha", sort_dir="dsc") == [
        {"results": [{"name": "requests_total"}]},
        {"results": [{"name": "latency"}]},
        {"status": "success", "has_more": False},
    ]
    assert await _lines(prometheus_api, "metric_names", limit="1") == [
        {"results": [{"name": "latency"}]},
        {"status": "success", "has_more": True},
    ]


async def test_names_and_values_of_labels_are_searched_among_the_series_that_match(prometheus_api):
    names = await _lines(prometheus_api, "label_names", **{"search[]": "jb", "include_score": "1"})
    assert [one["name"] for one in names[0]["results"]] == ["job"]
    assert 0 < names[0]["results"][0]["score"] < 1
    values = await _lines(prometheus_api, "label_values", label="job", **{"match[]": 'requests_total{job!="api"}'})
    assert values[0] == {"results": [{"name": "web"}]}
    nothing = await _lines(prometheus_api, "label_values", label="job", **{"search[]": "zz"})
    assert nothing == [{"results": []}, {"status": "success", "has_more": False}]


async def test_a_form_is_searched_with_too_and_the_best_come_first(prometheus_api):
    form = {**TIMES, "search[]": ["tot", "lat"], "sort_by": "score", "include_score": "true"}
    answer = await prometheus_api.post("/search/metric_names", data=form)
    first, second = json.loads(answer.text.splitlines()[0])["results"]
    assert first == {"name": "latency", "score": 1.0}
    assert second["name"] == "requests_total"


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("label_values", {}, 'missing required parameter "label"'),
        ("metric_names", {"fuzz_threshold": "101"}, "must be 0-100"),
        ("metric_names", {"fuzz_alg": "levenshtein"}, "none of subsequence, jarowinkler"),
        ("metric_names", {"case_sensitive": "maybe"}, "case_sensitive"),
        ("metric_names", {"sort_by": "score"}, "requires search[]"),
        ("metric_names", {"sort_by": "size"}, "sort_by"),
        ("metric_names", {"sort_dir": "asc"}, "sort_dir"),
        ("metric_names", {"limit": "-1"}, "limit"),
        ("metric_names", {"match[]": "{"}, "match[]"),
        ("metric_names", {"start": "soon"}, "start"),
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_sent(prometheus_api, path, params, words):
    answer = await prometheus_api.get(f"/search/{path}", params=params)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert words in answer.json()["error"]


# Reckoned by hand: runs squared, less gaps by the length of the text (half of it behind the last), by the term squared.
@pytest.mark.parametrize(
    ("term", "text", "score"),
    [
        ("go", "go", 1.0),
        ("go", "goroutine", (4 - 7 / 9 / 2) / 4),
        ("go", "a_go", (4 - 2 / 4) / 4),
        ("ac", "abc", (1 + 1 - 1 / 3) / 4),
        ("ab", "axab", (4 - 2 / 4) / 4),
        ("ba", "ab", 0.0),
        ("üb", "über", (4 - 2 / 4 / 2) / 4),
    ],
)
def test_letters_in_order_count_by_their_runs(term, text, score):
    assert spread(term, text) == pytest.approx(score)


# The first three stand in Winkler's paper of 1990.
@pytest.mark.parametrize(
    ("one", "other", "score"),
    [("martha", "marhta", 0.9611), ("dwayne", "duane", 0.84), ("dixon", "dicksonx", 0.8133), ("a", "b", 0.0)],
)
def test_likeness_is_that_of_jaro_and_winkler(one, other, score):
    assert likeness(one, other) == pytest.approx(score, abs=1e-4)


@given(st.text("ab_", min_size=1, max_size=6), st.text("ab_", min_size=1, max_size=12))
def test_scores_are_between_nothing_and_one(term, text):
    assert 0 <= spread(term, text) <= 1
    assert 0 <= likeness(term, text) <= 1


def test_terms_are_either_or_and_case_counts_where_it_should():
    names = ["http_requests", "HTTP_errors", "process"]
    assert Search(("http",)).rank(names) == [("http_requests", 1.0)]
    assert [name for name, _ in Search(("http",), is_case_sensitive=False).rank(names)] == names[:2]
    assert [name for name, _ in Search(("proc", "err")).rank(names)] == ["HTTP_errors", "process"]
    assert Search(("",)).rank(names) == [(name, 1.0) for name in names]
    assert Search(("hreq",), threshold=0.99).rank(names) == []
    assert Search(("requests",), "jarowinkler").rank(names) == [("http_requests", 0.9)]
    assert Search(("porcess",), "jarowinkler").rank(names) == []
    assert [name for name, _ in Search(("porcess",), "jarowinkler", 0.9).rank(names)] == ["process"]
