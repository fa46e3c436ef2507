"""Scraping: what `prometheus.yml` asks for, found, fetched, relabelled and handed to the sink.

Owns the file, discovery, relabelling, the loops and the state of targets. Refuses to parse pages (`exposition`) and to
keep samples (the sink).
"""

from holdfast.telemetry.metrics.scrape.config import ScrapeConfiguration, ScrapeJob, load_configuration
from holdfast.telemetry.metrics.scrape.relabelling import Action, Relabelling, RelabelRule

__all__ = [
    "Action",
    "RelabelRule",
    "Relabelling",
    "ScrapeConfiguration",
    "ScrapeJob",
    "load_configuration",
]
