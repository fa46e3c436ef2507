"""Numbers that a script prints: Nagios performance data and the Prometheus text format, both bounded and forgiving.

Sources: the Monitoring Plugins guidelines (performance data) and Prometheus' exposition formats, version 0.0.4.
"""

from __future__ import annotations

import math
import re
from typing import Final

from holdfast.health.probes.attempts import quote
from holdfast.health.probes.contract import Sample

MAX_SAMPLES: Final = 1000
_PERFDATA: Final = re.compile(
    r"\s*(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s'=]+))=(?P<value>U|[-+]?[\d.]+(?:e[-+]?\d+)?)"
    r"(?P<unit>[a-zA-Z%]*)(?:;[^\s;]*){0,4}(?=\s|$)",
    re.IGNORECASE,
)
# Seconds and bytes are the base units; the factor turns a plugin's unit into them.
_UNITS: Final = {
    "s": ("_seconds", 1.0),
    "ms": ("_seconds", 1e-3),
    "us": ("_seconds", 1e-6),
    "b": ("_bytes", 1.0),
    "kb": ("_bytes", 1024.0),
    "mb": ("_bytes", 1024.0**2),
    "gb": ("_bytes", 1024.0**3),
    "tb": ("_bytes", 1024.0**4),
    "%": ("_percent", 1.0),
    "c": ("_total", 1.0),
    "": ("", 1.0),
}
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]+")
_EXPOSITION: Final = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*"
)
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", '"': '"', "\\": "\\"}


def read_perfdata(output: str) -> tuple[str, list[Sample], str]:
    """Split a plugin's output into its text, its samples, and the first part that could not be read, if any."""
    texts, numbers = [], []
    for line in output.splitlines():
        text, _, data = line.partition("|")
        texts.append(text.rstrip())
        numbers.append(data)
    rest = " ".join(numbers).strip()
    samples: list[Sample] = []
    while rest and len(samples) < MAX_SAMPLES:
        match = _PERFDATA.match(rest)
        if match is None:
            return "\n".join(texts), samples, quote(rest, 60)
        rest = rest[match.end() :].lstrip()
        if match["value"].upper() != "U":  # U: the plugin could not measure it
            value = _number(match["value"])
            if value is None:
                return "\n".join(texts), samples, quote(match[0], 60)
            samples.append(_perf_sample(match, value))
    return "\n".join(texts), samples, ""


def _perf_sample(match: re.Match[str], value: float) -> Sample:
    label = (match["quoted"] or match["plain"]).replace("''", "'")
    suffix, factor = _UNITS.get(match["unit"].lower(), ("", 1.0))
    name = _NOT_IN_NAMES.sub("_", label).strip("_").lower() or "value"
    if name[0].isdigit():
        name = f"_{name}"
    named = name if name.endswith(suffix) else name + suffix
    return Sample(named, value * factor)


def read_exposition(output: str) -> tuple[str, list[Sample], str]:
    """Read the Prometheus text format; there is no text beside it but its comments, which are dropped."""
    samples: list[Sample] = []
    for line in output.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _EXPOSITION.fullmatch(stripped)
        labels = _labels(match["labels"] or "") if match else None
        value = _number(match["value"]) if match else None
        if match is None or labels is None or value is None:
            return "", samples, quote(stripped, 60)
        if len(samples) == MAX_SAMPLES:
            return "", samples, f"more than {MAX_SAMPLES} samples"
        samples.append(Sample(match["name"], value, labels))
    return "", samples, ""


def _labels(text: str) -> dict[str, str] | None:
    labels: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            return None
        labels[match[1]] = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), match[2])
        position = match.end()
    return labels


def _number(text: str) -> float | None:
    try:
        value = float(text.replace("_", "x"))
    except ValueError:
        return None
    return None if math.isnan(value) else value
