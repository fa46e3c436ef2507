"""A target: what discovery found, relabelled into an address to scrape and the labels that its samples bear.

Source: Prometheus 3, scrape/target.go (PopulateLabels). Fetches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from pydantic_core import PydanticCustomError

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import format_duration
from holdfast.telemetry.metrics.scrape.config import ScrapeJob, parse_duration

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.scrape.relabelling import Relabelling

ADDRESS: Final = "__address__"
_PARAM: Final = "__param_"
_META: Final = "__meta_"
_INTERVAL: Final = "__scrape_interval__"
_TIMEOUT: Final = "__scrape_timeout__"
_PATH: Final = "__metrics_path__"
_IN_PATHS: Final = "/?%$&+,:;=@!'()*"  # a path may bring its query along; a # in it is part of the path
_SCHEME: Final = "__scheme__"


@dataclass(frozen=True, slots=True)
class Target:
    """One address to scrape.

    Attributes:
        labels: what its samples bear.
        discovered: what was known before relabelling, for people.
    """

    job: str
    url: str
    labels: Labels
    discovered: Labels
    interval_s: float
    timeout_s: float

    @property
    def key(self) -> tuple[str, Labels, float, float]:
        """Give what makes it the same target after another discovery."""
        return self.url, self.labels, self.interval_s, self.timeout_s

    @property
    def origin(self) -> str:
        """Give the name under which its series are counted."""
        return f"scrape:{self.job}/{dict(self.labels).get('instance', self.url)}"

    def offset_s(self, seed: str) -> float:
        """Give when in its interval it is scraped, the same on every start: the load is spread evenly."""
        digest = hashlib.blake2b(f"{seed}\0{self.url}\0{self.labels}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 * self.interval_s


def discovered_labels(job: ScrapeJob, found: Mapping[str, str]) -> dict[str, str]:
    """Give what relabelling starts from: the labels found, and the job's own where they say nothing."""
    defaults = {
        "job": job.name,
        _INTERVAL: format_duration(job.interval_s),
        _TIMEOUT: format_duration(job.timeout_s),
        _PATH: job.metrics_path,
        _SCHEME: job.scheme,
        **{_PARAM + name: values[0] for name, values in job.params.items() if values},
    }
    return {**defaults, **{name: value for name, value in found.items() if value}}


def make_target(job: ScrapeJob, relabelling: Relabelling, found: Mapping[str, str]) -> Target | Labels:
    """Give the target of what was found, or its discovered labels if relabelling drops it.

    Raises:
        InvalidError: what is left is no target: no address, or an interval that is none.
    """
    before = discovered_labels(job, found)
    discovered = tuple(sorted(before.items()))
    after = relabelling.apply(before)
    if after is None:
        return discovered
    address = after.get(ADDRESS, "")
    if not address:
        raise InvalidError("relabelling left no address")
    if "/" in address:
        raise InvalidError(f"{address!r} is not host:port")
    interval_s, timeout_s = _seconds(after, _INTERVAL), _seconds(after, _TIMEOUT)
    if not 0 < timeout_s <= interval_s:
        raise InvalidError(f"the scrape timeout of {address} is longer than its interval, or zero")
    labels = {name: value for name, value in after.items() if not name.startswith("__")}
    labels.setdefault("instance", address)
    return Target(job.name, _url(job, after), tuple(sorted(labels.items())), discovered, interval_s, timeout_s)


def _seconds(labels: Mapping[str, str], name: str) -> float:
    try:
        return parse_duration(labels.get(name, ""))
    except PydanticCustomError as error:
        raise InvalidError(f"{name}: {error.message()}") from None


def _url(job: ScrapeJob, labels: Mapping[str, str]) -> str:
    params = {name: list(values) for name, values in job.params.items()}
    for label, value in labels.items():
        if label.startswith(_PARAM):
            name = label.removeprefix(_PARAM)
            params[name] = [value, *params.get(name, [])[1:]]
    query = urlencode([(name, value) for name in sorted(params) for value in params[name]])
    path = labels.get(_PATH, "") or "/"
    path = quote(path if path.startswith("/") else f"/{path}", safe=_IN_PATHS)
    joint = "&" if "?" in path else "?"
    return f"{labels.get(_SCHEME, 'http')}://{labels[ADDRESS]}{path}{joint + query if query else ''}"
