"""Users are created, changed and removed; somebody can always administrate; every change is on record."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.kernel.errors import NotFoundError

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "another good passphrase"


async def add(admin, name="bob", role="viewer"):
    answer = await admin.post("/users", json={"name": name, "role": role, "password": OTHER_PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def own_id(browser):
    return (await browser.get("/session")).json()["user"]["id"]


async def test_a_user_is_created_listed_changed_and_removed(house):
    admin = await house.set_up()
    bob = await add(admin)
    assert [user["name"] for user in (await admin.get("/users")).json()["items"]] == ["ada", "bob"]
    changed = await admin.patch(f"/users/{bob}", json={"role": "operator", "name": "robert"})
    assert (changed.json()["role"], changed.json()["name"]) == ("operator", "robert")
    assert (await admin.delete(f"/users/{bob}")).status_code == 204
    assert (await admin.delete(f"/users/{bob}")).status_code == 404
    events = (await house.events())[1:]
    assert [event.kind for event in events] == ["auth.user_created", "auth.user_changed", "auth.user_removed"]
    assert events[1].data == {
        "name": {"from": "bob", "to": "robert"},
        "role": {"from": "viewer", "to": "operator"},
    }
    assert {event.actor for event in events} == {f"user/{await own_id(admin)}"}


async def test_a_user_shows_when_they_were_last_seen(house):
    admin = await house.set_up()
    await add(admin)
    await house.clock.advance(120)
    await admin.get("/session")
    ada, bob = (await admin.get("/users")).json()["items"]
    assert ada["last_seen_at"] == "2026-01-01T00:02:00Z"
    assert bob["last_seen_at"] is None


async def test_no_two_users_look_alike(house):
    admin = await house.set_up()
    await add(admin)
    for name in "bob", "BOB", "\uff42\uff4f\uff42":
        answer = await admin.post("/users", json={"name": name, "role": "viewer", "password": OTHER_PASSWORD})
        assert (answer.status_code, answer.json()["place"]) == (409, {"field": "name"})


async def test_the_last_administrator_stays(house):
    admin = await house.set_up()
    me = await own_id(admin)
    for change in ({"role": "viewer"}, {"disabled": True}):
        answer = await admin.patch(f"/users/{me}", json=change)
        assert (answer.status_code, answer.json()["detail"]) == (409, "this is the last administrator")
    assert (await admin.delete(f"/users/{me}")).status_code == 409
    await add(admin, "bob", "admin")
    assert (await admin.patch(f"/users/{me}", json={"role": "viewer"})).status_code == 200


async def test_two_administrators_cannot_remove_each_other_at_once(house):
    ada = await house.set_up()
    bob_id = await add(ada, "bob", "admin")
    bob = await house.log_in("bob", OTHER_PASSWORD)
    answers = await asyncio.gather(
        ada.delete(f"/users/{bob_id}"), bob.delete(f"/users/{await own_id(ada)}"), return_exceptions=False
    )
    assert sorted(answer.status_code for answer in answers) in ([204, 401], [204, 409])


async def test_disabling_ends_sessions_and_tokens_at_once(house):
    admin = await house.set_up()
    bob_id = await add(admin)
    bob = await house.log_in("bob", OTHER_PASSWORD)
    token = (await bob.post("/tokens", json={"name": "ci"})).json()["secret"]
    program = house.visit(authorization=f"Bearer {token}")
    assert (await program.get("/thing")).status_code == (await bob.get("/thing")).status_code == 200
    assert (await admin.patch(f"/users/{bob_id}", json={"disabled": True})).status_code == 200
    assert (await program.get("/thing")).status_code == (await bob.get("/thing")).status_code == 401
    refused = await house.visit().post("/session", json={"name": "bob", "password": OTHER_PASSWORD})
    assert refused.status_code == 401


async def test_a_new_role_counts_at_once(house):
    admin = await house.set_up()
    bob_id = await add(admin)
    bob = await house.log_in("bob", OTHER_PASSWORD)
    assert (await bob.post("/thing")).status_code == 403
    await admin.patch(f"/users/{bob_id}", json={"role": "operator"})
    assert (await bob.post("/thing")).status_code == 200


async def test_the_own_password_takes_the_current_one(house):
    browser = await house.set_up()
    other = await house.log_in("ada")
    me = await own_id(browser)
    for current in (None, "not the password"):
        body = {"password": OTHER_PASSWORD, "current_password": current}
        answer = await browser.patch(f"/users/{me}", json=body)
        assert (answer.status_code, answer.json()["place"]) == (403, {"field": "current_password"})
    body = {"password": OTHER_PASSWORD, "current_password": PASSWORD}
    assert (await browser.patch(f"/users/{me}", json=body)).status_code == 200
    assert (await browser.get("/session")).status_code == 200
    assert (await other.get("/session")).status_code == 401
    await house.log_in("ada", OTHER_PASSWORD)
    assert "auth.password_changed" in [event.kind for event in await house.events()]


async def test_a_viewer_changes_the_own_password_and_nothing_else(house):
    admin = await house.set_up()
    bob_id = await add(admin)
    bob = await house.log_in("bob", OTHER_PASSWORD)
    body = {"password": PASSWORD, "current_password": OTHER_PASSWORD}
    assert (await bob.patch(f"/users/{bob_id}", json={**body, "role": "admin"})).status_code == 403
    assert (await bob.patch(f"/users/{bob_id}", json={})).status_code == 403
    assert (await bob.patch(f"/users/{await own_id(admin)}", json=body)).status_code == 403
    assert (await bob.patch(f"/users/{bob_id}", json=body)).status_code == 200


async def test_an_administrator_resets_a_password_and_ends_the_sessions(house):
    admin = await house.set_up()
    bob_id = await add(admin)
    bob = await house.log_in("bob", OTHER_PASSWORD)
    assert (await admin.patch(f"/users/{bob_id}", json={"password": PASSWORD})).status_code == 200
    assert (await bob.get("/session")).status_code == 401
    await house.log_in("bob", PASSWORD)


async def test_whoever_owns_the_data_folder_lets_somebody_in_again(house):
    admin = await house.set_up()
    bob = await add(admin)
    await admin.patch(f"/users/{bob}", json={"disabled": True})
    password = (await house.auth.people.recover("Bob")).reveal()
    await house.log_in("bob", password)
    assert (await house.events())[-2].actor == "command/local"
    with pytest.raises(NotFoundError, match="no user called 'eve'"):
        await house.auth.people.recover("eve")


async def test_a_token_does_not_change_its_owners_password(house):
    browser = await house.set_up()
    token = (await browser.post("/tokens", json={"name": "ci"})).json()["secret"]
    body = {"password": OTHER_PASSWORD, "current_password": PASSWORD}
    program = house.visit(authorization=f"Bearer {token}")
    assert (await program.patch(f"/users/{await own_id(browser)}", json=body)).status_code == 403


async def test_somebody_is_logged_out_everywhere(house):
    admin = await house.set_up()
    bob_id = await add(admin)
    bob, elsewhere = await house.log_in("bob", OTHER_PASSWORD), await house.log_in("bob", OTHER_PASSWORD)
    assert (await bob.delete(f"/users/{await own_id(admin)}/sessions")).status_code == 403
    assert (await bob.delete(f"/users/{bob_id}/sessions")).status_code == 204
    assert (await elsewhere.get("/session")).status_code == 401


async def test_a_weak_password_is_refused_and_not_repeated(house):
    admin = await house.set_up()
    for password in ("seven77", "aaaaaaaaaaaaaaaa", "x" * 1025, "long-name-bobbo"):
        answer = await admin.post("/users", json={"name": "long-name-bob", "role": "viewer", "password": password})
        assert (answer.status_code, answer.json()["place"]) == (422, {"field": "password"})
        assert password not in answer.text


async def test_unknown_fields_are_refused(house):
    admin = await house.set_up()
    answer = await admin.post("/users", json={"name": "bob", "role": "viewer", "password": PASSWORD, "admin": True})
    assert answer.json()["problems"][0]["place"] == {"field": "body.admin"}
    assert PASSWORD not in answer.text
