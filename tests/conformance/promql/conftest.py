"""Says after a run how many evaluations of each script passed."""

from __future__ import annotations


def pytest_terminal_summary(terminalreporter):
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    counts = sorted(value for each in reports for name, value in each.user_properties if name == "promql")
    if counts:
        terminalreporter.section("PromQL")
        for line in counts:
            terminalreporter.line(line)
