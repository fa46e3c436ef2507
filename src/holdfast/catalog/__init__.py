"""The catalog: which services there are, who owns them, what they depend on.

Owns the reading of `services/` in the ops folder (Backstage's descriptor format), relations, selectors and the graph of
dependencies. Refuses health: whether a service works is told by `holdfast.health`, which stands above.
"""

from holdfast.catalog.catalog import Catalog, PreparedCatalog
from holdfast.catalog.entities import TIER_KEY, Entity, Link, short_ref
from holdfast.catalog.reading import FOLDER, read_folder
from holdfast.catalog.refs import DEFAULT_NAMESPACE, Ref, parse_ref
from holdfast.catalog.relations import Relation, RelationType
from holdfast.catalog.selectors import Selector
from holdfast.catalog.settings import SECTION, CatalogSettings
from holdfast.catalog.snapshot import Entities
from holdfast.catalog.wiring import CatalogRoom, wire

__all__ = [
    "DEFAULT_NAMESPACE",
    "FOLDER",
    "SECTION",
    "TIER_KEY",
    "Catalog",
    "CatalogRoom",
    "CatalogSettings",
    "Entities",
    "Entity",
    "Link",
    "PreparedCatalog",
    "Ref",
    "Relation",
    "RelationType",
    "Selector",
    "parse_ref",
    "read_folder",
    "short_ref",
    "wire",
]
