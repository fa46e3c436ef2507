"""Whatever goes in comes out: every kind of column, every kind of parameter, on both kinds of store."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import (
    BOOL,
    FLOAT64,
    INT64,
    LABEL,
    LABELS,
    STRING,
    TIME_MS,
    TIME_NS,
    TIME_S,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Column,
    Schema,
    Table,
    array,
    fixed,
    mapping,
    nullable,
)

NOW = datetime.now(UTC).replace(microsecond=123000)
KINDS = {
    "bool": (BOOL, [True, False]),
    "uint8": (UINT8, [0, 2**8 - 1]),
    "uint16": (UINT16, [0, 2**16 - 1]),
    "uint32": (UINT32, [0, 2**32 - 1]),
    "uint64": (UINT64, [0, 2**64 - 1]),
    "int64": (INT64, [-(2**63), 2**63 - 1]),
    "float64": (FLOAT64, [-0.1, math.inf]),
    "text": (STRING, ["", "tab\t 'quote' \\ \u2603 \x00 end"]),
    "label": (LABEL, ["a", "b"]),
    "labels": (LABELS, [[("k", "v'"), ("l", "")], []]),
    "counts": (mapping(STRING, UINT64), [[("k", 1)], []]),
    "names": (array(STRING), [["x", ""], []]),
    "trace": (fixed(16), [bytes(range(16)), b"\xff" * 16]),
    "second": (TIME_S, [NOW.replace(microsecond=0)] * 2),
    "milli": (TIME_MS, [NOW, NOW - timedelta(days=1)]),
    "nano": (TIME_NS, [NOW, NOW]),
    "maybe": (nullable(INT64), [None, 5]),
    "maybe_label": (nullable(LABEL), ["x", None]),
}
EVERYTHING = Table(
    "everything",
    (Column("row", UINT8), Column("at", TIME_MS), *(Column(f"c_{name}", kind) for name, (kind, _) in KINDS.items())),
    order_by=("row",),
    time="at",
)
SCHEMA = Schema("kinds", (EVERYTHING,))


async def test_every_kind_of_column(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    given = {f"c_{name}": values for name, (_, values) in KINDS.items()}
    await store.writer(EVERYTHING).write({"row": [0, 1], "at": [NOW, NOW], **given}, tenant=DEFAULT_TENANT)
    seconds = "toDateTime64(c_second, 0, 'UTC') AS c_second"
    sql = f"SELECT * REPLACE ({seconds}) FROM everything WHERE tenant = {{tenant:String}} ORDER BY row"
    found = (await store.query(sql, tenant=DEFAULT_TENANT)).to_pydict()
    assert {name: found[name] for name in given} == given


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", "it's \\ a\ttab\nand a newline, {braces:String}, ; and --"),
        ("String", ""),
        ("Array(String)", ["it's", "", "\\"]),
        ("Map(String, String)", {"k'": "v\\"}),
        ("DateTime64(3, 'UTC')", NOW),
        ("Float64", 1e300),
        ("UInt64", 2**64 - 1),
        ("Bool", True),
        ("Nullable(String)", None),
    ],
)
async def test_every_kind_of_parameter(open_store, any_store_url, kind, value):
    store = await open_store(any_store_url)
    table = await store.query(
        f"SELECT {{given:{kind}}} AS v, {{tenant:String}}", {"given": value}, tenant=DEFAULT_TENANT
    )
    [found] = table["v"].to_pylist()
    assert (dict(found) if isinstance(value, dict) else found) == value


async def test_every_character_can_be_a_parameter(open_store, any_store_url):
    store = await open_store(any_store_url)
    letters = [chr(code) for code in [*range(0x250), 0x2028, 0xFEFF, 0xFFFD, 0x1F600, 0x10FFFF]]
    texts = [*letters, *(first + second for first in "\\'\"{}[],\n\t" for second in "\\'nN0b{}[],")]
    values = {"whole": "".join(texts), "each": texts, "pairs": dict(zip(texts, reversed(texts), strict=True))}
    sql = "SELECT {whole:String} AS whole, {each:Array(String)} AS each, {pairs:Map(String, String)} AS pairs"
    sql += " WHERE {tenant:String} != ''"
    [row] = (await store.query(sql, values, tenant=DEFAULT_TENANT)).to_pylist()
    assert (row["whole"], row["each"], dict(row["pairs"])) == tuple(values.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row": ["x"]}, r"everything\.row does not hold uint8"),
        ({"row": [1, 2]}, "values"),
        ({"row": [256]}, r"everything\.row does not hold uint8"),
        ({"row": [None]}, "may have none"),
        ({"colour": ["red"]}, "no column colour"),
        ({"tenant": ["other"]}, "no column tenant"),
    ],
)
async def test_rows_that_do_not_fit_are_refused_to_their_sender(open_store, store_url, change, message):
    store = await open_store(store_url, SCHEMA)
    with pytest.raises(InvalidError, match=message):
        store.writer(EVERYTHING).write({"row": [1], "at": [NOW], **change}, tenant=DEFAULT_TENANT)
    assert store.writer(EVERYTHING).queued_rows == 0


async def test_a_query_may_not_write(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    with pytest.raises(InvalidError, match="readonly"):
        await store.query("DROP TABLE everything /* {tenant:String} */", tenant=DEFAULT_TENANT)


async def test_a_wrong_statement_says_what_is_wrong(open_store, any_store_url):
    store = await open_store(any_store_url)
    with pytest.raises(InvalidError, match="nothing_here"):
        await store.query("SELECT 1 FROM nothing_here WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT)


async def test_an_empty_result_keeps_its_columns(open_store, any_store_url):
    store = await open_store(any_store_url, SCHEMA)
    table = await store.query("SELECT row, at FROM everything WHERE tenant = {tenant:String}", tenant=DEFAULT_TENANT)
    assert (table.num_rows, table.column_names) == (0, ["row", "at"])
