"""Calls a handler that asks only for the request, who asks and texts of the path, without FastAPI's resolving of more.

Resolving takes a tenth of a millisecond, as long as the smallest answers of metrics. Such a handler reads parameters
itself; what asks for more stays FastAPI's.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, get_type_hints

from fastapi import Request, Response

from holdfast.kernel.auth.guard import PERMISSION_MARK, PUBLIC_MARK

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant
    from fastapi.routing import APIRoute

Handler = Callable[[Request], Awaitable[Response]]


def direct(route: APIRoute) -> Handler | None:
    """Give what admits and answers as the route does; None if its handler asks for anything that FastAPI resolves."""
    dependant = route.dependant
    call = dependant.call
    if call is None or not _is_plain(dependant) or not inspect.iscoroutinefunction(call):
        return None
    if not _gives_response(call) or not all(_is_guard(each) for each in dependant.dependencies):
        return None
    guards = [(each.call, each.name) for each in dependant.dependencies if hasattr(each.call, PERMISSION_MARK)]
    request_name = dependant.request_param_name
    texts = [(each.name, each.alias) for each in dependant.path_params]  # a path may hold more than is asked for

    async def answer(request: Request) -> Response:
        params = request.path_params
        given: dict[str, Any] = {name: params[alias] for name, alias in texts}
        for guard, name in guards:
            identity = await guard(request)  # type: ignore[misc]  # those with the mark take the request alone
            if name is not None:
                given[name] = identity
        if request_name is not None:
            given[request_name] = request
        response: Response = await call(**given)
        return response

    return answer


def _is_plain(dependant: Dependant) -> bool:
    asked_of_fastapi = (
        dependant.query_params,
        dependant.header_params,
        dependant.cookie_params,
        dependant.body_params,
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
    )
    return not any(asked_of_fastapi) and all(each.field_info.annotation is str for each in dependant.path_params)


def _is_guard(dependency: Dependant) -> bool:
    return hasattr(dependency.call, PERMISSION_MARK) or hasattr(dependency.call, PUBLIC_MARK)


def _gives_response(call: Callable[..., Any]) -> bool:
    try:
        given = get_type_hints(inspect.unwrap(call)).get("return")
    except NameError:  # a name that only type checkers see
        given = inspect.signature(call).return_annotation
    return given in {Response, "Response"}
