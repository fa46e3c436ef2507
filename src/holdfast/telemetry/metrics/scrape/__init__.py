"""Scraping: what `prometheus.yml` asks for, found, fetched, relabelled and handed to the sink.

Owns the file, discovery, relabelling, the loops and the state of targets (`TargetBoard`). Refuses to parse pages
(`exposition`) and to keep samples (the sink).
"""

from holdfast.telemetry.metrics.scrape.board import TargetBoard
from holdfast.telemetry.metrics.scrape.config import ScrapeConfiguration, ScrapeJob, load_configuration
from holdfast.telemetry.metrics.scrape.relabelling import Action, Relabelling, RelabelRule
from holdfast.telemetry.metrics.scrape.scraping import Scraping
from holdfast.telemetry.metrics.scrape.settings import SECTION, ScrapeSettings
from holdfast.telemetry.metrics.scrape.wiring import ScrapeRoom, wire

__all__ = [
    "SECTION",
    "Action",
    "RelabelRule",
    "Relabelling",
    "ScrapeConfiguration",
    "ScrapeJob",
    "ScrapeRoom",
    "ScrapeSettings",
    "Scraping",
    "TargetBoard",
    "load_configuration",
    "wire",
]
