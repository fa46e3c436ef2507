"""Variables of dashboards in the browser: their values come from queries, from filters and from each other."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

MAKE = """async document => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf_token};
  const answer = await fetch('/api/v1/dashboards', {method: 'POST', headers, body: JSON.stringify({document})});
  return (await answer.json()).id;
}"""
CHAINED: dict[str, Any] = {
    "title": "Chained",
    "variables": [
        {
            "name": "shown",
            "kind": "query",
            "query": 'query_result(label_replace(vector(1), "of", "$first", "", ""))',
            "regex": '/of="(.*)"/',
        },
        {
            "name": "first",
            "kind": "query",
            "query": "query_result(topk(1, vector(7)))",
            "regex": r"/\} (\d)/",
            "multi": True,
            "include_all": True,
        },
    ],
    "rows": [
        {
            "panels": [
                {"id": "a", "kind": "stat", "title": "of $shown", "queries": [{"expr": "vector($shown)"}]},
                {
                    "id": "b",
                    "kind": "timeseries",
                    "title": "Curve",
                    "queries": [{"expr": "vector(${first:csv})", "legend": "no $shown"}],
                },
            ]
        }
    ],
}


def test_variables_ask_with_the_values_of_others_wherever_they_stand(visit):
    visit.go("/dashboards")
    name = visit.page.evaluate(MAKE, CHAINED)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url) if "/query" in request.url else None)
    page = visit.go(f"/dashboards/{name}")
    expect(page.get_by_role("combobox", name="shown")).to_have_value("7")
    expect(page.get_by_role("region", name="of 7")).to_contain_text("7")
    expect(page.get_by_role("region", name="Curve")).to_contain_text("no 7")
    assert not [url for url in asked if "vector%28%29" in url]
