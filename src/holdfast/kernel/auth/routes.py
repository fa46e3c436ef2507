"""`/session`, `/setup`, `/users` and `/tokens`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from holdfast.kernel.auth.desk import Desk
from holdfast.kernel.auth.documents import (
    LoginBody,
    NewTokenDocument,
    SessionDocument,
    SetupBody,
    SetupDocument,
    TokenBody,
    TokenDocument,
    TokenList,
    UserBody,
    UserDocument,
    UserList,
    UserPatch,
)
from holdfast.kernel.auth.guard import SESSION_COOKIE, public, requires
from holdfast.kernel.auth.identity import Identity
from holdfast.kernel.auth.opengate import OpenGate
from holdfast.kernel.auth.requests import refuse_foreign_origin
from holdfast.kernel.auth.tokens import TokenRequest
from holdfast.kernel.secrets import Secret

Myself = Annotated[Identity, Depends(requires("auth.self"))]
Reader = Annotated[Identity, Depends(requires("auth.read"))]
Writer = Annotated[Identity, Depends(requires("auth.write"))]
Id = Annotated[str, Path(max_length=100)]

LOGGING_IN: Final = [Depends(public("who logs in is not logged in yet"))]


def routes(desk: Desk) -> APIRouter:
    """Build the router."""
    router = APIRouter()
    for each in (_session_routes(desk), _user_routes(desk), _token_routes(desk)):
        router.routes.extend(each.routes)  # as they are: to include a router makes each route anew
    return router


def address_of(request: Request) -> str:
    """Give the caller's address; behind a proxy that is trusted, the one that it names."""
    return request.client.host if request.client else "unknown"


def _session_routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["session"])

    @router.get("/session", operation_id="getSession")
    async def get_session(request: Request, identity: Myself) -> SessionDocument:
        """Say who is logged in, and give the token that changing requests carry."""
        return desk.describe(identity, request.cookies.get(SESSION_COOKIE, ""))

    @router.post("/session", operation_id="createSession", status_code=201, dependencies=LOGGING_IN)
    async def create_session(body: LoginBody, request: Request, response: Response) -> SessionDocument:
        """Log in. The session that the browser had before is ended."""
        desk.refuse_open()
        refuse_foreign_origin(request)
        session = await desk.logins.login(body.name, body.password, address_of(request))
        before = request.cookies.get(SESSION_COOKIE)
        if before:
            await desk.logins.logout(Secret(before))
        return desk.enter(request, response, session)

    @router.delete("/session", operation_id="deleteSession", status_code=204, dependencies=LOGGING_IN)
    async def delete_session(request: Request, response: Response) -> None:
        """Log out; without a session there is nothing to do."""
        refuse_foreign_origin(request)
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie:
            await desk.logins.logout(Secret(cookie))
            response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")

    @router.get("/setup", operation_id="getSetup", dependencies=LOGGING_IN)
    async def get_setup() -> SetupDocument:
        """Say whether the first administrator is still to be made."""
        return SetupDocument(not isinstance(desk.gate, OpenGate) and await desk.logins.needs_setup())

    @router.post("/setup", operation_id="createAdministrator", status_code=201, dependencies=LOGGING_IN)
    async def create_administrator(body: SetupBody, request: Request, response: Response) -> SessionDocument:
        """Make the first administrator with the token of the one-time link, and log them in."""
        desk.refuse_open()
        refuse_foreign_origin(request)
        session = await desk.logins.set_up(body.token, body.name, body.password, address_of(request))
        return desk.enter(request, response, session)

    return router


def _user_routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["users"])

    @router.get("/users", operation_id="listUsers")
    async def list_users(identity: Reader) -> UserList:
        """List users by name."""
        return UserList([UserDocument.of(user) for user in await desk.people.list(identity)])

    @router.post("/users", operation_id="createUser", status_code=201)
    async def create_user(body: UserBody, identity: Writer) -> UserDocument:
        """Add a user."""
        desk.check_home(body.tenant)
        user = await desk.people.create(identity, body.name, body.role, body.password, body.tenant)
        return UserDocument.of(user)

    @router.patch("/users/{user_id}", operation_id="changeUser")
    async def change_user(user_id: Id, body: UserPatch, request: Request, identity: Myself) -> UserDocument:
        """Change a user. Everybody may change their own password; the rest is for administrators."""
        return UserDocument.of(await desk.change_user(identity, user_id, body, address_of(request)))

    @router.delete("/users/{user_id}", operation_id="deleteUser", status_code=204)
    async def delete_user(user_id: Id, identity: Writer) -> None:
        """Remove a user with their sessions and tokens."""
        await desk.people.remove(identity, user_id)

    @router.delete("/users/{user_id}/sessions", operation_id="endSessions", status_code=204)
    async def end_sessions(user_id: Id, identity: Myself) -> None:
        """Log a user out everywhere; everybody may do that for themselves."""
        if user_id != identity.user_id:
            desk.gate.book.check(identity, "auth.write")
        await desk.people.end_sessions(identity, user_id)

    return router


def _token_routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["tokens"])

    @router.get("/tokens", operation_id="listTokens")
    async def list_tokens(
        identity: Myself,
        *,
        everybody: Annotated[bool, Query(description="Everybody's tokens; needs auth.read.")] = False,
    ) -> TokenList:
        """List the own API tokens, or everybody's, newest first."""
        if everybody:
            desk.gate.book.check(identity, "auth.read")
        tokens = await desk.tokens.list(identity, is_for_all=everybody)
        return TokenList([TokenDocument.of(token) for token in tokens])

    @router.post("/tokens", operation_id="createToken", status_code=201)
    async def create_token(body: TokenBody, identity: Myself) -> NewTokenDocument:
        """Make an API token. The answer is the only place where its secret ever stands."""
        request = TokenRequest(body.name, body.role, desk.check_scopes(body.scopes), body.expires_at)
        token, secret = await desk.tokens.create(identity, request)
        return NewTokenDocument.of(token, secret=secret.reveal())

    @router.delete("/tokens/{token_id}", operation_id="revokeToken", status_code=204)
    async def revoke_token(token_id: Id, identity: Myself) -> None:
        """Revoke an API token: an own one, or anybody's with auth.write."""
        is_for_all = "auth.write" in desk.gate.book.held_by(identity)
        await desk.tokens.revoke(identity, token_id, is_for_all=is_for_all)

    return router
