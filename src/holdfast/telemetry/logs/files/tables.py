"""Findings as titled tables of text: one form for the terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.units import format_size
from holdfast.telemetry.logs.files.findings import Burst, Findings, Named, PathFinding, PatternFinding, Slow

_FILES: Final = 5  # that are named


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title; the columns named in `numbers` are set right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset(
        {
            "count",
            "share",
            "requests",
            "errors",
            "p50",
            "p90",
            "p95",
            "p99",
            "max",
            "1st",
            "2nd",
            "3rd",
            "minutes",
            "usual",
        }
    )


def summary(findings: Findings) -> list[tuple[str, str]]:
    """Give the first facts."""
    files = [f"{file} ({form})" for file, form in findings.files.items()]
    more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
    facts = [
        ("files", ", ".join(files[:_FILES]) + more),
        ("read", f"{findings.lines:,} lines, {format_size(findings.bytes)}; {findings.records:,} records"),
    ]
    if findings.first_at and findings.last_at:
        facts.append(("time", f"{findings.first_at:%Y-%m-%d %H:%M} to {findings.last_at:%Y-%m-%d %H:%M}, as logged"))
    facts.append(("errors", f"{findings.error_rate:.2%} of records"))
    if slow := findings.slow:
        quantiles = zip(("p50", "p95", "p99", "longest"), (slow.p50_s, slow.p95_s, slow.p99_s, slow.max_s), strict=True)
        facts.append(("took", ", ".join(f"{name} {seconds(value)}" for name, value in quantiles)))
    facts.append(("patterns", f"{findings.pattern_count:,}"))
    if findings.inexact:
        facts.append(("not exact", "; ".join(findings.inexact)))
    if findings.unread:
        sample = next(iter(findings.unread_samples), "")[:80]
        facts.append(("not read", f"{findings.unread:,} lines are not of the format, such as: {sample}"))
    if findings.cut:
        facts.append(("cut", f"{findings.cut:,} lines were longer than 1 MiB"))
    return facts


def sections(findings: Findings) -> Iterator[Section]:
    """Give the tables that are not empty."""
    changes = ("what", "1st", "2nd", "3rd", "level", "pattern")
    times = ("requests", "errors", "p50", "p95", "max", "path")
    made = (
        _named("Levels", findings.levels),
        _named("Status codes", findings.statuses),
        Section("Patterns", ("count", "share", "level", "pattern"), [_pattern(each) for each in findings.patterns]),
        Section("Changed from the first third to the last", changes, [_change(each) for each in findings.changed]),
        Section("Rare", ("count", "level", "line"), [_rare(each) for each in findings.rare]),
        Section("Bursts", ("begin", "minutes", "of", "count", "usual"), [_burst(each) for each in findings.bursts]),
        _named("Exceptions", findings.exceptions),
        Section("Paths", times, [_path(each) for each in findings.paths]),
        Section("Slowest paths", times, [_path(each) for each in findings.slowest]),
        _named("Clients", findings.clients),
        _named("Methods", findings.methods),
    )
    yield from (section for section in made if section.rows)


def _rare(each: PatternFinding) -> tuple[str, ...]:
    return f"{each.count:,}", each.level, each.sample


def _burst(each: Burst) -> tuple[str, ...]:
    usual = f"{each.usual_per_minute:,.0f}/min"
    return f"{each.begin:%Y-%m-%d %H:%M}", str(each.minutes), each.kind, f"{each.records:,}", usual


def seconds(value: float) -> str:
    """Give a duration for people."""
    return f"{value * 1e6:.0f} us" if value < 1e-3 else f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def _named(title: str, rows: Sequence[Named]) -> Section:
    return Section(
        title, ("count", "share", "name"), [(f"{each.count:,}", f"{each.share:.1%}", each.name) for each in rows]
    )


def _pattern(each: PatternFinding) -> tuple[str, ...]:
    return f"{each.count:,}", f"{each.share:.1%}", each.level, each.pattern


def _change(each: PatternFinding) -> tuple[str, ...]:
    return each.news, *(f"{count:,}" for count in each.thirds), each.level, each.pattern


def _path(each: PathFinding) -> tuple[str, ...]:
    return f"{each.requests:,}", f"{each.errors:,}", *_times(each.slow), each.path


def _times(slow: Slow | None) -> tuple[str, str, str]:
    return (seconds(slow.p50_s), seconds(slow.p95_s), seconds(slow.max_s)) if slow else ("", "", "")
