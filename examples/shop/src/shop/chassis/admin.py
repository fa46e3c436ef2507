"""`/admin/fault`: see, set and heal what is broken. Loopback only, and only with the data folder's token.

It exists for rehearsals; a production build would leave this module out.
"""

import hmac
from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shop.chassis.faults import FaultPlan, Faults
from shop.chassis.problems import Problem
from shop.settings import ADMIN_TOKEN_HEADER

BODY_LIMIT_BYTES = 4096
_LOOPBACK = {"127.0.0.1", "::1", "testclient"}


def admin_routes(faults: Faults, token: str) -> list[Route]:
    """Return the routes; `token` is what callers must know."""

    def guarded(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def check_then_handle(request: Request) -> Response:
            _refuse_strangers(request, token)
            return await handle(request)

        return check_then_handle

    def state() -> Response:
        body = faults.plan.model_dump(mode="json") | {"kinds": faults.plan.kinds()}
        return JSONResponse(body | {"remaining_s": round(faults.remaining_s(), 1)})

    async def show(_request: Request) -> Response:
        return state()

    async def break_it(request: Request) -> Response:
        await faults.apply(await _read_plan(request))
        return state()

    async def heal(_request: Request) -> Response:
        await faults.heal()
        return state()

    return [
        Route("/admin/fault", guarded(show), methods=["GET"]),
        Route("/admin/fault", guarded(break_it), methods=["PUT"]),
        Route("/admin/fault", guarded(heal), methods=["DELETE"]),
    ]


def _refuse_strangers(request: Request, token: str) -> None:
    if request.client is None or request.client.host not in _LOOPBACK:
        raise Problem(403, "loopback-only", "Faults are injected from this host only.")
    if not hmac.compare_digest(request.headers.get(ADMIN_TOKEN_HEADER, "").encode(), token.encode()):
        hint = "Run `python -m shop break` with the same --data folder."
        raise Problem(403, "wrong-token", f"{ADMIN_TOKEN_HEADER} is not this data folder's token.", hint=hint)


async def _read_plan(request: Request) -> FaultPlan:
    body = await request.body()
    if len(body) > BODY_LIMIT_BYTES:
        raise Problem(413, "too-large", f"A fault is described in at most {BODY_LIMIT_BYTES} bytes.")
    try:
        return FaultPlan.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise Problem(422, "bad-fault", f"{field}: {first['msg']}") from error
