"""What a comparison asks the engine. `ids`, `sides` (1: chosen) and `weights` are columns of the sampled traces."""

from __future__ import annotations

from typing import Final

from holdfast.telemetry.traces.findings.counting import IDENTITY

_TENANT: Final = "tenant = {tenant:String} AND expires_at > {counted:UInt32}"
_IDS: Final = "trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"
_SAMPLED: Final = (
    f"{_TENANT} AND (slot BETWEEN {{first:Int32}} AND {{last:Int32}}"
    f" OR slot BETWEEN {{ofirst:Int32}} AND {{olast:Int32}}) AND {_IDS}"
)
_SIDES: Final = (
    "(SELECT toFixedString(unhex(each.1), 16) AS trace_id, each.2 AS side, each.3 AS weight FROM (SELECT arrayJoin("
    "arrayZip({ids:Array(String)}, {sides:Array(UInt8)}, {weights:Array(Float64)})) AS each))"
)

IDS: Final = (
    "SELECT hex(trace_id) AS id, weight, count() OVER () AS total FROM (SELECT trace_id, max(weight) AS weight"  # noqa: S608 -- constants
    f" FROM trace_spans WHERE {_TENANT} AND slot BETWEEN {{first:Int32}} AND {{last:Int32}} AND {{where}}"
    " GROUP BY trace_id) ORDER BY cityHash64(trace_id) LIMIT {most:UInt32}"
)
SIZES: Final = (
    "SELECT hex(trace_id) AS id, uniqExact(span_id, kind) AS spans,"  # noqa: S608 -- constants
    " max(start_ns + duration_ns) - min(start_ns) AS length FROM trace_spans"
    f" WHERE {_TENANT} AND slot BETWEEN {{first:Int32}} AND {{last:Int32}} AND {_IDS} GROUP BY trace_id"
)
_PAIRS: Final = (
    "arrayConcat(arrayZip(mapKeys(attributes), arrayMap(text -> substring(text, 1, 200), mapValues(attributes))),"
    " JSONExtractKeysAndValues(resource, 'String'), [('service', toString(service)),"
    " ('operation', concat(service, ': ', name))], if(status = 2, [('failed operation', concat(service, ': ', name))],"
    " []))"
)
CONTRASTS: Final = (
    "SELECT *, count() OVER () AS tested FROM (SELECT name, value, countIf(side = 1) AS chosen,"  # noqa: S608 -- constants
    " countIf(side = 0) AS others, sumIf(weight, side = 1) AS chosen_share, sumIf(weight, side = 0) AS others_share"
    " FROM (SELECT DISTINCT trace_id, pair.1 AS name, pair.2 AS value FROM (SELECT trace_id,"
    f" arrayJoin({_PAIRS}) AS pair FROM trace_spans WHERE {_SAMPLED}) WHERE name != 'service.name') AS borne"
    f" INNER JOIN {_SIDES} AS sides USING (trace_id) GROUP BY name, value"
    " HAVING chosen >= {least:UInt32}) WHERE chosen_share > others_share + 1e-9"
    " ORDER BY chosen_share - others_share DESC, name, value LIMIT 1000"
)
_SPANS: Final = (
    f"(SELECT DISTINCT {IDENTITY}, parent_id, service, name, start_ns, start_ns + duration_ns AS end_ns"  # noqa: S608 -- constants
    f" FROM trace_spans WHERE {_SAMPLED})"
)
GROWTHS: Final = (
    "SELECT service, name, sumIf(weight * own, side = 1) AS chosen_self, sumIf(weight * own, side = 0) AS others_self,"  # noqa: S608 -- constants
    " sumIf(weight, side = 1) AS chosen_calls, sumIf(weight, side = 0) AS others_calls FROM (SELECT trace_id,"
    " service, name, greatest(end_ns - start_ns - toInt64(covered), 0) AS own"
    f" FROM {_SPANS} AS spans LEFT JOIN (SELECT upper.trace_id AS trace_id,"
    " upper.span_id AS span_id, upper.kind AS kind,"
    " intervalLengthSum(greatest(lower.start_ns, upper.start_ns), least(lower.end_ns, upper.end_ns)) AS covered"
    f" FROM {_SPANS} AS lower INNER JOIN {_SPANS} AS upper ON lower.trace_id = upper.trace_id"
    " AND lower.parent_id = upper.span_id WHERE lower.start_ns < upper.end_ns AND lower.end_ns > upper.start_ns"
    " AND lower.span_id != upper.span_id GROUP BY trace_id, span_id, kind) AS inner USING (trace_id, span_id, kind))"
    f" AS timed INNER JOIN {_SIDES} AS sides USING (trace_id) GROUP BY service, name"
    " HAVING chosen_self - others_self >= 1000"
    " ORDER BY chosen_self - others_self DESC, service, name LIMIT {most:UInt32}"
)
