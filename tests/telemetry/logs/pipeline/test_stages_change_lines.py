"""What the stages of LogQL do to lines and labels, as Loki's documentation and behaviour have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs.logql import LogqlError, parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.pipeline.logfmt import pairs

NOW_NS = 1_600_000_000_123_456_789


def run(stages, line, stream=None, metadata=None):
    """Give the line and its labels after the stages; None if they drop it."""
    expr = parse('{app="shop"} ' + stages)
    assert isinstance(expr, LogSelector)
    entry = Entry(NOW_NS, line, stream or {}, metadata or {})
    return (entry.line, entry.labels()) if Pipeline(expr.stages).apply(entry) else None


def labels_after(stages, line, stream=None, metadata=None):
    result = run(stages, line, stream, metadata)
    assert result is not None
    return result[1]


@pytest.mark.parametrize(
    ("stages", "line", "stays"),
    [
        ('|= "err"', "an error", True),
        ('|= "ERR"', "an error", False),
        ('!= "err"', "an error", False),
        ('|~ "e.r"', "an error", True),
        ('|~ "(?i)ERR"', "an error", True),
        ('!~ "e.r"', "fine", True),
        ('|= "x" or "err"', "an error", True),
        ('!= "x" or "err"', "an error", False),
        ('!= "x" or "y"', "an error", True),
        ('|> "<_> took <_>ms"', "get took 5ms", True),
        ('|> "<_> took <_>ms"', "get took 5ms more", False),
        ('!> "<_> took <_>ms"', "get took 5ms more", True),
        ('|= ip("10.0.0.0/8")', "from 10.1.2.3 to 192.168.0.1", True),
        ('|= ip("10.0.0.1-10.0.0.9")', "from 10.0.0.10", False),
        ('!= ip("192.168.0.1")', "to 192.168.0.1", False),
        ('|= ip("2001:db8::/32")', "from [2001:db8::1]:80", True),
    ],
)
def test_line_filters_keep_what_they_look_for(stages, line, stays):
    assert (run(stages, line) is not None) is stays


def test_json_is_flattened_without_lists_and_nulls():
    line = '{"a":{"b c":"x","d":1.50},"e":[1],"f":null,"g":true,"1h":2}'
    assert labels_after("| json", line) == {"a_b_c": "x", "a_d": "1.50", "g": "true", "_1h": "2"}


def test_numbers_stay_as_they_are_written():
    line = '{"a":-0,"b":{"c":0},"d":1e2,"e":1.50}'
    assert labels_after("| json", line) == {"a": "-0", "b_c": "0", "d": "1e2", "e": "1.50"}
    assert labels_after('| json a, c="b.c", d, e', line) == {"a": "-0", "c": "0", "d": "1e2", "e": "1.50"}


def test_a_parsed_label_hides_none_of_the_stream_or_metadata():
    assert labels_after("| json", '{"app":"x"}', {"app": "shop"}) == {"app": "shop", "app_extracted": "x"}
    assert labels_after("| json", '{"app":"x"}', metadata={"app": "m"}) == {"app": "m", "app_extracted": "x"}


def test_paths_of_json_take_what_is_asked_for():
    line = '{"servers":["a","b"],"request":{"headers":{"User-Agent":"curl"}},"n":null,"o":{"p":1}}'
    stages = '| json first="servers[0]", agent="request.headers[\\"User-Agent\\"]", none="x.y", n, whole="o"'
    assert labels_after(stages, line) == {"first": "a", "agent": "curl", "none": "", "n": "", "whole": '{"p":1}'}


@pytest.mark.parametrize("line", ["{", "[1]", "plain", '{"a":}'])
def test_what_is_no_json_is_noted_and_stays(line):
    labels = labels_after("| json", line)
    assert labels["__error__"] == "JSONParserErr"
    assert labels["__error_details__"]
    assert run('| json | __error__=""', line) is None
    assert labels_after("| json | drop __error__, __error_details__", line) == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('at=info path="/a b" n=5 flag ok=', {"at": "info", "path": "/a b", "n": "5"}),
        (r'msg="said \"hi\"\n" x=1', {"msg": 'said "hi"\n', "x": "1"}),
        ('x=1 ="odd" y=2', {"x": "1", "y": "2"}),
        ("a.b-c=1", {"a_b_c": "1"}),
        ('x="unended y=2', {}),
        ("", {}),
    ],
)
def test_logfmt_takes_what_it_can(line, found):
    assert labels_after("| logfmt", line) == found


def test_logfmt_may_be_strict_or_keep_the_empty():
    assert labels_after("| logfmt --keep-empty", "flag x=1") == {"flag": "", "x": "1"}
    labels = labels_after("| logfmt --strict", 'x=1 ="odd" y=2')
    assert (labels["x"], labels["__error__"]) == ("1", "LogfmtParserErr")
    assert "y" not in labels
    assert labels_after('| logfmt path="p", missing', "p=/x q=1") == {"path": "/x", "missing": ""}


def test_expressions_and_patterns_take_their_captures():
    line = '10.0.0.1 - - "GET /x HTTP/1.1" 200'
    assert labels_after(r'| regexp "(?P<method>GET|PUT) (?P<path>\\S+)"', line) == {"method": "GET", "path": "/x"}
    assert labels_after("| regexp `(?P<a>x)|(?P<b>G)`", line) == {"a": "", "b": "G"}
    assert labels_after('| pattern `<ip> - <_> "<method> <path> <_>" <status>`', line) == {
        "ip": "10.0.0.1",
        "method": "GET",
        "path": "/x",
        "status": "200",
    }
    assert labels_after("| regexp `(?P<a>nothing)`", line) == {}


def test_a_packed_line_is_unpacked():
    line = '{"pod":"a","n":5,"_entry":"the line"}'
    assert run("| unpack", line) == ("the line", {"pod": "a"})
    assert labels_after("| unpack", "plain")["__error__"] == "JSONParserErr"


@pytest.mark.parametrize(
    ("stages", "stays"),
    [
        ('level="error"', True),
        ('level!="error"', False),
        ('level=~"err|warn"', False),
        ('level=~"err.*"', True),
        ("took > 1s", True),
        ("took > 2m", False),
        ("size >= 5KB", True),
        ("status == 500 and took > 1h", False),
        ("status == 500 or took > 1h", True),
        ('missing=""', True),
        ("missing > 1", False),
        ('addr = ip("10.0.0.0/8")', True),
        ('addr != ip("10.0.0.0/8")', False),
    ],
)
def test_conditions_compare_labels(stages, stays):
    metadata = {"level": "error", "took": "1m5s", "size": "5KiB", "status": "500", "addr": "10.1.1.1"}
    assert (run(f"| {stages}", "x", metadata=metadata) is not None) is stays


def test_a_number_that_is_none_is_noted_and_stays():
    labels = labels_after("| took > 1s", "x", metadata={"took": "soon"})
    assert labels["__error__"] == "LabelFilterErr"
    assert run('| took > 1s | __error__=""', "x", metadata={"took": "soon"}) is None


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{{.method}} {{.path}}", "GET /X"),
        ("{{ .path | ToLower }}", "/x"),
        ("{{ .path | lower | trunc 2 }}!", "/x!"),
        ("[{{.missing}}]", "[]"),
        ("{{__line__}}|", "the line|"),
        ('{{ if eq .method "GET" }}read{{ else }}write{{ end }}', "read"),
        ("{{ regexReplaceAll `/(\\w)` .path `<$1>` }}", "<X>"),
        ("{{ alignLeft 5 .method }}|{{ alignRight 2 .method }}", "GET  |ET"),
        ("{{ duration `1m30s` }} {{ bytes `5KB` }}", "90 5000"),
        ("{{ add 1 2 }} {{ div 7 2 }} {{ count `[A-Z]` .method }}", "3 3 3"),
        ("{{ unixEpochMillis __timestamp__ }}", "1600000000123"),
        ("{{ range $i, $x := fromJson .list }}{{ $i }}={{ $x }};{{ end }}", "0=a;1=b;"),
        ("{{ .path | urlencode }} {{ `a%20b` | urldecode }}", "%2FX a b"),
    ],
)
def test_lines_are_formatted_by_templates(template, line):
    metadata = {"method": "GET", "path": "/X", "list": '["a","b"]'}
    quoted = template.replace("\\", "\\\\").replace('"', '\\"')
    result = run(f'| line_format "{quoted}"', "the line", metadata=metadata)
    assert result is not None
    assert result[0] == line


def test_a_template_that_fails_is_noted():
    result = run('| line_format "{{ duration .x }}"', "the line", metadata={"x": "soon"})
    assert result is not None
    assert (result[0], result[1]["__error__"]) == ("the line", "TemplateFormatErr")


def test_a_template_that_calls_itself_without_end_is_run_only_once():
    template = '{{ define "x" }}{{ if eq . "a" }}{{ template "x" . }}{{ end }}ok{{ end }}{{ template "x" .v }}'
    pipeline = Pipeline(parse(f'{{app="shop"}} | line_format `{template}`').stages)
    entries = [Entry(0, "the line", {"v": value}) for value in "bab"]
    assert all(map(pipeline.apply, entries))
    assert [entry.line for entry in entries] == ["ok", "the line", "the line"]
    assert all(entry.details.endswith("exceeded maximum template depth (100000)") for entry in entries[1:])


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ('{{ define "x" }}ok {{ duration . }}{{ end }}{{ template "x" .v }}', "x"),
        ('{{ block "b" .v }}{{ if . }}{{ else if . }}a{{ end }}{{ duration . }}{{ end }}', "b"),
        ('{{ block "b" (duration .v) }}a{{ end }}', "line"),
        ('{{ define "x" }}{{/* {{ end }} */}}{{ "}}{{end" }}{{ duration . }}{{- end -}}{{ template "x" .v }}', "x"),
        ('{{ define "x" }}{{ if . }}a{{ end }}{{ end }}{{ if .v }}{{ duration .v }}{{ end }}', "line"),
    ],
)
def test_a_fault_names_the_template_that_it_is_in(template, name):
    entry = Entry(0, "the line", {"v": "soon"})
    Pipeline(parse(f'{{app="shop"}} | line_format `{template}`').stages).apply(entry)
    assert f'executing "{name}" at <duration .' in entry.details


def test_labels_are_renamed_and_formatted():
    assert labels_after('| label_format new=old, up="{{.old | ToUpper}}"', "x", {"old": "v"}) == {"new": "v", "up": ""}
    assert labels_after("| label_format new=missing", "x", {"old": "v"}) == {"old": "v"}


def test_labels_are_dropped_and_kept():
    stream = {"a": "1", "b": "2", "c": "3"}
    assert labels_after('| drop a, b="x", c=~"."', "x", stream) == {"b": "2"}
    assert labels_after('| keep a, b="x"', "x", stream) == {"a": "1"}


def test_colours_go_and_repeats_may_go_too():
    result = run("| decolorize", "\x1b[31mred\x1b[0m text")
    assert result is not None
    assert result[0] == "red text"
    expr = parse('{app="shop"} | distinct id')
    assert isinstance(expr, LogSelector)
    pipeline = Pipeline(expr.stages)
    assert [pipeline.apply(Entry(0, "", {"id": value})) for value in "aabab"] == [True, False, True, False, False]


@pytest.mark.parametrize(
    "stages",
    [
        '| line_format "{{"',
        '| pattern "<_>"',
        '| pattern "<a><b>"',
        '|> "<name>"',
        '| json x="a["',
        '|= ip("nonsense")',
        '| x = ip("1.2.3.4/99")',
    ],
)
def test_stages_that_cannot_work_are_refused(stages):
    with pytest.raises(LogqlError, match="parse error"):
        run(stages, "x")


@given(st.text(max_size=80))
def test_any_line_goes_through_every_parser(line):
    assert run("| json | logfmt --strict | pattern `<a> <b>` | unpack | decolorize", line) is not None


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True)))
def test_what_is_written_as_logfmt_is_read_back(fields):
    line = " ".join(f"{key}={value}" for key, value in fields.items())
    assert dict(pairs(line, is_strict=True)) == fields
