"""`dashboards/*.json` of the ops folder."""

from __future__ import annotations

import json

import pytest

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.wiring import OpsFolder
from holdfast.telemetry.dashboards.files import read_folder


def test_own_documents_and_grafanas_are_read_by_their_names(ops_folder):
    ops_folder.write("dashboards/shop.json", json.dumps({"title": "Shop"}))
    odd = {"schemaVersion": 39, "title": "Node", "panels": [{"type": "canvas"}]}
    ops_folder.write("dashboards/node.json", json.dumps(odd))
    documents, warnings = read_folder(OpsFolder(ops_folder.root))
    assert {name: each.title for name, each in documents.items()} == {"shop": "Shop", "node": "Node"}
    assert warnings == ("dashboards/node.json: panels[0]: a panel of kind 'canvas' (untitled)",)


def test_a_fault_names_its_file_line_and_field(ops_folder):
    ops_folder.write("dashboards/shop.json", '{\n  "title": "Shop",\n  "rows": [\n    {"titel": "x"}\n  ]\n}\n')
    with pytest.raises(ConfigError) as refused:
        read_folder(OpsFolder(ops_folder.root))
    (fault,) = refused.value.problems
    assert (fault.place.file, fault.place.line) == ("dashboards/shop.json", 4)
    assert "titel" in str(fault)


def test_every_faulty_file_is_told_at_once(ops_folder):
    ops_folder.write("dashboards/a.json", "{")
    ops_folder.write("dashboards/b.json", '{"rows": []}')
    with pytest.raises(ConfigError) as refused:
        read_folder(OpsFolder(ops_folder.root))
    assert {fault.place.file for fault in refused.value.problems} == {"dashboards/a.json", "dashboards/b.json"}


def test_a_faulty_part_of_grafanas_names_its_file_line_and_field(ops_folder):
    ops_folder.write(
        "dashboards/node.json", '{\n  "schemaVersion": 39,\n  "panels": [\n    {"type": "row"},\n    7\n  ]\n}\n'
    )
    with pytest.raises(ConfigError, match=r"dashboards/node.json:5: panels\[1\]: expected an object, found 7"):
        read_folder(OpsFolder(ops_folder.root))
