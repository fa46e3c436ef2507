"""Ways of finding targets: static, file, http, dns, kubernetes, behind one port.

Owns how each source is asked and how its labels are called. Refuses relabelling: what is found is told as it is.
"""

from holdfast.telemetry.metrics.scrape.discovery.contract import Discoverer, Found, Tell
from holdfast.telemetry.metrics.scrape.discovery.failures import Failure, Failures
from holdfast.telemetry.metrics.scrape.discovery.files import find_faults
from holdfast.telemetry.metrics.scrape.discovery.making import discoverers

__all__ = ["Discoverer", "Failure", "Failures", "Found", "Tell", "discoverers", "find_faults"]
