"""The grouping key of a push, as its address holds it: `/job/<name>{/<label>/<value>}`, some of it in base64.

Source: the Pushgateway's README, "URL".
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import unquote

import orjson

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.labels import Labels, labels_of

_BASE64: Final = "@base64"
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MOST_LABELS: Final = 32


def read_grouping(path: str) -> Labels:
    """Give the labels of a group from what follows `/metrics/` in its address, still percent-encoded.

    A label with an empty value is not there, as everywhere in Prometheus.

    Raises:
        InvalidError: the path is not made of labels and values, or does not begin with a job.
    """
    parts = path.strip("/").split("/") if path.strip("/") else []
    if path.endswith("/") and len(parts) % 2:
        parts.append("")  # an empty value at the end
    if len(parts) % 2 or not parts or parts[0].removesuffix(_BASE64) != "job":
        raise InvalidError(
            f"the address /metrics/{path} is no grouping key",
            hint="write /metrics/job/<name>, then /<label>/<value> as often as you like",
        )
    if len(parts) > 2 * MOST_LABELS:
        raise InvalidError(f"a grouping key has more than {MOST_LABELS} labels")
    pairs: dict[str, str] = {}
    for label, value in zip(parts[::2], parts[1::2], strict=True):
        name, text = _read_pair(unquote(label), value)
        if name in pairs:
            raise InvalidError(f"the label {name} stands twice in the grouping key")
        if "\x00" in text:
            raise InvalidError(f"the value of {name} holds a zero byte")
        pairs[name] = text
    if not pairs["job"]:
        raise InvalidError("the job has no name", hint="write /metrics/job/<name>")
    return labels_of(pairs)


def _read_pair(label: str, quoted: str) -> tuple[str, str]:
    name = label.removesuffix(_BASE64)
    if not _LABEL.fullmatch(name) or name.startswith("__"):
        raise InvalidError(f"{name!r} is no label that may group metrics")
    try:
        value = unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise InvalidError(f"the value of {name} is not UTF-8", hint="percent-encode UTF-8 text") from None
    if name == label:
        return name, value
    try:
        padded = value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4)
        return name, base64.b64decode(padded, b"-_", validate=True).decode()
    except ValueError:  # `binascii.Error` and `UnicodeDecodeError` are some, and so is text that is no ASCII
        raise InvalidError(f"the value of {name} is not base64 of UTF-8 text") from None


def write_grouping(labels: Labels) -> str:
    """Give the one text that stands for these labels, by which groups are found."""
    return orjson.dumps(labels).decode()
