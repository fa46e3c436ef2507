"""Check files: strict, complete in their complaints, each with file, line, field and fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from pydantic import ConfigDict

from holdfast.health.checks import Flap, Recurring, Retries, find_check_files, load_checks
from holdfast.health.probes import ProbeKind
from holdfast.kernel.errors import ConfigError, InvalidError, Place


@dataclass(frozen=True, slots=True)
class PingSpec:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    address: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class LookSpec:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def build_ping(spec: PingSpec):
    if ":" not in spec.address:
        raise InvalidError("no port", hint="write host:port", place=Place(field="address"))
    return object()


KINDS = {
    "ping": ProbeKind("ping", PingSpec, build_ping),
    "look": ProbeKind("look", LookSpec, None),
}


def load(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return load_checks(find_check_files(folder), KINDS, root=folder)


def faults(folder, **files) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, **files)
    return [str(problem) for problem in caught.value.problems]


GOOD = """\
defaults: {every: 20s, timeout: 3s, labels: {env: demo}, for: 1m}
checks:
  - name: gateway-live
    kind: ping
    service: gateway
    ping: {address: "a:1"}
  - name: payments-ready
    kind: ping
    selector: {system: shop}
    labels: {tier: "1"}
    every: 5s
    timeout: 500ms
    for: 0s
    retries: {attempts: 3, backoff: 1s}
    flap: {threshold: 3, window: 10}
    parents: [gateway-live]
    ping: {address: "b:1", count: 2}
maintenance:
  - {name: weekly, services: [payments], cron: "0 3 * * sun", duration: 2h, timezone: Europe/Berlin, reason: backups}
"""


def test_a_check_says_everything_or_takes_the_defaults(tmp_path):
    gateway, payments = load(tmp_path, shop=GOOD).checks
    assert (gateway.every_s, gateway.timeout_s, gateway.for_s, gateway.retries) == (20.0, 3.0, 60.0, Retries())
    assert gateway.labels == {"env": "demo"}
    assert gateway.probe is not None
    assert payments.labels == {"env": "demo", "tier": "1"}
    assert (payments.every_s, payments.timeout_s, payments.for_s) == (5.0, 0.5, 0.0)
    assert (payments.retries, payments.flap) == (Retries(3, 1.0), Flap(3, 10))
    assert payments.parents == ("gateway-live",)
    assert payments.spec == PingSpec("b:1", 2)
    assert payments.place == Place("shop.yaml", 7, "checks[1]")


def test_maintenance_windows_are_read_with_their_zone(tmp_path):
    (window,) = load(tmp_path, shop=GOOD).windows
    assert window.id == "weekly"
    assert isinstance(window.when, Recurring)
    assert str(window.when.cron.zone) == "Europe/Berlin"


def test_a_passive_check_needs_no_section(tmp_path):
    (check,) = load(tmp_path, a="checks: [{name: nightly, kind: look}]").checks
    assert check.probe is None


def test_no_folder_and_no_files_mean_no_checks(tmp_path):
    assert load(tmp_path / "missing").checks == ()


def test_a_short_period_shortens_the_default_timeout(tmp_path):
    (check,) = load(tmp_path, a="checks: [{name: a, kind: look, every: 2s}]").checks
    assert check.timeout_s == 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "checks:\n  - {name: a, kind: pign, pign: {}}",
            "a.yaml:2: checks[0].kind: unknown kind 'pign' (did you mean 'ping'?)",
        ),
        (
            "checks:\n  - name: a\n    kind: look\n    evry: 5s",
            "a.yaml:4: checks[0].evry: unknown key 'evry' (did you mean 'every'?)",
        ),
        ("chekcs: []", "a.yaml:1: chekcs: unknown key 'chekcs' (did you mean 'checks'?)"),
        ("checks:\n  - kind: look", "a.yaml:2: checks[0].name: 'name' is required"),
        ("checks:\n  - name: a", "a.yaml:2: checks[0].kind: 'kind' is required"),
        ("checks:\n  - {name: Not Good, kind: look}", "'Not Good' is not a name"),
        ("checks:\n  - name: a\n    kind: look\n    every: 5", "a.yaml:4: checks[0].every: 5 is not a duration"),
        ("checks:\n  - {name: a, kind: look, every: 10ms}", "every 10ms is too often (write 1s or more)"),
        ("checks:\n  - {name: a, kind: look, every: 2s, timeout: 3s}", "not longer than every 2s"),
        ("checks:\n  - {name: a, kind: look, flap: {threshold: 9, window: 5}}", "can never hold 9 changes"),
        (
            "checks:\n  - {name: a, kind: look, retries: {attempts: two}}",
            "attempts: expected a whole number, found 'two'",
        ),
        ("checks:\n  - {name: a, kind: look, service: x, selector: {y: z}}", "keep one"),
        ("checks:\n  - {name: a, kind: ping}", "a.yaml:2: checks[0].ping.address: 'address' is required"),
        ("checks:\n  - name: a\n    kind: ping\n    ping: {adress: x}", "did you mean 'address'?"),
        ("checks:\n  - name: a\n    kind: ping\n    ping: [1]", "checks[0].ping: expected a mapping, found a list"),
        ("checks:\n  - name: a\n    kind: look\n    ping: {}", "does not belong to a check of kind 'look'"),
        (
            "checks:\n  - name: a\n    kind: ping\n    ping:\n      address: x",
            "a.yaml:5: checks[0].ping.address: no port (write host:port)",
        ),
        (
            "checks:\n  - {name: abc, kind: look}\n  - {name: b, kind: look, parents: [abd]}",
            "a.yaml:3: checks[1].parents[0]: there is no check named 'abd' (did you mean 'abc'?)",
        ),
        (
            "checks:\n  - {name: a, kind: look, parents: [b]}\n  - {name: b, kind: look, parents: [a]}",
            "a.yaml:2: checks[0]: parents go in a circle: a -> b -> a",
        ),
        ("checks:\n  - {name: a, kind: look, parents: [a]}", "parents go in a circle: a -> a"),
        ("maintenance:\n  - {name: w}", "it covers nothing"),
        ("maintenance:\n  - {name: w, services: [a]}", "it does not say when"),
        ("maintenance:\n  - {name: w, services: [a], cron: '0 3 * * *'}", "needs a duration"),
        (
            "maintenance:\n  - {name: w, services: [a], cron: 'x', duration: 1h}",
            "maintenance[0].cron: 'x' is not a cron",
        ),
        ("maintenance:\n  - {name: w, services: [a], starts: soon, duration: 1h}", "'soon' is not a time"),
        (
            "maintenance:\n  - {name: w, services: [a], starts: 2026-01-02T10:00, ends: 2026-01-01T10:00}",
            "it ends before it starts",
        ),
        ("maintenance:\n  - {name: w, checks: [nope], starts: 2026-01-02, duration: 1h}", "there is no such check"),
        (
            "maintenance:\n  - {name: w, services: [a], starts: 2026-01-02, duration: 1h, timezone: Mars}",
            "unknown time zone 'Mars'",
        ),
    ],
)
def test_a_fault_names_file_line_field_and_fix(tmp_path, text, expected):
    assert any(expected in fault for fault in faults(tmp_path, a=text)), faults(tmp_path, a=text)


def test_every_fault_of_every_file_is_told_at_once(tmp_path):
    told = faults(
        tmp_path,
        a="checks:\n  - {name: one, kind: pign}\n  - {name: two, kind: look, every: fast}",
        b="checks:\n  - {name: two, kind: look}\n  - {name: three, kind: ping}",
        c="checks: [",
    )
    assert len(told) == 4
    assert {text.split(":")[0] for text in told} == {"a.yaml", "b.yaml", "c.yaml"}


def test_a_name_used_twice_points_at_the_first(tmp_path):
    (told,) = faults(tmp_path, a="checks: [{name: x, kind: look}]", b="checks:\n  - {name: x, kind: look}")
    assert told.startswith("b.yaml:2: checks[0]: a check named 'x' stands at a.yaml:1 already")
