"""The target `local`: the supervisor of `millrace serve` on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from components.common.control import call_control
from components.common.documents import read_json
from components.common.errors import BadInputError, UnavailableError
from components.deployment.config import SUPERVISOR
from components.deployment.target import Observation, ObservedRevision, Release


class LocalTarget:
    """Deploys through a supervisor's control socket."""

    def __init__(self, control: str) -> None:
        """Use the supervisor behind a unix socket."""
        self._control = control

    @classmethod
    def from_environment(cls) -> LocalTarget:
        """Use the supervisor whose `supervisor.json` the environment names.

        Raises:
            UnavailableError: The variable is not set, or no supervisor has written the file.
        """
        fix = f"start `millrace serve` and set {SUPERVISOR} to <root>/serving/supervisor.json"
        named = os.environ.get(SUPERVISOR)
        if not named or not Path(named).exists():
            raise UnavailableError("no supervisor to deploy to", where=SUPERVISOR, value=named, fix=fix)
        control = read_json(Path(named)).get("control")
        if not isinstance(control, str):
            raise BadInputError("names no control socket", where=named, fix=fix)
        return cls(control)

    def observe(self, model_name: str) -> Observation:
        """Return what is deployed now; see `Target`."""
        for endpoint in call_control(self._control, "GET", "/")["endpoints"]:
            if endpoint["name"] == model_name:
                known = [field.name for field in fields(ObservedRevision)]
                revisions = ({key: each[key] for key in known} for each in endpoint["revisions"])
                return Observation(
                    url=endpoint["url"],
                    revisions=tuple(ObservedRevision(**each) for each in revisions),
                    released=tuple(Release(**each) for each in endpoint["released"]),
                )
        return Observation()

    def apply(self, model_name: str, revision: str, *, model: Path, model_digest: str) -> None:
        """Have a revision started; see `Target`."""
        body = {"model_uri": str(model), "model_digest": model_digest}
        call_control(self._control, "PUT", f"/endpoints/{model_name}/revisions/{revision}", body)

    def weigh(self, model_name: str, weights: Mapping[str, int]) -> None:
        """Share the requests; see `Target`."""
        call_control(self._control, "PUT", f"/endpoints/{model_name}/weights", dict(weights))

    def remove(self, model_name: str, revision: str) -> None:
        """Drain a revision and end it; see `Target`."""
        call_control(self._control, "DELETE", f"/endpoints/{model_name}/revisions/{revision}")
