"""Logging in: the right password opens a session, wrong ones are slowed down, and nothing tells who exists."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie

import pytest

PASSWORD = "correct horse battery staple"


async def fail(house, name="ada", address="10.0.0.1"):
    return await house.visit(address).post("/session", json={"name": name, "password": "wrong password!!"})


async def test_the_right_password_opens_a_session(house):
    await house.set_up()
    browser = house.visit()
    answer = await browser.post("/session", json={"name": "Ada", "password": PASSWORD})
    assert answer.status_code == 201
    cookie = SimpleCookie(answer.headers["set-cookie"])["holdfast_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/", "")
    session = (await browser.get("/session")).json()
    assert (session["user"]["name"], session["tenant"]) == ("ada", "default")
    assert session == answer.json() | {"expires_at": session["expires_at"]}
    assert {"auth.write", "thing.turn"} <= set(session["permissions"])


async def test_a_wrong_password_and_an_unknown_name_read_the_same(house):
    await house.set_up()
    wrong, unknown = await fail(house), await fail(house, "nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


async def test_an_unknown_name_costs_a_verification_too(house, monkeypatch):
    await house.set_up()
    asked = []
    passwords = house.auth.logins._passwords
    verify = passwords.verify

    async def watch(encoded, password):
        asked.append(encoded)
        return await verify(encoded, password)

    monkeypatch.setattr(passwords, "verify", watch)
    await fail(house, "nobody")
    assert asked == [None]


async def test_an_account_is_slowed_down_more_and_more_and_its_owner_is_not_locked_out(house):
    await house.set_up()
    statuses = [(await fail(house, address=f"10.0.1.{n}")).status_code for n in range(6)]
    assert statuses == [401] * 5 + [429]
    blocked = await house.visit("10.0.2.1").post("/session", json={"name": "ada", "password": PASSWORD})
    assert blocked.status_code == 429
    assert blocked.headers["retry-after"] == "1"
    for expected_s in (2, 4, 8):
        await house.clock.advance(61)
        assert (await fail(house, address="10.0.3.1")).status_code == 401
        assert (await fail(house, address="10.0.3.1")).headers["retry-after"] == str(expected_s)
    await house.clock.advance(61)
    await house.log_in("ada", address="10.0.4.1")
    assert (await fail(house, address="10.0.4.1")).status_code == 401


async def test_an_address_is_slowed_down_across_accounts(house):
    await house.set_up()
    statuses = [(await fail(house, f"nobody{n}")).status_code for n in range(21)]
    assert statuses == [401] * 20 + [429]
    assert (await fail(house, "somebody", address="10.0.0.2")).status_code == 401


async def test_a_thousand_tries_at_once_are_not_a_thousand_guesses(house):
    await house.set_up()
    answers = await asyncio.gather(*(fail(house, address=f"10.1.0.{n}") for n in range(40)))
    assert sum(answer.status_code == 401 for answer in answers) <= 5


async def test_success_takes_the_failures_back(house):
    await house.set_up()
    for _ in range(3):
        for _ in range(4):
            await fail(house)
        await house.log_in("ada")


async def test_old_failures_are_forgotten(house):
    await house.set_up()
    for n in range(5):
        await fail(house, address=f"10.0.1.{n}")
    await house.clock.advance(3601)
    assert [(await fail(house)).status_code for _ in range(4)] == [401] * 4


async def test_logging_in_again_ends_the_session_before(house):
    browser = await house.set_up()
    before = browser.cookies["holdfast_session"]
    assert (await browser.post("/session", json={"name": "ada", "password": PASSWORD})).status_code == 201
    assert browser.cookies["holdfast_session"] != before
    stale = house.visit()
    stale.cookies.set("holdfast_session", before, domain="localhost.local")
    assert (await stale.get("/session")).status_code == 401


async def test_logging_out_ends_the_session(house):
    browser = await house.set_up()
    cookie = browser.cookies["holdfast_session"]
    answer = await browser.delete("/session")
    assert answer.status_code == 204
    assert "holdfast_session" not in browser.cookies
    assert (await house.visit(cookie=f"holdfast_session={cookie}").get("/session")).status_code == 401
    assert (await house.visit().delete("/session")).status_code == 204


async def test_a_session_that_is_not_used_ends(build_house):
    house = await build_house(session_idle=600.0)
    browser = await house.set_up()
    for _ in range(5):
        await house.clock.advance(500)
        assert (await browser.get("/session")).status_code == 200
    await house.clock.advance(601)
    assert (await browser.get("/session")).status_code == 401


async def test_a_session_ends_however_much_it_is_used(build_house):
    house = await build_house(session_idle=600.0, session_longest=1500.0)
    browser = await house.set_up()
    for _ in range(2):
        await house.clock.advance(500)
        assert (await browser.get("/session")).status_code == 200
    await house.clock.advance(501)
    assert (await browser.get("/session")).status_code == 401


async def test_nothing_in_the_database_opens_a_session(house):
    browser = await house.set_up()
    cookie = browser.cookies["holdfast_session"]

    def dump(tx):
        return "".join(
            str(tx.exec_driver_sql(f"SELECT * FROM {table}").all())
            for table in ("auth_sessions", "auth_users", "auth_setup_links", "auth_tokens", "event_log")
        )

    rows = await house.ground.db.read(dump)
    assert cookie not in rows
    assert PASSWORD not in rows


async def test_every_login_leaves_a_trace_without_secrets(house):
    await house.set_up()
    await fail(house)
    await fail(house, "hunter2-typed-into-the-wrong-field")
    for n in range(5):
        await fail(house, address=f"10.0.1.{n}")
    events = await house.events()
    kinds = [event.kind for event in events]
    assert kinds.count("auth.login_failed") == 6
    assert kinds.count("auth.throttled") == 1
    assert events[2].subject == "user/unknown"
    assert "hunter2" not in repr(events)
    assert "wrong password" not in repr(events)


async def test_an_event_bears_the_correlation_id_of_its_request(house):
    await house.set_up()
    browser = house.visit(**{"x-correlation-id": "abc-123"})
    await browser.post("/session", json={"name": "ada", "password": PASSWORD})
    assert (await house.events())[-1].correlation_id == "abc-123"


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_site_cannot_log_a_visitor_in(house, origin):
    await house.set_up()
    body = {"name": "ada", "password": PASSWORD}
    assert (await house.visit(origin=origin).post("/session", json=body)).status_code == 403


async def test_a_login_over_https_sets_a_cookie_for_https_only(house):
    await house.set_up()
    browser = house.visit()
    browser.base_url = "https://localhost/api/v1"
    answer = await browser.post("/session", json={"name": "ada", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


async def test_the_sweep_forgets_what_has_ended(build_house, monkeypatch):
    house = await build_house(session_longest=100.0)
    await house.set_up()
    await fail(house)
    await house.clock.advance(4000)

    async def end_round(_seconds):
        raise EOFError

    monkeypatch.setattr(house.clock, "sleep", end_round)
    with pytest.raises(EOFError):
        await house.auth.wiring.jobs[0].run()
    counts = "SELECT (SELECT count(*) FROM auth_sessions), (SELECT count(*) FROM auth_attempts)"
    assert tuple(await house.ground.db.read(lambda tx: tx.exec_driver_sql(counts).one())) == (0, 0)
