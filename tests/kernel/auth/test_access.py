"""Who may do what: roles, CSRF, tenants, and what a refusal tells."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import StorageFullError

OTHER_PASSWORD = "another good passphrase"


@pytest.fixture
async def browsers(house):
    """Somebody of each role, logged in."""
    admin = await house.set_up()
    for role in ("viewer", "responder", "operator"):
        body = {"name": role, "role": role, "password": OTHER_PASSWORD}
        assert (await admin.post("/users", json=body)).status_code == 201
    found = {role: await house.log_in(role, OTHER_PASSWORD) for role in ("viewer", "responder", "operator")}
    return {**found, "admin": admin}


async def test_each_role_may_do_what_it_may(browsers):
    answers = {role: (await browser.post("/thing")).status_code for role, browser in browsers.items()}
    assert answers == {"viewer": 403, "responder": 403, "operator": 200, "admin": 200}
    assert {(await browser.get("/thing")).status_code for browser in browsers.values()} == {200}


async def test_a_refusal_says_what_is_missing(browsers):
    document = (await browsers["viewer"].post("/thing")).json()
    assert document["detail"] == "this needs the role operator"
    assert document["hint"] == "Turn the thing."


async def test_a_viewer_does_not_manage_people(browsers):
    body = {"name": "eve", "role": "admin", "password": OTHER_PASSWORD}
    calls = [("GET", "/users"), ("POST", "/users"), ("DELETE", "/users/x"), ("GET", "/tokens?everybody=true")]
    for method, path in calls:
        answer = await browsers["viewer"].request(method, path, json=body if method == "POST" else None)
        assert answer.status_code == 403


async def test_nobody_is_not_let_in(house):
    await house.set_up()
    for path in ("/session", "/thing", "/users", "/tokens"):
        answer = await house.visit().get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_change_needs_the_csrf_token(house):
    browser = await house.set_up()
    del browser.headers["x-csrf-token"]
    for token in (None, "", "wrong", "0" * 64):
        headers = {} if token is None else {"x-csrf-token": token}
        assert (await browser.post("/thing", headers=headers)).status_code == 403
        assert (await browser.get("/thing", headers=headers)).status_code == 200


async def test_the_csrf_token_of_another_session_does_not_fit(house):
    first = await house.set_up()
    second = await house.log_in("ada")
    second.headers["x-csrf-token"] = first.headers["x-csrf-token"]
    assert (await second.post("/thing")).status_code == 403


async def test_a_change_from_another_origin_is_refused_even_with_the_csrf_token(house):
    browser = await house.set_up()
    assert (await browser.post("/thing", headers={"origin": "http://localhost:9"})).status_code == 403
    assert (await browser.post("/thing", headers={"origin": "http://localhost"})).status_code == 200


async def test_a_full_disk_does_not_keep_people_from_reading(house, monkeypatch):
    browser = await house.set_up()
    await house.clock.advance(600)

    async def refuse(_work):
        raise StorageFullError("the disk is full")

    monkeypatch.setattr(house.ground.db, "write", refuse)
    assert (await browser.get("/thing")).status_code == 200
    refused = await house.visit().post("/session", json={"name": "ada", "password": OTHER_PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")


async def test_an_administrator_of_all_tenants_chooses_one(house):
    browser = await house.set_up()
    answer = await browser.get("/thing", headers={"X-Scope-OrgID": "team-a"})
    assert answer.json()["tenant"] == "team-a"


async def test_somebody_bound_to_a_tenant_stays_in_it(house):
    admin = await house.set_up()
    body = {"name": "bob", "role": "admin", "password": OTHER_PASSWORD, "tenant": "team-a"}
    assert (await admin.post("/users", json=body)).status_code == 201
    bob = await house.log_in("bob", OTHER_PASSWORD)
    assert (await bob.get("/session")).json()["tenant"] == "team-a"
    assert (await bob.get("/thing")).json()["tenant"] == "team-a"
    assert (await bob.get("/thing", headers={"X-Scope-OrgID": "team-a"})).status_code == 200
    assert (await bob.get("/thing", headers={"X-Scope-OrgID": "team-b"})).status_code == 403


async def test_an_administrator_of_one_tenant_manages_only_that_tenant(house):
    admin = await house.set_up()
    ada = (await admin.get("/session")).json()["user"]["id"]
    body = {"name": "bob", "role": "admin", "password": OTHER_PASSWORD, "tenant": "team-a"}
    await admin.post("/users", json=body)
    bob = await house.log_in("bob", OTHER_PASSWORD)
    assert [user["name"] for user in (await bob.get("/users")).json()["items"]] == ["bob"]
    assert (await bob.patch(f"/users/{ada}", json={"role": "viewer"})).status_code == 403
    assert (await bob.patch(f"/users/{ada}", json={"password": OTHER_PASSWORD})).status_code == 403
    assert (await bob.delete(f"/users/{ada}")).status_code == 403
    assert (await bob.post("/users", json={**body, "name": "eve", "tenant": "*"})).status_code == 403
    made = await bob.post("/users", json={**body, "name": "eve", "tenant": None})
    assert made.json()["tenant"] == "team-a"
    assert [event.kind for event in await house.events("team-a")] == [
        "auth.user_created",
        "auth.login",
        "auth.user_created",
    ]
