"""`query`, `query_range` and their kin as clients of Prometheus see them."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.queries import QuerySettings

WHOLE = {"start": "0", "end": "600", "step": "60"}


async def test_an_instant_query_gives_a_vector(prometheus_api):
    answer = await prometheus_api.get("/query", params={"query": "requests_total", "time": "600"})
    assert answer.json() == {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [
                {"metric": {"__name__": "requests_total", "job": job}, "value": [600, "600"]} for job in ("api", "web")
            ],
        },
    }


async def test_a_form_is_read_as_the_query_string_is(prometheus_api):
    answer = await prometheus_api.post("/query", data={"query": "1+1", "time": "600.5"})
    assert answer.json()["data"] == {"resultType": "scalar", "result": [600.5, "2"]}


async def test_a_string_and_a_range_of_samples_have_their_own_forms(prometheus_api):
    assert (await prometheus_api.get("/query", params={"query": '"hi"', "time": "1"})).json()["data"] == {
        "resultType": "string",
        "result": [1, "hi"],
    }
    data = (
        await prometheus_api.get("/query", params={"query": 'requests_total{job="api"}[30s]', "time": "600"})
    ).json()["data"]
    assert data["resultType"] == "matrix"
    assert data["result"][0]["values"] == [[585, "585"], [600, "600"]]


async def test_a_range_query_gives_a_matrix(prometheus_api):
    answer = await prometheus_api.get("/query_range", params={"query": "sum(rate(requests_total[2m]))", **WHOLE})
    (series,) = answer.json()["data"]["result"]
    assert series["metric"] == {}
    assert [at for at, _ in series["values"]] == list(range(60, 601, 60))
    assert float(series["values"][-1][1]) == pytest.approx(2)


async def test_a_range_has_as_many_steps_as_are_allowed(prometheus_api):
    answer = await prometheus_api.get("/query_range", params={"query": "1", "start": "0", "end": "11000", "step": "1"})
    assert len(answer.json()["data"]["result"][0]["values"]) == 11_001


async def test_a_native_histogram_is_written_with_its_buckets(prometheus_api):
    answer = await prometheus_api.get("/query", params={"query": "latency", "time": "600"})
    (series,) = answer.json()["data"]["result"]
    assert series["histogram"][1] == {
        "count": "4",
        "sum": "5",
        "buckets": [[0, "0.5", "1", "1"], [0, "1", "2", "2"], [0, "2", "4", "1"]],
    }
    ranged = await prometheus_api.get("/query_range", params={"query": "latency", **WHOLE})
    assert "values" not in ranged.json()["data"]["result"][0]
    assert ranged.json()["data"]["result"][0]["histograms"][0][1]["count"] == "4"


async def test_nothing_found_is_an_empty_list(prometheus_api):
    assert (await prometheus_api.get("/query", params={"query": "nope"})).json()["data"]["result"] == []
    assert (await prometheus_api.get("/query_range", params={"query": "nope", **WHOLE})).json()["data"]["result"] == []


@pytest.mark.parametrize(
    ("path", "params", "status", "kind", "words"),
    [
        ("/query", {"query": "sum("}, 400, "bad_data", "parse error"),
        ("/query", {"query": ""}, 400, "bad_data", ""),
        ("/query", {"query": "up", "time": "soon"}, 400, "bad_data", 'invalid parameter "time"'),
        ("/query_range", {"query": "up", **WHOLE, "step": "0"}, 400, "bad_data", "zero or negative"),
        ("/query_range", {"query": "up", **WHOLE, "end": "-1"}, 400, "bad_data", "end timestamp must not be before"),
        ("/query", {"query": "1", "timeout": "0"}, 503, "timeout", "timed out"),
        (
            "/query_range",
            {"query": "1", "start": "0", "end": "11001", "step": "1"},
            400,
            "bad_data",
            "exceeded maximum",
        ),
        ("/query_range", {"query": "up", **WHOLE, "step": "0.01"}, 400, "bad_data", "exceeded maximum resolution"),
        ("/query", {"query": "requests_total + on() requests_total", "time": "600"}, 422, "execution", ""),
        (
            "/query_range",
            {"query": "'up'", **WHOLE},
            400,
            "bad_data",
            'invalid expression type "string"',
        ),
        ("/query_range", {"query": "(up[5m])", **WHOLE}, 400, "bad_data", 'invalid expression type "range vector"'),
        ("/series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("/series", {"match[]": "up{"}, 400, "bad_data", 'invalid parameter "match[]": 1:4: parse error'),
        ("/labels", {"match[]": ["up", "{}"]}, 400, "bad_data", "at least one non-empty matcher (in match[]={})"),
        ("/targets/metadata", {"match_target": "up{"}, 400, "bad_data", 'invalid parameter "match_target": 1:4'),
    ],
)
async def test_what_is_wrong_is_told_in_the_words_of_the_api(prometheus_api, path, params, status, kind, words):
    answer = await prometheus_api.get(path, params=params)
    document = answer.json()
    assert (answer.status_code, document["status"], document["errorType"]) == (status, "error", kind)
    assert words in document["error"]


async def test_a_limit_leaves_series_out_and_says_so(prometheus_api):
    answer = (
        await prometheus_api.get("/query", params={"query": "requests_total", "time": "600", "limit": "1"})
    ).json()
    assert len(answer["data"]["result"]) == 1
    assert answer["warnings"] == ["results truncated due to limit"]


async def test_of_many_notes_the_first_are_told(prometheus_api):
    query = " + ".join(f"quantile({share}, requests_total)" for share in range(2, 15))
    answer = (await prometheus_api.get("/query", params={"query": query, "time": "600"})).json()
    assert answer["warnings"][0] == "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"
    assert answer["warnings"][10:] == ["3 more warning annotations omitted"]


async def test_what_a_query_cost_is_told_when_it_is_asked(prometheus_api):
    answer = await prometheus_api.get("/query", params={"query": "requests_total", "time": "600", "stats": "all"})
    assert answer.json()["data"]["stats"]["samples"]["totalQueryableSamples"] > 0


async def test_exemplars_are_found_by_the_query(prometheus_api):
    params = {"query": "rate(requests_total[5m])", "start": "0", "end": "600"}
    answer = await prometheus_api.get("/query_exemplars", params=params)
    (found,) = answer.json()["data"]
    assert found["seriesLabels"] == {"__name__": "requests_total", "job": "api"}
    assert found["exemplars"] == [{"labels": {"trace_id": "abc"}, "value": "7", "timestamp": 300}]
    assert b'"timestamp":300}' in answer.content


async def test_a_query_is_printed_and_taken_apart(prometheus_api):
    printed = await prometheus_api.get("/format_query", params={"query": "sum by(job)(rate(requests_total[5m]))"})
    assert printed.json()["data"] == "sum by (job) (rate(requests_total[5m]))"
    tree = (await prometheus_api.get("/parse_query", params={"query": "sum by(job)(rate(requests_total[5m]))"})).json()[
        "data"
    ]
    assert (tree["type"], tree["op"], tree["grouping"]) == ("aggregation", "sum", ["job"])


class TestWithLittleAllowed:
    """Limits are told by name."""

    @pytest.fixture
    def query_settings(self):
        return QuerySettings(max_samples=10, max_series=1)

    async def test_a_query_over_a_limit_names_it(self, prometheus_api):
        answer = await prometheus_api.get("/query", params={"query": "requests_total[10m]", "time": "600"})
        assert answer.status_code == 422
        assert "max_" in answer.json()["error"]


async def test_series_labels_and_their_values(prometheus_api):
    series = (await prometheus_api.get("/series", params={"match[]": 'requests_total{job=~"a.*"}'})).json()["data"]
    assert series == [{"__name__": "requests_total", "job": "api"}]
    assert (await prometheus_api.get("/labels")).json()["data"] == ["__name__", "job"]
    assert (await prometheus_api.get("/label/job/values", params={"match[]": "latency"})).json()["data"] == ["api"]
    assert (await prometheus_api.get("/label/__name__/values")).json()["data"] == ["latency", "requests_total"]
    for nothing in ({"start": "700", "end": "800"}, {"start": "300", "end": "200"}):
        assert (await prometheus_api.get("/label/job/values", params=nothing)).json()["data"] == []
        assert (await prometheus_api.get("/series", params={"match[]": "latency", **nothing})).json()["data"] == []
    limited = (await prometheus_api.get("/label/job/values", params={"limit": "1"})).json()
    assert (limited["data"], limited["warnings"]) == (["api"], ["results truncated due to limit"])


@pytest.mark.parametrize("path", ["/query", "/format_query", "/parse_query"])
@pytest.mark.parametrize("term", ["1", "requests_total", "requests_total * 2"])
async def test_a_row_of_operators_is_answered_however_long_it_is(prometheus_api, path, term):
    for count in (300, 3000):
        answer = await prometheus_api.post(path, data={"query": " + ".join([term] * count), "time": "600"})
        assert answer.status_code == 200
        assert answer.text.startswith('{"status":"success"')  # no reader in Python goes as deep as the tree


async def test_a_limit_below_zero_of_metadata_is_none(prometheus_api):
    for path in ("/metadata", "/targets/metadata"):
        told = (await prometheus_api.get(path, params={"limit": "-1"})).json()
        assert told == (await prometheus_api.get(path)).json()
        assert (await prometheus_api.get(path, params={"limit": "few"})).status_code == 400


async def test_metadata_is_by_family(prometheus_api):
    said = {"requests_total": [{"type": "counter", "help": "Requests.", "unit": ""}]}
    assert (await prometheus_api.get("/metadata")).json()["data"] == said
    assert (await prometheus_api.get("/metadata", params={"metric": "nope"})).json()["data"] == {}


async def test_a_tenant_sees_its_own(prometheus_api):
    answer = await prometheus_api.get(
        "/query", params={"query": "requests_total", "time": "600"}, headers={"X-Scope-OrgID": "b"}
    )
    assert answer.json()["data"]["result"] == []
