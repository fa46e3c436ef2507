"""Elasticsearch's `_bulk`, so that Filebeat, Fluent Bit, Logstash and Vector can send.

Owns the format, ECS' fields and the answers. Refuses searches, updates and deletions.
"""

from holdfast.telemetry.logs.elastic.routes import elastic_routes
from holdfast.telemetry.logs.elastic.settings import SECTION, ElasticSettings
from holdfast.telemetry.logs.elastic.taking import ElasticBulk

__all__ = ["SECTION", "ElasticBulk", "ElasticSettings", "elastic_routes"]
