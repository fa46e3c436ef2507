"""What Holdfast is told of the shop: read by Holdfast's own readers, and true."""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from holdfast.catalog import read_folder
from holdfast.health.checks import load_checks
from holdfast.health.probes import KINDS
from shop.settings import ServiceName, Settings

OPS = Path(__file__).parents[1] / "ops"
CHECKS = OPS / "checks" / "shop.yaml"


def test_every_service_is_catalogued_with_owner_tier_and_dependencies() -> None:
    entities = read_folder(OPS)
    components = {entity.name: entity for entity in entities if entity.kind.lower() == "component"}
    assert set(components) == {name.value for name in ServiceName}
    assert all(entity.tier in {"1", "2", "3"} for entity in components.values())


def test_the_catalog_and_the_code_agree_on_who_calls_whom() -> None:
    documents = [
        document
        for document in yaml.safe_load_all((OPS / "services" / "components.yaml").read_text())
        if document["kind"] == "Component"
    ]
    said = {
        document["metadata"]["name"]: {
            ref.partition(":")[2] for ref in document["spec"]["dependsOn"] if ref.startswith("component:")
        }
        for document in documents
    }
    assert said == {
        "gateway": {"catalog", "orders"},
        "catalog": set(),
        "orders": {"catalog", "inventory", "payments", "notifier"},
        "inventory": set(),
        "payments": set(),
        "notifier": set(),
    }
    for name, component in said.items():
        sources = " ".join(path.read_text() for path in (OPS.parent / "src" / "shop" / name).glob("*.py"))
        assert all(f'"{peer}"' in sources for peer in component), name


def test_every_service_is_checked_where_it_listens_by_default() -> None:
    book = load_checks([CHECKS], KINDS)
    settings = Settings(Path("unused"))
    checked = yaml.safe_load(CHECKS.read_text())["checks"]
    assert len(book.checks) == len(checked)
    for check in checked:
        if check["kind"] == "grpc":
            place = check["grpc"]
            assert f"{place['host']}:{place['port']}" == settings.inventory_address
        else:
            parts = urlsplit(check["http"]["url"])
            assert f"{parts.scheme}://{parts.netloc}" == settings.url(check["service"])
    for name in ServiceName:
        assert {f"{name}-live", f"{name}-ready"} <= {check["name"] for check in checked}
