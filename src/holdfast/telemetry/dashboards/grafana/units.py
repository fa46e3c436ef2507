"""Grafana's names of units in our words: those that the console scales, else what stands behind the number."""

from __future__ import annotations

from typing import Final

_SAME: Final = {
    "": "", "none": "", "short": "", "string": "", "locale": "", "sishort": "",
    "s": "seconds", "dtdurations": "seconds", "ms": "milliseconds", "dtdurationms": "milliseconds",
    "\u00b5s": "\u00b5s", "ns": "ns", "m": "min", "h": "h", "d": "d",
    "bytes": "bytes", "decbytes": "bytes", "kbytes": "KiB", "deckbytes": "kB", "mbytes": "MiB", "decmbytes": "MB",
    "gbytes": "GiB", "decgbytes": "GB", "tbytes": "TiB", "dectbytes": "TB", "bits": "bits", "decbits": "bits",
    "Bps": "bytes/s", "binBps": "bytes/s", "bps": "bits/s", "binbps": "bits/s",
    "KBs": "kB/s", "KiBs": "KiB/s", "MBs": "MB/s", "MiBs": "MiB/s", "GBs": "GB/s", "GiBs": "GiB/s",
    "Kbits": "kbit/s", "Mbits": "Mbit/s", "Gbits": "Gbit/s", "pps": "packets/s",
    "percentunit": "ratio", "percent": "percent", "humidity": "%H",
    "reqps": "requests/s", "rps": "reads/s", "wps": "writes/s", "iops": "io/s", "ops": "ops/s", "cps": "counts/s",
    "eps": "events/s", "mps": "messages/s", "recps": "records/s", "rowsps": "rows/s",
    "reqpm": "requests/min", "opm": "ops/min", "rpm": "reads/min", "wpm": "writes/min", "cpm": "counts/min",
    "hertz": "Hz", "rothz": "Hz", "rotrpm": "rpm", "celsius": "°C", "fahrenheit": "°F", "kelvin": "K",
    "watt": "W", "kwatt": "kW", "volt": "V", "amp": "A", "watth": "Wh", "kwatth": "kWh", "joule": "J", "dB": "dB",
    "currencyUSD": "USD", "currencyEUR": "EUR", "currencyGBP": "GBP",
}  # fmt: skip
_SUFFIX: Final = "suffix:"


def map_unit(name: str) -> str | None:
    """Give our word for a unit, or None where there is none."""
    return name.removeprefix(_SUFFIX).strip() if name.startswith(_SUFFIX) else _SAME.get(name)
