"""The target `local`: the supervisor of `millrace serve` on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from components.common.control import call_control
from components.common.documents import read_json
from components.common.errors import BadInputError, UnavailableError
from components.deployment.config import SUPERVISOR
from components.deployment.tally import Histogram, Tally
from components.deployment.target import (
    ClaimedError,
    Observation,
    ObservedRevision,
    Release,
    Shares,
    Wanted,
)


class LocalTarget:
    """Deploys through a supervisor's control socket."""

    def __init__(self, control: str) -> None:
        """Use the supervisor behind a unix socket, by the path of that."""
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

    def plan(self, wanted: Wanted) -> None:
        """Honour every strategy; see `Target`."""

    def claim(self, model_name: str, holder: str) -> None:
        """Keep others from releasing while this process lives; see `Target`."""
        body = {"holder": holder, "pid": os.getpid()}
        held_by = call_control(self._control, "PUT", f"/claims/{model_name}", body)["holder"]
        if held_by != holder:
            raise ClaimedError(f"`{model_name}` is being released by {held_by}", fix="let it end first")

    def unclaim(self, model_name: str, holder: str) -> None:
        """Give the claim back; see `Target`."""
        call_control(self._control, "DELETE", f"/claims/{model_name}", {"holder": holder})

    def names(self) -> Sequence[str]:
        """Return the names that are served; see `Target`."""
        return [endpoint["name"] for endpoint in call_control(self._control, "GET", "/")["endpoints"]]

    def observe(self, model_name: str) -> Observation:
        """Return what is deployed now; see `Target`."""
        for endpoint in call_control(self._control, "GET", "/")["endpoints"]:
            if endpoint["name"] == model_name:
                known = [field.name for field in fields(ObservedRevision) if field.name != "url"]
                shared = list(endpoint["weights"])  # in the order that says whose users stay
                by_order = sorted(
                    endpoint["revisions"],
                    key=lambda each: (*shared, each["revision"]).index(each["revision"]),
                )
                revisions = ({key: each[key] for key in known if key in each} for each in by_order)
                return Observation(
                    url=endpoint["url"],
                    revisions=tuple(ObservedRevision(url=endpoint["url"], **each) for each in revisions),
                    released=tuple(Release(**each) for each in endpoint["released"]),
                    holder=endpoint.get("holder"),
                    sticky=endpoint.get("sticky"),
                )
        return Observation()

    def apply(self, wanted: Wanted) -> None:
        """Have a revision started; see `Target`."""
        body = {
            "model_uri": wanted.model_uri, "model_digest": wanted.model_digest, "engine": wanted.engine
        }  # fmt: skip
        call_control(self._control, "PUT", f"/endpoints/{wanted.name}/revisions/{wanted.revision}", body)

    def weigh(self, model_name: str, weights: Mapping[str, int]) -> None:
        """Share the requests; see `Target`."""
        sticky = weights.sticky if isinstance(weights, Shares) else None
        query = f"?sticky={quote(sticky)}" if sticky else ""
        call_control(self._control, "PUT", f"/endpoints/{model_name}/weights{query}", dict(weights))

    def remove(self, model_name: str, revision: str) -> None:
        """Drain a revision and end it; see `Target`."""
        call_control(self._control, "DELETE", f"/endpoints/{model_name}/revisions/{revision}")

    def tally(self, model_name: str) -> Mapping[str, Mapping[str, Tally]]:
        """Return what the supervisor and the servers counted; see `Target`."""
        found = call_control(self._control, "GET", f"/endpoints/{model_name}/tally")["revisions"]
        return {revision: {revision: _tally(counts)} for revision, counts in found.items()}


def _tally(counts: Mapping[str, Any]) -> Tally:
    predictions = {name: _histogram(each) for name, each in counts["predictions"].items()}
    seconds = _histogram(counts["seconds"])
    return Tally(
        requests=counts["requests"], errors=counts["errors"], seconds=seconds, predictions=predictions
    )


def _histogram(counts: Mapping[str, Any]) -> Histogram:
    return Histogram(bounds=tuple(counts["bounds"]), counts=tuple(counts["counts"]))
