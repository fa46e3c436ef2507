"""API tokens: shown once, never more than their maker, scoped, expiring, revocable at once."""

from __future__ import annotations

import base64

OTHER_PASSWORD = "another good passphrase"


async def make(browser, **body):
    answer = await browser.post("/tokens", json={"name": "ci", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def program(house, token):
    return house.visit(authorization=f"Bearer {token['secret']}")


async def test_a_token_is_shown_once_and_works(house):
    browser = await house.set_up()
    token = await make(browser)
    assert token["secret"].startswith(f"hf_{token['id']}_")
    listed = (await browser.get("/tokens")).json()["items"]
    assert [(each["id"], each["created_by"], each["role"]) for each in listed] == [(token["id"], "ada", "admin")]
    assert token["secret"] not in (await browser.get("/tokens")).text
    answer = await program(house, token).post("/thing")
    assert answer.json()["actor"] == f"token/{token['id']}"


async def test_a_token_needs_no_csrf_token_and_no_origin(house):
    token = await make(await house.set_up())
    caller = program(house, token)
    caller.headers["origin"] = "https://elsewhere.example"
    assert (await caller.post("/thing")).status_code == 200


async def test_a_token_is_also_the_password_of_basic_authentication(house):
    token = await make(await house.set_up())
    basic = base64.b64encode(f"anything:{token['secret']}".encode()).decode()
    assert (await house.visit(authorization=f"Basic {basic}").get("/thing")).status_code == 200


async def test_what_is_no_token_is_refused_even_with_a_session(house):
    browser = await house.set_up()
    for header in (
        "Bearer",
        "Bearer x",
        "Bearer hf_0_x",
        "Basic !!!",
        "Digest x",
        "Bearer hf_000000000000_" + "A" * 43,
    ):
        assert (await browser.get("/thing", headers={"authorization": header})).status_code == 401


async def test_a_token_with_a_wrong_secret_is_refused(house):
    token = await make(await house.set_up())
    token["secret"] = token["secret"][:-1] + ("A" if token["secret"][-1] != "A" else "B")
    assert (await program(house, token).get("/thing")).status_code == 401


async def test_a_token_may_have_a_lower_role(house):
    token = await make(await house.set_up(), role="viewer")
    assert (await program(house, token).get("/thing")).status_code == 200
    assert (await program(house, token).post("/thing")).status_code == 403


async def test_a_token_may_be_limited_to_scopes(house):
    token = await make(await house.set_up(), scopes=["thing.see"])
    assert (await program(house, token).get("/thing")).status_code == 200
    refused = await program(house, token).post("/thing")
    assert refused.json()["detail"] == "this needs the scope thing.turn"
    assert (await program(house, token).get("/tokens")).status_code == 403


async def test_an_unknown_scope_is_refused_with_a_suggestion(house):
    browser = await house.set_up()
    answer = await browser.post("/tokens", json={"name": "ci", "scopes": ["thing.sea"]})
    assert (answer.status_code, answer.json()["hint"]) == (422, "did you mean 'thing.see'?")


async def test_a_token_is_no_more_powerful_than_its_maker(house):
    admin = await house.set_up()
    await admin.post("/users", json={"name": "bob", "role": "operator", "password": OTHER_PASSWORD})
    bob = await house.log_in("bob", OTHER_PASSWORD)
    assert (await bob.post("/tokens", json={"name": "ci", "role": "admin"})).status_code == 403
    limited = program(house, await make(admin, scopes=["auth.self", "thing.see"]))
    assert (await limited.post("/tokens", json={"name": "x"})).status_code == 403
    assert (await limited.post("/tokens", json={"name": "x", "scopes": ["thing.turn"]})).status_code == 403
    assert (await limited.post("/tokens", json={"name": "x", "scopes": ["thing.see"]})).status_code == 201


async def test_a_token_loses_what_its_maker_loses(house):
    admin = await house.set_up()
    bob_id = (await admin.post("/users", json={"name": "bob", "role": "operator", "password": OTHER_PASSWORD})).json()[
        "id"
    ]
    token = await make(await house.log_in("bob", OTHER_PASSWORD))
    assert (await program(house, token).post("/thing")).status_code == 200
    await admin.patch(f"/users/{bob_id}", json={"role": "viewer"})
    assert (await program(house, token).post("/thing")).status_code == 403
    await admin.delete(f"/users/{bob_id}")
    assert (await program(house, token).get("/thing")).status_code == 401


async def test_a_token_expires(house):
    browser = await house.set_up()
    token = await make(browser, expires_at="2026-01-01T01:00:00Z")
    assert (await program(house, token).get("/thing")).status_code == 200
    await house.clock.advance(3601)
    assert (await program(house, token).get("/thing")).status_code == 401


async def test_a_token_lasts_ninety_days_when_nobody_says(house):
    assert (await make(await house.set_up()))["expires_at"] == "2026-04-01T00:00:00Z"


async def test_a_token_must_end_within_bounds(house):
    browser = await house.set_up()
    for when in ("2025-12-31T23:59:59Z", "2028-01-01T00:00:00Z", "2026-02-01T00:00:00"):
        assert (await browser.post("/tokens", json={"name": "ci", "expires_at": when})).status_code == 422


async def test_a_revoked_token_is_refused_at_once(house):
    browser = await house.set_up()
    token = await make(browser)
    caller = program(house, token)
    assert (await caller.get("/thing")).status_code == 200
    assert (await browser.delete(f"/tokens/{token['id']}")).status_code == 204
    assert (await caller.get("/thing")).status_code == 401
    assert (await browser.delete(f"/tokens/{token['id']}")).status_code == 404


async def test_others_tokens_are_seen_and_revoked_by_administrators_only(house):
    admin = await house.set_up()
    mine = await make(admin)
    await admin.post("/users", json={"name": "bob", "role": "viewer", "password": OTHER_PASSWORD})
    bob = await house.log_in("bob", OTHER_PASSWORD)
    bobs = await make(bob)
    assert [token["id"] for token in (await bob.get("/tokens")).json()["items"]] == [bobs["id"]]
    assert (await bob.delete(f"/tokens/{mine['id']}")).status_code == 404
    everybodys = (await admin.get("/tokens?everybody=true")).json()["items"]
    assert {token["created_by"] for token in everybodys} == {"ada", "bob"}
    assert (await admin.delete(f"/tokens/{bobs['id']}")).status_code == 204


async def test_the_last_use_is_noted(house):
    browser = await house.set_up()
    token = await make(browser)
    await house.clock.advance(90)
    await program(house, token).get("/thing")
    assert (await browser.get("/tokens")).json()["items"][0]["last_used_at"] == "2026-01-01T00:01:30Z"


async def test_tokens_per_user_are_bounded(house):
    browser = await house.set_up()
    for _ in range(100):
        await make(browser)
    assert (await browser.post("/tokens", json={"name": "ci"})).status_code == 409


async def test_making_and_revoking_leave_a_trace_without_the_secret(house):
    browser = await house.set_up()
    token = await make(browser, scopes=["thing.see"])
    await browser.delete(f"/tokens/{token['id']}")
    made, revoked = (await house.events())[1:]
    assert (made.kind, made.subject) == ("auth.token_created", f"token/{token['id']}")
    assert made.data["scopes"] == ["thing.see"]
    assert revoked.kind == "auth.token_revoked"
    assert token["secret"][16:] not in repr([made, revoked])


async def test_with_authentication_off_there_are_no_tokens_to_make(build_house):
    house = await build_house("off")
    assert (await house.visit().post("/tokens", json={"name": "ci"})).status_code == 409
