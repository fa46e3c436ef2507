"""The running server answers as its own OpenAPI document says, whatever schemathesis asks it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi import checks

from fixtures.databases import fresh_database
from fixtures.services import require_service
from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.auth import ANONYMOUS, Identity, Role
from holdfast.kernel.auth.tokens import TokenRequest
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import load

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("openapi")]  # servers are started once

EXAMPLES = 6
PATIENCE_S = 30.0  # a request that is never answered is a fault to be told, not one to be looked for again
PHASES = (Phase.explicit, Phase.generate)  # a slow failure is not repeated a hundred times to make it smaller
SERVICE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: payments}
spec: {type: service, lifecycle: production, owner: team-a}
"""


class Server:
    """Holdfast in a thread of its own, on a free port, with an administrator's token; `columns` is its store's URL."""

    def __init__(self, folder, database, columns) -> None:
        self._folder = folder
        self._database = database
        self._columns = columns
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="holdfast", daemon=True)

    @property
    def is_on_postgres(self) -> bool:
        return self._database.startswith("postgresql:")

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop within 30 s"

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = {"data": self._folder / "data", "ops": self._folder / "ops", "listen": "127.0.0.1:0"}
        stores = {"database": {"url": self._database}, "telemetry": {"url": self._columns}}
        tree = load(SECTIONS, environ={}, overrides={"server": server, "otlp": {"grpc_listen": ""}, **stores})
        holdfast = await app.build(tree, {})
        try:
            await holdfast.start()
            self.token = await self._make_token(holdfast)
            listener = web.bind("127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            front = web.build(holdfast)
            await web.serve(front, listener, web.WebSettings(), stop=self._stop, started=self._ready.set)
        finally:
            await holdfast.stop()

    async def _make_token(self, holdfast):
        people = holdfast.people
        user = await people.people.create(ANONYMOUS, "ada", Role.ADMIN, Secret("correct horse battery"))
        owner = Identity(user.id, user.name, user.role, user_id=user.id)
        _, secret = await people.tokens.create(owner, TokenRequest("schemathesis"))
        return secret.reveal()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """One server on SQLite and, where it answers, one on PostgreSQL: both are asked the same."""
    with ExitStack() as stack:
        urls = [""]
        with suppress(pytest.skip.Exception):  # a test below says so
            urls.append(stack.enter_context(fresh_database(require_service("postgres"))))
        folder = tmp_path_factory.mktemp("conformance")
        yield [stack.enter_context(open_server(folder, number, url)) for number, url in enumerate(urls)]


def open_server(folder, number, database):
    """Give a server; all share the embedded engine, because a process has one folder of columns."""
    place = folder / str(number)
    (place / "ops" / "services").mkdir(parents=True)
    (place / "ops" / "services" / "payments.yaml").write_text(SERVICE)
    return Server(place, database, f"chdb://{folder / 'columns'}?database=server_{number}")


DOCUMENT = json.loads((Path(__file__).parents[2] / "ui" / "openapi.json").read_text())
GUARDED = [
    f"{method.upper()} {path}"
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if operation.get("security")
]
# The committed copy, which another test holds equal to the server's; streams end when they like.
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(operation_id=["streamEvents", "streamRun"])
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations()}
# What is left out asks for state that random requests do not have, such as a user who exists.
CHOSEN = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]


# `schema.parametrize()` would think of all requests when tests are collected, in each worker. One of them sends any.
# The server draws its jitter in a thread of this process, which Hypothesis takes for a strategy that draws by itself.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_server_answers_as_its_document_says(operation, servers):
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, phases=PHASES, suppress_health_check=list(HealthCheck)
    )
    def ask(case):
        # A parameter given twice counts once, which the check takes for wrong data accepted.
        chosen = CHOSEN if case.method == "GET" else [*CHOSEN, checks.negative_data_rejection]
        for server in servers:
            bearer = {"authorization": f"Bearer {server.token}"}
            case.call_and_validate(base_url=server.url, headers=bearer, checks=chosen, timeout=PATIENCE_S)

    asked = OPERATIONS[operation]
    test = build_operation_test(
        config=schema.config, operation=asked, test_func=ask, given_kwargs={}, feedback=FeedbackSources()
    )
    test()


@pytest.mark.parametrize("operation", GUARDED)
def test_strangers_are_refused(operation, servers):
    method, path = operation.split()
    for server in servers:
        answer = httpx.request(method, server.url + path.replace("{", "").replace("}", ""), json={}, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_both_databases_are_asked(servers, postgres_url):
    assert [server.is_on_postgres for server in servers] == [False, True]
