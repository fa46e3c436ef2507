"""The first start gives one link; it works once, in time, and only while there is no administrator."""

from __future__ import annotations

import asyncio

import pytest

PASSWORD = "correct horse battery staple"


def setup_body(link, **changes):
    return {"token": link.reveal(), "name": "ada", "password": PASSWORD, **changes}


async def test_the_link_makes_an_administrator_who_is_logged_in(house):
    browser = house.visit()
    assert (await browser.get("/setup")).json() == {"required": True}
    link = await house.auth.issue_setup_link()
    answer = await browser.post("/setup", json=setup_body(link))
    assert answer.status_code == 201
    assert answer.json()["user"]["role"] == "admin"
    assert (await browser.get("/session")).json()["user"]["name"] == "ada"
    assert (await browser.get("/setup")).json() == {"required": False}
    assert [event.kind for event in await house.events()] == ["auth.administrator_created"]


async def test_the_link_works_once(house):
    link = await house.auth.issue_setup_link()
    assert (await house.visit().post("/setup", json=setup_body(link))).status_code == 201
    again = await house.visit().post("/setup", json=setup_body(link, name="eve"))
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_two_who_use_it_at_once_make_one_administrator(house):
    link = await house.auth.issue_setup_link()
    bodies = [setup_body(link, name=name) for name in ("ada", "eve", "mallory")]
    answers = await asyncio.gather(*(house.visit().post("/setup", json=body) for body in bodies))
    assert sum(answer.status_code == 201 for answer in answers) == 1


async def test_a_restart_voids_the_link_before(house):
    first = await house.auth.issue_setup_link()
    second = await house.auth.issue_setup_link()
    assert (await house.visit().post("/setup", json=setup_body(first))).status_code == 401
    assert (await house.visit().post("/setup", json=setup_body(second))).status_code == 201


async def test_the_link_expires(build_house):
    house = await build_house(setup_link=60.0)
    link = await house.auth.issue_setup_link()
    await house.clock.advance(61)
    answer = await house.visit().post("/setup", json=setup_body(link))
    assert answer.status_code == 401
    assert "restart" in answer.json()["hint"]


async def test_there_is_no_link_once_there_is_an_administrator(house):
    await house.set_up()
    assert await house.auth.issue_setup_link() is None


@pytest.mark.parametrize("change", [{"password": "short"}, {"name": "not a name!"}, {"token": "wrong"}])
async def test_a_refused_attempt_leaves_the_link_good(house, change):
    link = await house.auth.issue_setup_link()
    assert (await house.visit().post("/setup", json=setup_body(link, **change))).status_code in {401, 422}
    assert (await house.visit().post("/setup", json=setup_body(link))).status_code == 201


async def test_guessing_links_is_slowed_down(house):
    link = await house.auth.issue_setup_link()
    wrong = [await house.visit().post("/setup", json=setup_body(link, token="x" * 43)) for _ in range(21)]
    assert [answer.status_code for answer in wrong][-2:] == [401, 429]


async def test_with_authentication_off_there_is_nothing_to_set_up(build_house):
    house = await build_house("off")
    assert await house.auth.issue_setup_link() is None
    assert (await house.visit().get("/setup")).json() == {"required": False}
    body = {"token": "x", "name": "ada", "password": PASSWORD}
    assert (await house.visit().post("/setup", json=body)).status_code == 409
    session = (await house.visit().get("/session")).json()
    assert session["user"] == {"id": "anonymous", "name": "anonymous", "role": "admin"}
    assert session["csrf_token"] == ""
    assert "thing.turn" in session["permissions"]
