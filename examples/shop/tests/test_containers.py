"""The compose file and the image: what can be judged without a container engine."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from shop.settings import ServiceName, Settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def settings_in(service: str) -> Settings:
    environ = {name: str(value) for name, value in SERVICES[service]["environment"].items()}
    return Settings.from_environ(environ | {"SHOP_DATA": "/data"})


@pytest.mark.parametrize("service", list(ServiceName))
def test_every_service_is_a_container_on_its_own_port(service: ServiceName) -> None:
    facts = SERVICES[service]
    port = settings_in(service).http_port(service)
    assert facts["command"] == ["run", service.value]
    assert f"127.0.0.1:{port}:{port}" in facts["ports"]
    assert f":{port}/livez" in facts["healthcheck"]["test"][-1]
    assert all(published.startswith("127.0.0.1:") for published in facts["ports"])


@pytest.mark.parametrize("service", [*ServiceName, "traffic"])
def test_every_variable_is_one_that_the_settings_read(service: str) -> None:
    for name, value in SERVICES[service]["environment"].items():
        if value and "$" not in value:
            assert value in repr(settings_values(service)), name


def settings_values(service: str) -> list[Any]:
    settings = settings_in(service)
    return [settings.database_url, settings.redis_url, settings.nats_url, dict(settings.peers)]


@pytest.mark.parametrize("service", [*ServiceName, "traffic"])
def test_every_address_leads_to_a_container(service: str) -> None:
    for value in SERVICES[service]["environment"].values():
        host = re.search(r"(?:@|//|^)([a-z]+):\d+", value)
        assert host is None or host[1] in SERVICES


def test_the_package_names_every_library_that_the_shop_imports() -> None:
    named = {
        re.split(r"[\[><=; ]", dependency)[0]
        for dependency in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    distributions = {
        "fastapi": "fastapi",
        "google": "protobuf",
        "grpc": "grpcio",
        "grpc_health": "grpcio-health-checking",
        "holdfast": "holdfast",
        "httpx": "httpx",
        "jwt": "pyjwt",
        "nats": "nats-py",
        "pydantic": "pydantic",
        "redis": "redis",
        "sqlalchemy": "sqlalchemy",
        "uvicorn": "uvicorn",
    }
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for module, distribution in distributions.items():
        imported = rf"^\s*(?:from|import) (?:holdfast\.resilience\.)?{module}\b"  # or what the library has for it
        assert re.search(imported, sources, re.MULTILINE), module
        assert distribution in named
