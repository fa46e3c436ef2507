"""`break`, `heal` and `status`: what the command line asks of running services."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shop.errors import ShopError
from shop.settings import ADMIN_TOKEN_FILE, ADMIN_TOKEN_HEADER, ServiceName, Settings

TIMEOUT_S = 15.0
ANSWER_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and the decoded JSON body."""

    status: int
    body: dict[str, Any]


def break_service(settings: Settings, service: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Put a fault on a service; return what is broken now.

    Raises:
        ShopError: It is not there, or cannot suffer this.
    """
    return _fault(settings, service, "PUT", plan)


def heal_service(settings: Settings, service: str) -> dict[str, Any]:
    """Take the fault off a service.

    Raises:
        ShopError: It is not there.
    """
    return _fault(settings, service, "DELETE", None)


def read_status(settings: Settings) -> dict[str, Any]:
    """Return each service's readiness and fault; a service that does not answer is `down`."""
    return {name.value: _status_of(settings, name.value) for name in ServiceName}


def ask(url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """Make one HTTP call.

    Raises:
        OSError: Nobody answered.
        ValueError: The answer was not JSON.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, parts.path, None if body is None else json.dumps(body), headers or {})
        response = connection.getresponse()
        return Reply(response.status, json.loads(response.read(ANSWER_LIMIT_BYTES) or b"{}"))
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def _fault(settings: Settings, service: str, method: str, plan: dict[str, Any] | None) -> dict[str, Any]:
    url = f"{settings.url(service)}/admin/fault"
    try:
        reply = ask(url, method, plan, {ADMIN_TOKEN_HEADER: _token(settings)})
    except OSError as error:
        raise ShopError(
            f"{service} does not answer at {url}: {error}. Is the shop up (`python -m shop up`)?"
        ) from error
    if reply.status != 200:
        raise ShopError(" ".join(str(reply.body[key]) for key in ("detail", "hint") if key in reply.body))
    return reply.body


def _status_of(settings: Settings, service: str) -> dict[str, Any]:
    try:
        readiness = ask(f"{settings.url(service)}/readyz").body
        fault = _fault(settings, service, "GET", None)
    except (OSError, ShopError) as error:
        return {"status": "down", "detail": str(error)}
    return readiness | {"fault": {key: fault[key] for key in (*fault["kinds"], "remaining_s")}}


def _token(settings: Settings) -> str:
    path = settings.data / ADMIN_TOKEN_FILE
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise ShopError(f"{path} is missing: give the --data folder of the shop that runs.") from error
