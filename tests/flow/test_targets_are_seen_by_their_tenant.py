"""What is scraped, and the file that says so, is told to the tenant whose samples these are, and to no other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

FILE = """
global: {scrape_interval: 20s, scrape_timeout: 5s}
scrape_configs:
- job_name: shop
  basic_auth: {username: u, password: hidden}
  static_configs: [{targets: ["127.0.0.1:1"]}]
- job_name: nothing yet
"""
OWN = {"X-Scope-OrgID": "ours"}
SECTION = """job_name: shop
basic_auth:
  username: u
  password: <secret>
static_configs:
- targets:
  - 127.0.0.1:1
scrape_interval: 20s
scrape_timeout: 5s
"""


async def test_only_the_tenant_of_the_samples_sees_targets_pools_and_the_file(running: Any, ops: Path) -> None:
    (ops / "prometheus.yml").write_text(FILE)
    async with running(scrape={"tenant": "ours"}) as client:

        async def ask(path: str, headers: dict[str, str], **params: str) -> Any:
            return await client.get(path, headers=headers, params=params)

        api = "/prometheus/api/v1"
        async with asyncio.timeout(20):
            while not (await ask(f"{api}/targets", OWN)).json()["data"]["activeTargets"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await ask(f"{api}/scrape_pools", OWN)).json()["data"]["scrapePools"] == ["nothing yet", "shop"]
        for path in (f"{api}/targets", "/api/v1/metrics/targets", f"{api}/scrape_pools", f"{api}/status/config"):
            assert "shop" in (await ask(path, OWN)).text
            assert "shop" not in (await ask(path, {})).text
            assert "hidden" not in (await ask(path, OWN)).text
        for path in (f"{api}/scrape_pools/config", f"{api}/targets/relabel_steps"):
            assert (await ask(path, OWN, scrapePool="shop")).status_code == 200
            assert (await ask(path, {}, scrapePool="shop")).status_code == 404
        section = await ask(f"{api}/scrape_pools/config", OWN, scrapePool="shop")
        assert section.json()["data"] == {"yaml": SECTION}
