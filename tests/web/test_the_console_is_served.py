"""The built console: assets for a year, the page always fresh, every path of the console is the page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os

import pytest

from holdfast.web.console import Console

PAGE = "<!doctype html><html><head><script>theme()</script></head><body>Holdfast</body></html>"
SCRIPT = "console.log('hello'); " * 200


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-B7x9_aQz.js").write_text(SCRIPT)
    (tmp_path / "assets" / "index-B7x9_aQz.js.map").write_text("{}")
    return tmp_path


@pytest.fixture
def client(build_front, visit, folder):
    return visit(build_front(console=Console(folder)))


async def test_the_page_is_always_checked(client):
    answer = await client.get("/")
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    again = await client.get("/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_hashed_assets_are_kept_for_a_year(client):
    answer = await client.get("/assets/index-B7x9_aQz.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith(("application/javascript", "text/javascript"))
    assert (await client.get("/favicon.svg")).headers["cache-control"] == "no-cache"


async def test_assets_come_compressed(client):
    async with client.stream("GET", "/assets/index-B7x9_aQz.js", headers={"accept-encoding": "gzip"}) as answer:
        body = b"".join([piece async for piece in answer.aiter_raw()])
    assert gzip.decompress(body).decode() == SCRIPT
    assert answer.headers["content-length"] == str(len(body))
    plain = await client.get("/assets/index-B7x9_aQz.js", headers={"accept-encoding": "identity"})
    assert plain.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize("path", ["/checks", "/services/payments", "/checks/example.org", "/setup?token=x", "/a/b/c"])
async def test_a_path_of_the_console_is_the_page(client, path):
    assert (await client.get(path)).text == PAGE


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/assets/gone.js", "/loki/api/v1/x", "/v1/traces", "/x.map"])
async def test_what_is_missing_is_missing(client, path):
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/../secret", "/..%2f..%2fetc/passwd.txt", "/assets/..%2f..%2fx.y", "//etc/x.conf"])
async def test_nothing_outside_the_folder_is_served(client, path):
    answer = await client.get(path)
    assert "root:" not in answer.text
    assert answer.status_code == 404 or answer.text == PAGE


async def test_a_head_request_has_no_body(client):
    answer = await client.head("/")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(PAGE)))


async def test_only_our_own_scripts_run(client):
    policy = (await client.get("/")).headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"theme()").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_new_build_is_noticed(client, folder):
    await client.get("/")
    (folder / "index.html").write_text("new")
    os.utime(folder / "index.html", ns=(1, 1))
    assert (await client.get("/")).text == "new"


async def test_without_a_build_a_page_says_how_to_get_one(build_front, visit, tmp_path):
    client = visit(build_front(console=Console(tmp_path / "nowhere")))
    answer = await client.get("/checks")
    assert answer.status_code == 503
    assert "style-src 'self' 'sha256-" in answer.headers["content-security-policy"]
    assert "make ui" in answer.text
    assert (await client.get("/app.js")).status_code == 404
