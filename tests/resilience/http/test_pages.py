"""Lists that come in pages: each style, each item once, and an end to those that have none."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from holdfast.resilience.http import BadAnswer, Cursor, LinkHeader, Offset, PageNumber, PagingError

ITEMS = list(range(7))


def query_of(request):
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def show(body, **headers):
    return 200, headers, json.dumps(body).encode()


async def collect(api, *args, **how):
    return [item async for item in api.items(*args, **how)]


async def test_links_are_followed(client, peer):
    def answer(request):
        page = int(query_of(request).get("page", 0))
        link = f'</orders?page={page + 1}&of=ann>; rel="next", </orders>; rel="first"' if page < 2 else ""
        return show(ITEMS[3 * page : 3 * page + 3], Link=link)

    peer.answer = answer
    async with client() as api:
        assert await collect(api, "/orders", LinkHeader(), at="", params={"of": "ann"}) == ITEMS
    assert [query_of(it)["of"] for it in peer.heard] == ["ann"] * 3


async def test_cursors_are_sent_back(client, peer):
    def answer(request):
        start = int(query_of(request).get("after", 0))
        following = str(start + 3) if start + 3 < 7 else None
        return show({"items": ITEMS[start : start + 3], "meta": {"next": following}})

    peer.answer = answer
    async with client() as api:
        assert await collect(api, "/orders", Cursor(param="after", at="meta.next")) == ITEMS


async def test_pages_are_counted(client, peer):
    def answer(request):
        asked = query_of(request)
        start, size = (int(asked["page"]) - 1) * int(asked["per_page"]), int(asked["per_page"])
        return show({"items": ITEMS[start : start + size]})

    peer.answer = answer
    async with client() as api:
        assert await collect(api, "/orders", PageNumber(size=3)) == ITEMS
    assert len(peer.heard) == 3


async def test_offsets_go_on_where_the_page_ended(client, peer):
    def answer(request):
        start = int(query_of(request)["offset"])
        return show({"data": {"orders": ITEMS[start : start + 3]}})

    peer.answer = answer
    async with client() as api:
        assert await collect(api, "/orders", Offset(limit=3, items="data.orders"), at="data.orders") == ITEMS


async def test_pages_without_an_end_are_ended(client, peer):
    peer.answer = lambda it: show({"items": [1], "next_cursor": query_of(it).get("cursor", "") + "x"})
    async with client() as api:
        with pytest.raises(PagingError, match="more than 5 pages"):
            await collect(api, "/orders", Cursor(), max_pages=5)
    assert len(peer.heard) == 5


async def test_pages_that_go_in_a_circle_are_ended(client, peer):
    peer.answer = lambda _: show({"items": [1], "next_cursor": "same"})
    async with client() as api:
        with pytest.raises(PagingError, match="circle"):
            await collect(api, "/orders", Cursor())


async def test_a_link_to_another_server_is_not_followed(client, peer):
    peer.answer = lambda _: show([1], Link='<http://thief.example/orders>; rel="next"')
    async with client() as api:
        with pytest.raises(PagingError, match=r"thief\.example"):
            await collect(api, "/orders", LinkHeader(), at="")
    assert len(peer.heard) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"orders": []}'])
async def test_a_page_without_its_list_is_a_bad_answer(client, peer, body):
    peer.answer = lambda _: (200, {}, body)
    async with client() as api:
        with pytest.raises(BadAnswer):
            await collect(api, "/orders", Cursor())
