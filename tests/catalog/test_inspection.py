"""What `holdfast check-config` says of the catalog: every fault and every warning, of all files, changing nothing."""

from __future__ import annotations

import pytest

from fixtures.ops import component
from holdfast.catalog.catalog import Catalog
from holdfast.catalog.settings import CatalogSettings
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.ops import inspect_all, prepare_all
from holdfast.kernel.wiring import OpsSection


def refuse(_folder, _before):
    raise ConfigError((InvalidError("bad", place=Place("other.yaml", 3)),))


@pytest.fixture
def catalog(fake_clock) -> Catalog:
    return Catalog(CatalogSettings(extra_keys=("spec.costCentre",)), None, None, fake_clock)


def test_faults_of_one_part_do_not_hide_the_warnings_of_another(catalog, ops_folder):
    ops_folder.write("services/a.yaml", component("a", "costCentre: 7"))
    found = inspect_all(ops_folder.root, [OpsSection("services", catalog.prepare), OpsSection("other", refuse)])
    assert [str(problem) for problem in found.problems] == ["other.yaml:3: bad"]
    assert len(found.warnings) == 1
    assert "group:default/platform" in found.warnings[0]
    assert len(catalog.entities) == 0


def test_what_has_faults_cannot_be_prepared(catalog, ops_folder):
    ops_folder.write("services/a.yaml", component("a", "ownr: x"))
    with pytest.raises(ConfigError, match=r"services/a\.yaml:10: spec\.ownr"):
        prepare_all(ops_folder.root, [OpsSection("services", catalog.prepare)])
