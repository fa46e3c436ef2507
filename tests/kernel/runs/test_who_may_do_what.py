"""Who may do what with runs: each route asks for its permission, each permission has its least role."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from holdfast.kernel.auth import guards
from holdfast.kernel.clock import FakeClock
from holdfast.kernel.permissions import Role
from holdfast.kernel.runs import following, queue_routes, routes
from holdfast.kernel.runs.permissions import PERMISSIONS

READING = "listRuns getRun listSteps getStep readRunLog queryRun streamRun listWorkflows listQueues listSchedules"
STEERING = "startRun startSchedule replayRun resolveRun pauseQueue resumeQueue drainQueue pauseSchedule resumeSchedule"
LEAST = {
    Role.VIEWER: set(READING.split()),
    Role.RESPONDER: {"signalRun", "cancelRun", "retryRun"},
    Role.OPERATOR: set(STEERING.split()),
}


def read_roles() -> dict[str, Role]:
    """Give the least role of each operation."""
    api = FastAPI()
    for router in (routes.routes(None), queue_routes.routes(None), following.routes(None, None, FakeClock())):  # type: ignore[arg-type]  # nothing is called
        api.include_router(router)
    role_of = {permission.name: permission.role for permission in PERMISSIONS}
    found: dict[str, Role] = {}
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.operation_id:
            (asked,) = guards(route)[0]
            found[route.operation_id] = role_of[asked]
    return found


@pytest.mark.parametrize("role", LEAST)
def test_an_operation_asks_for_its_least_role(role: Role) -> None:
    assert {operation for operation, least in read_roles().items() if least is role} == LEAST[role]
