"""Writes proposals as check files and never over anything that somebody may have edited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast.health.discover.proposing import Proposal
from holdfast.kernel.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the proposals, as paths."""

    new: tuple[Path, ...]
    kept: tuple[Path, ...]


def write_files(proposals: Iterable[Proposal], ops: Path, *, force: bool) -> Written:
    """Write `ops/checks/<name>.yaml` for each proposal.

    Args:
        proposals: what to write.
        ops: the folder of ops as code; made if it is missing.
        force: replace files that are there.

    Raises:
        UnavailableError: the folder cannot be written to.
    """
    folder, new, kept = ops / "checks", [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for proposal in proposals:
            path = folder / f"{proposal.name}.yaml"
            if path.exists() and not force:
                kept.append(path)
            else:
                path.write_text(proposal.text, encoding="utf-8")
                new.append(path)
    except OSError as error:
        raise UnavailableError(f"{error.filename}: cannot be written: {error.strerror}") from error
    return Written(tuple(new), tuple(kept))
