"""Where and how to deploy, checked when built."""

from __future__ import annotations

import os
from dataclasses import dataclass

from components.common.errors import BadInputError

TARGETS = ("local", "kserve", "manifest", "none")
_LATER = ("kserve", "manifest")
SUPERVISOR = "MILLRACE_SUPERVISOR"  # environment variable: path of the `supervisor.json` to use


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployConfig:
    """How to deploy.

    Attributes:
        target: `local` (through `millrace serve`), `kserve`, `manifest` or `none` (serve nothing).
            None means `local` when the environment names a supervisor, else `kserve`.
        timeout_seconds: Longest time a new revision may take to become ready. Seconds, above 0.
    """

    target: str | None = None
    timeout_seconds: float = 180.0

    def __post_init__(self) -> None:
        """Reject an unknown target or an impossible time at once, naming the value."""
        if self.target is not None and self.target not in TARGETS:
            raise ValueError(f"`target in {TARGETS}` must hold, but got {self.target=}.")
        if not self.timeout_seconds > 0:
            raise ValueError(f"`timeout_seconds > 0` must hold, but got {self.timeout_seconds=}.")

    def chosen_target(self) -> str:
        """Return `local` or `none`, whichever was asked for or follows from the environment.

        Raises:
            BadInputError: The target is not there in this version.
        """
        target = self.target or ("local" if os.environ.get(SUPERVISOR) else "kserve")
        if target in _LATER:
            why = "" if self.target else f", which is chosen because {SUPERVISOR} is not set,"
            what = f"target `{target}`{why} comes with a later version"
            raise BadInputError(what, where="parameter `deploy.target`", fix="use `local` or `none`")
        return target
