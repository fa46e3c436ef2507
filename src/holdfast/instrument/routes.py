"""Finds the template of the route that answered an ASGI request, never its raw path.

Starlette, FastAPI and Litestar leave the route in the scope; any other app may say it there, as `holdfast.route`.
A path that no route matched, and any app that leaves nothing, counts as "unmatched": scans for paths add no series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

UNMATCHED: Final = "unmatched"
ROUTE_KEY: Final = "holdfast.route"
"""Under which an app may say its route itself, in the scope or in the environment of WSGI."""
_BELOW_MOUNT: Final = "/{path}"
"""What a mounted app that knows no routes is asked for; the prefix of its mount is the root path."""


def find_route_template(scope: MutableMapping[str, Any], root_path: str) -> str:
    """Give the template, such as `/orders/{order_id}`, with the prefix of mounts and included routers.

    Args:
        scope: The request's scope after the app has answered.
        root_path: The scope's root path before.
    """
    said = scope.get(ROUTE_KEY)
    if isinstance(said, str):
        return said
    template = _read_template(scope)
    if template is None:
        return UNMATCHED
    prefix = str(scope.get("root_path", "")).removeprefix(root_path)
    if not prefix:
        return template or "/"
    return _templated(prefix, scope.get("path_params", {})) + template or "/"


def _read_template(scope: MutableMapping[str, Any]) -> str | None:
    # FastAPI serves included routers by their own routes, which do not know the prefix; the context does.
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    for route in (getattr(context, "starlette_route", None), context, scope.get("route")):
        template = getattr(route, "path_format", None)
        if isinstance(template, str):
            return _BELOW_MOUNT if _is_mount(route) else template
    template = scope.get("path_template")  # Litestar's
    return template if isinstance(template, str) else _find_by_endpoint(scope)


def _find_by_endpoint(scope: MutableMapping[str, Any]) -> str | None:
    """Find one of Starlette's own routes in FastAPI's router, which says of them no more than whom they call."""
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return None
    found = {
        _BELOW_MOUNT if _is_mount(route) else route.path_format
        for route in getattr(scope.get("router"), "routes", ())
        if getattr(route, "endpoint", getattr(route, "app", None)) is endpoint
    }
    return found.pop() if len(found) == 1 else None


def _is_mount(route: object) -> bool:
    return hasattr(route, "app") and not hasattr(route, "endpoint")


def _templated(prefix: str, path_params: MutableMapping[str, Any]) -> str:
    """Put the names of path parameters back where a mount's prefix holds their values."""
    names = {str(value): f"{{{name}}}" for name, value in path_params.items()}
    return "/".join(names.get(part, part) for part in prefix.split("/"))
