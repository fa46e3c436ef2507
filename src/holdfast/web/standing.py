"""Puts the rooms' routes among the app's own, as they are.

`include_router` reads each handler's signature once more and makes the schemas of its models anew: half of what routes
cost at a start. What it could add to a route, such as dependencies, no room asks for; only paths move.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.routing import compile_path

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from starlette.routing import BaseRoute


def stand(api: FastAPI, router: APIRouter, prefix: str = "") -> None:
    """Serve the routes of `router` below `prefix`; the router itself keeps them as they were."""
    if all(isinstance(route, APIRoute) for route in router.routes):
        api.router.routes.extend(_moved(route, prefix) for route in router.routes)
    else:
        api.include_router(router, prefix=prefix)


def _moved(route: BaseRoute, prefix: str) -> BaseRoute:
    if not prefix or not isinstance(route, APIRoute):
        return route
    moved = copy(route)
    moved.path = prefix + route.path
    moved.path_regex, moved.path_format, moved.param_convertors = compile_path(moved.path)
    return moved
