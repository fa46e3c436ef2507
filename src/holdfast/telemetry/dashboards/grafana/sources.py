"""Which kind of data source a query asks: by its type, or by the variable or the input that stands for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from holdfast.telemetry.dashboards.grafana.parts import mapping_in, mappings_in

PROMETHEUS: Final = "prometheus"
_SPEAK_PROMQL: Final = {"prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource"}
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
_OWN: Final = re.compile(r"-- (\w+) --")
_OTHERS: Final = re.compile(
    r"(?i)\b(loki|tempo|jaeger|zipkin|influx(?:db)?|graphite|elastic(?:search)?|opensearch|cloudwatch|stackdriver"
    r"|mysql|postgres(?:ql)?|mssql|clickhouse|testdata|opentsdb|zabbix|bigquery|pyroscope)\b"
)


class Sources:
    """The data sources that a dashboard names."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._types: dict[str, str] = {}
        for each in mappings_in(source, "__inputs"):
            if each.get("type") == "datasource":
                self._types[str(each.get("name"))] = str(each.get("pluginId") or "")
        for each in mappings_in(mapping_in(source, "templating"), "list", "templating"):
            if each.get("type") == "datasource":
                self._types[str(each.get("name"))] = str(each.get("query") or "")

    def type_of(self, *given: object) -> str:
        """Give the type of the first that says one; `prometheus` where none does, and for all that speaks PromQL."""
        found = next(filter(None, map(self._type, given)), PROMETHEUS)
        return PROMETHEUS if found in _SPEAK_PROMQL else found

    def _type(self, given: object) -> str:
        name = given
        if isinstance(given, Mapping):
            kind, name = str(given.get("type") or ""), given.get("uid")
            if kind and kind != "datasource":
                return kind
        if not isinstance(name, str):
            return ""
        if own := _OWN.fullmatch(name):
            return "" if own[1] == "Mixed" else own[1].lower()
        if variable := _VARIABLE.fullmatch(name):
            return self._types.get(next(filter(None, variable.groups())), "")
        if isinstance(given, Mapping):
            return "" if given.get("type") != "datasource" or name == "default" else name
        other = _OTHERS.search(name)  # before 2021 a source was named, and people name it for what it is
        return other[1].lower() if other else ""
