"""Who is scraped and how many series that makes, on a page of metrics that a real scrape reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

PAGE = "\n".join(
    [
        "# TYPE errand_hits counter",
        *(f'errand_hits_total{{customer="c{number}",method="get"}} {number}' for number in range(40)),
        "# TYPE errand_idle gauge",
        "errand_idle 1",
        "",
    ]
)
SCRAPED = """async () => {
  const answer = await fetch('/api/v1/metrics/targets');
  const all = (await answer.json()).activeTargets;
  return all.some((one) => one.health === 'up') && all.some((one) => one.health === 'down');
}"""
COUNTED = """async () => {
  const answer = await fetch('/api/v1/metrics/cardinality?top=1000');
  const found = (await answer.json()).metrics.find((one) => one.name === 'errand_hits_total');
  return found?.active === 40 && found.kept === 40;
}"""


@pytest.fixture
def scraped(server, estate, visit) -> Iterator[None]:
    """Two jobs in prometheus.yml: one whose second target relabelling drops, one that does not answer."""
    estate.page = PAGE
    file = server.folder / "ops" / "prometheus.yml"
    address = f"127.0.0.1:{estate.port}"
    rules = [
        {"source_labels": ["__address__"], "regex": ".*:9", "action": "drop"},
        {"target_label": "team", "replacement": "shop"},
    ]
    jobs = [
        {"job_name": "errands", "static_configs": [{"targets": [address, "127.0.0.1:9"]}], "relabel_configs": rules},
        {"job_name": "gone", "metrics_path": "/orders", "static_configs": [{"targets": [address]}]},
    ]
    content = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    file.write_text(json.dumps(content))
    visit.go("/")
    visit.wait_until(SCRAPED)
    yield
    file.unlink()


HAS_UP = """async () => {
  const answer = await fetch('/prometheus/api/v1/query?query=' + encodeURIComponent('up{job="errands"}'));
  return (await answer.json()).data.result.length > 0;
}"""


def test_targets_say_how_they_are_and_what_relabelling_did(visit, scraped, estate):
    page = visit.go("/explore")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Targets")).to_be_visible()
    expect(page.locator("main h2")).to_have_text(["gone", "errands"])
    expect(page.locator("main tbody tr").first).to_contain_text("Down")
    page.get_by_label("Unhealthy only").click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    page.get_by_label("Unhealthy only").click()
    expect(page.locator("main tbody tr")).to_have_count(2)
    page.locator("main tbody tr").nth(1).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row", name=re.compile("team"))).to_contain_text("shop")
    expect(dialog.get_by_role("listitem").nth(1)).to_contain_text('team="shop"')
    visit.wait_until(HAS_UP)
    dialog.get_by_role("link", name="Explore up").click()
    page.wait_for_url(re.compile("[?&]q="))
    asked = parse_qs(urlsplit(page.url).query)["q"]
    assert asked == [f'up{{instance="127.0.0.1:{estate.port}",job="errands",team="shop"}}']
    for _ in range(30):  # a target that was just found has one sample, which no step of the graph sees yet
        if page.locator("main canvas").is_visible():
            break
        page.wait_for_timeout(1000)
        page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("main canvas")).to_be_visible()


def test_a_target_that_relabelling_drops_says_by_which_rule(visit, scraped):
    page = visit.go("/explore/targets?pool=errands")
    page.get_by_text("1 target dropped by relabelling", exact=True).click()
    page.get_by_role("button", name="127.0.0.1:9", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_contain_text("drops the target")


def test_cardinality_leads_from_a_metric_to_its_label_and_its_values(visit, scraped):
    visit.wait_until(COUNTED)
    page = visit.go("/explore/cardinality?range=15m")
    expect(page.get_by_role("img", name="Series over time").locator("canvas")).to_be_visible()
    page.get_by_role("button", name="errand_hits_total").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("40 active series")).to_be_visible()
    expect(dialog.get_by_role("row", name=re.compile("customer"))).to_contain_text("40")
    assert parse_qs(urlsplit(page.url).query)["metric"] == ["errand_hits_total"]
    dialog.get_by_role("link", name="customer").click()
    expect(page.locator("main tbody tr")).to_have_count(20)


def test_the_end_of_a_metrics_name_is_seen_on_a_phone(visit, open_visit, scraped):
    visit.wait_until(COUNTED)
    page = open_visit(width=390).go("/explore/cardinality")
    name = page.get_by_role("button", name="errand_hits_total").first
    name.wait_for()
    cut = "one => [one, one.closest('td')].some(each => each.scrollWidth > each.clientWidth + 1)"
    assert [one.inner_text() for one in page.locator("main td button").all() if one.evaluate(cut)] == []


def test_unused_metrics_come_with_the_rule_that_drops_them(visit, scraped):
    visit.wait_until(COUNTED)
    page = visit.go("/explore/cardinality")
    unused = page.locator("section").filter(has=page.get_by_role("heading", name="Unused metrics"))
    show = unused.get_by_role("button", name=re.compile("Show all"))
    if show.count():
        show.click()
    unused.get_by_label("Choose errand_idle").check()
    expect(unused.locator("pre")).to_contain_text("regex: 'errand_idle'")
