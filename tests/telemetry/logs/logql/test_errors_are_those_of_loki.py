"""What is wrong with a query is said in the words of Loki, at its places; what Loki refuses is refused."""

from __future__ import annotations

import pytest

from holdfast.telemetry.logs.logql import LogqlError, parse


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": syntax error: unexpected $end"),
        ("{", "at line 1, col 2: syntax error: unexpected $end, expecting IDENTIFIER or }"),
        ('{a="b"', "at line 1, col 7: syntax error: unexpected $end, expecting } or ,"),
        ('{a="b",}', "at line 1, col 8: syntax error: unexpected }, expecting IDENTIFIER"),
        ("{a}", "at line 1, col 3: syntax error: unexpected }, expecting = or =~ or !~ or !="),
        ("{a=b}", "at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING"),
        ('{a="b"} |= 5', "at line 1, col 12: syntax error: unexpected NUMBER, expecting STRING or ip"),
        ('{a="b"} | json x,', "at line 1, col 18: syntax error: unexpected $end, expecting IDENTIFIER"),
        ('{a="b"} foo', "at line 1, col 9: syntax error: unexpected IDENTIFIER"),
        ('unk({a="b"}[5m])', "at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ('sum(rate({a="b"}[5m])', "at line 1, col 22: syntax error: unexpected $end"),
        ('rate({a="b"}[5m]', "at line 1, col 17: syntax error: unexpected $end, expecting )"),
        ('rate({a="b"}[5)', "at line 0, col 13: missing closing ']' in duration"),
        ('rate({a="b"}[5minutes])', 'at line 0, col 13: unknown unit "minutes" in duration "5minutes"'),
        ('rate({a="b"}[5m1h])', 'at line 0, col 13: not a valid duration string: "5m1h"'),
        ('rate({a="b"}[1.5h])', 'at line 0, col 13: unknown unit "." in duration "1.5h"'),
        ('{a="b"} | >= 5', "at line 0, col 11: syntax error: unexpected >="),
        ('{a="b"} | regexp `(?P<x>a)(?P<x>b)`', ": invalid regexp parser: duplicate extracted label name 'x'"),
        ('rate({a="b"}[])', "at line 0, col 13: empty duration string"),
        ('{a="b', "at line 1, col 4: literal not terminated"),
        (r'{a="\d"}', "at line 1, col 4: invalid char escape"),
        ('sum by foo (rate({a="b"}[5m]))', "at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ('sum(rate({a="b"}[5m])) by foo', "at line 1, col 27: syntax error: unexpected IDENTIFIER, expecting ("),
        ('sum by (rate({a="b"}[5m]))', "at line 1, col 9: syntax error: unexpected RATE, expecting IDENTIFIER or )"),
        ('{a="b"} | rate(x)', "at line 1, col 11: syntax error: unexpected RATE"),
        ('max({a="b"}[5m])', "at line 0, col 12: syntax error: unexpected RANGE"),
        ('sum({a="b"})', "at line 1, col 12: syntax error: unexpected )"),
        (
            'rate({a="b"}[5m]) / {c="d"}',
            ": unexpected type for right leg of binary operation (/): *syntax.MatchersExpr",
        ),
        ('{a="b"} |= "x" + 1', ": unexpected type for left leg of binary operation (+): *syntax.PipelineExpr"),
        ('{a="b"} | logfmt | unwrap x', "at line 1, col 20: syntax error: unexpected unwrap"),
        ('{a="b"} | unwrap x | sum', "at line 1, col 11: syntax error: unexpected unwrap"),
        (
            'sum_over_time({a="b"} | unwrap float(x) [5m])',
            "at line 1, col 37: syntax error: unexpected (, expecting RANGE or |",
        ),
        ('sum_over_time(({a="b"} | unwrap x) )', "at line 1, col 36: syntax error: unexpected ), expecting RANGE"),
        (
            "quantile_over_time(x, 5)",
            "at line 1, col 20: syntax error: unexpected IDENTIFIER, expecting NUMBER or { or (",
        ),
        ('{a="b"} | (json)', "at line 1, col 12: syntax error: unexpected json, expecting IDENTIFIER or ("),
        ('{a="b"} | x > 5 or', "at line 1, col 19: syntax error: unexpected $end, expecting IDENTIFIER or ("),
        ('rate({a="b"}[5m]) by (x) + ', "at line 1, col 28: syntax error: unexpected $end"),
        ('sum(3, rate({a="b"}[5m]) by (x))', ": unsupported parameter for operation sum(3,"),
        ("variants(1) of (2)", ": multi variant queries are no longer supported"),
        ('{a=~"("}', ": error parsing regexp: missing closing ): `(`"),
        ('{a="b"} |= "x" rate({a="b"}[5m])', "at line 1, col 16: syntax error: unexpected RATE"),
        ('{a="b"} & 1', "at line 1, col 9: syntax error: unexpected IDENTIFIER"),
        (
            '{a="b"} | label_format a=5',
            "at line 1, col 26: syntax error: unexpected NUMBER, expecting IDENTIFIER or STRING",
        ),
        ('{a="b"} |= "x" |~ "("', """: stage '|= "x" |~ "("' : error parsing regexp: missing closing ): `(`"""),
        ('sort by (a) (rate({a="b"}[5m]))', ": sort and sort_desc doesn't allow grouping by "),
        ('avg_over_time({a="b"}[5m])', ": invalid aggregation avg_over_time without unwrap"),
        ('count_over_time(5, {a="b"}[5m])', ": parameter 5 not supported for operation count_over_time"),
        ('sum(3, rate({a="b"}[5m]))', ": unsupported parameter for operation sum(3,"),
        ('{a="b"} | label_format __error__=x', ": __error__ cannot be formatted"),
        ('{a="b"} | regexp `(?P<é>x)`', ": invalid regexp parser: "),
        (
            'label_replace(rate({a="b"}[5m]), "x", "$1", "y", "(")',
            ": invalid regex in label_replace: error parsing regexp",
        ),
    ],
)
def test_errors_have_the_words_and_places_of_loki(text, told):
    with pytest.raises(LogqlError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"parse error {told}")


@pytest.mark.parametrize(
    "text",
    [
        '{a="b"}[5m]',
        'count_over_time({a="b"}[5m]) offset 5m',
        '{a="b"} + {c="d"}',
        '{a=="b"}',
        '{a>"b"}',
        '{a!="b"}',
        '{a="b"} | x > "y"',
        '{a="b"} | x == "y"',
        '{a="b"} | x =~ 5',
        '{a="b"} | logfmt --unknown',
        'sum by (x) (rate({a="b"}[5m])) by (x)',
        'approx_topk by (x) (3, rate({a="b"}[5m]))',
        'sum(rate({a="b"}[5m]) on (x))',
        "vector(x)",
    ],
)
def test_what_loki_refuses_is_refused(text):
    with pytest.raises(LogqlError, match=r"^parse error"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        '{a="b"} # a comment',
        '# first\n{a="b"} # |= "x"\n  |= "y"',
        '{a="b"} | x > 5k | y <= 2Mi | z < 1GB',
        '{a="b"} | x > -5m',
        'rate({a="b"}[1h30m] offset -5m)',
        'max_over_time({a="b"} | unwrap x | y > 5, z="1" | __error__="" [1d]) without (q)',
        '({a="b"} |= "x" | json)',
        'topk by (x) (3, rate({a="b"}[5m]))',
        'sum(rate({a="b"}[5m])) by (x) > bool 5 or vector(0)',
        '{a="b"} | logfmt --keep-empty --strict x, y="z" | drop x, y=~"z.*" | keep a | decolorize',
        'absent_over_time({a="b"} |> "<_>x" [5m])',
        '{a="b"} |= "x" or `y` or ip("10.0.0.1") !> "<_>x"',
        "-1 + vector(-2) % 3 ^ 2",
        'SUM BY (App) (Rate({a="b"} | JSON | Level="x" OR Keep="y" [5m]))',
    ],
)
def test_what_loki_takes_is_taken(text):
    assert parse(text)
