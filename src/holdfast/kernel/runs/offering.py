"""What can be started in this process: workflows of the house, of plugins and of the ops folder.

Those of the ops folder are put in force as a whole; runs whose code has changed with them are the engine's matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from holdfast.kernel.errors import ConfigError
from holdfast.kernel.runs.engine import Runs
from holdfast.kernel.runs.loading import PATTERN, Loaded, Offer, find_doubles, load_folder, load_installed, unite
from holdfast.kernel.runs.workflows import Workflow
from holdfast.kernel.wiring import OpsFolder, Prepared

HOUSE: Final = "holdfast"


@dataclass(frozen=True, slots=True)
class PreparedOffer:
    """What the ops folder offers, imported and found valid, not yet in force."""

    offering: Offering
    loaded: Loaded
    warnings: tuple[str, ...] = ()

    async def apply(self) -> None:
        """Put it in force."""
        self.offering.replace(self.loaded)


class Offering:
    """All that this process offers, and where it came from."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._installed, self.faults = load_installed()
        self._loaded = Loaded()
        runs.register(*(workflow for workflow, _ in self._installed.workflows))

    @property
    def workflows(self) -> tuple[tuple[Workflow[Any, Any], str], ...]:
        """Give every workflow that can be started, with the place that it came from."""
        return unite((self._lasting(), self._loaded.offer)).workflows

    def prepare(self, folder: OpsFolder, _before: dict[str, Prepared]) -> PreparedOffer:
        """Import `workflows/*.py`; nothing is in force before `apply`.

        Raises:
            ConfigError: with every fault of every file.
        """
        loaded = load_folder(folder.path, folder.files(PATTERN), self._loaded)
        problems = tuple(find_doubles(unite((self._lasting(), loaded.offer))))
        if problems:
            raise ConfigError(problems)
        return PreparedOffer(self, loaded, self.faults)

    def replace(self, loaded: Loaded) -> None:
        """Offer this of the ops folder from now on, instead of what it held before."""
        before, self._loaded = self._loaded.offer, loaded
        if before is not loaded.offer:
            self._runs.registry.replace([it for it, _ in before.workflows], [it for it, _ in loaded.offer.workflows])

    def _lasting(self) -> Offer:
        """Give what does not come from the ops folder: plugins' workflows, and those that rooms have registered."""
        known = {id(it) for it, _ in (*self._installed.workflows, *self._loaded.offer.workflows)}
        ours = tuple((it, HOUSE) for it in self._runs.workflows() if id(it) not in known)
        return unite((self._installed, Offer(workflows=ours)))
