"""What a release writes into an InferenceService at each of its steps: our part of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.deployment.kserve_config import KServeConfig
from components.deployment.kserve_document import (
    SHARE,
    Document,
    history,
    predictor,
    release_of,
)
from components.deployment.kserve_state import Found, since
from components.deployment.target import Wanted

_SCALED = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "autoScaling")  # fixed for a canary


def applied(found: Found | None, wanted: Wanted, config: KServeConfig, *, is_canary: bool) -> Document:
    """Return the spec with a model beside the one that serves, or in its place.

    Args:
        found: What is deployed, or None.
        wanted: The model; one that is there already stays as it is, but for what scales its Deployment.
        config: How it serves.
        is_canary: It gets no share until it is given one; without it, all as soon as it is ready.
    """
    if found is None:
        return {"predictor": predictor(wanted, config, released=[])}
    if any(release_of(one).revision == wanted.revision for one in found.there):
        return _scaled(found, wanted, config)
    if is_canary and config.mode == "Standard":
        new = predictor(wanted, config, released=history(found.stable))
        entry = _entry(new, _free_name(wanted.revision, found), 0, found.one["minReplicas"])
        return {**found.spec, "canary": [*found.canaries, entry]}
    new = predictor(wanted, config, released=history(before(found, wanted)), since=since(found))
    kept = {"name": found.one["name"]} if "name" in found.one else {}
    return {"predictor": {**kept, **new, **({SHARE: 0} if is_canary else {})}}


def _scaled(found: Found, wanted: Wanted, config: KServeConfig) -> Document:
    """Return the spec of a model that serves, scaled as is asked: no pod of a Deployment rolls for it."""
    is_alone = release_of(found.one).revision == wanted.revision and not found.canaries
    if not is_alone or found.previous is not None or config.mode != "Standard":
        return found.spec
    kept = {key: value for key, value in found.one.items() if key not in _SCALED}
    new = predictor(wanted, config)
    return {"predictor": {**kept, **{key: new[key] for key in _SCALED if key in new}}}


def shared(found: Found, weights: Mapping[str, int]) -> Document:
    """Return the spec with the shares of its revisions."""
    if found.canaries:
        entries = [
            _entry(one, one["name"], weights.get(release_of(one).revision, 0), found.one["minReplicas"])
            for one in (entry["predictor"] for entry in found.canaries)
        ]
        return {**found.spec, "canary": entries}
    if found.previous is None:
        return found.spec
    if SHARE in found.one:
        return {"predictor": {**found.one, SHARE: weights.get(release_of(found.one).revision, 0)}}
    return {"predictor": found.previous} if takes_back(found, weights) else found.spec


def takes_back(found: Found, weights: Mapping[str, int]) -> bool:
    """Say whether such shares put the model from before back, whose servers must start then."""
    has_none = not weights.get(release_of(found.one).revision)
    return has_none and found.previous is not None and not found.canaries and SHARE not in found.one


def promoted(found: Found) -> Document:
    """Return the spec with the canary that has it all as the predictor: name and pods stay."""
    entry = next((each for each in found.canaries if each["trafficPercent"] == 100), None)
    if entry is None:  # it was promoted by an attempt without an answer
        return found.spec
    one = {key: value for key, value in entry["predictor"].items() if key not in _SCALED}
    scaled = {key: value for key, value in found.one.items() if key in _SCALED}
    left = [each for each in found.canaries if each is not entry]
    return {"predictor": {**one, **scaled}, **({"canary": left} if left else {})}


def dropped(found: Found, revision: str) -> Document:
    """Return the spec without the canary of a revision."""
    left = [each for each in found.canaries if release_of(each["predictor"]).revision != revision]
    return {"predictor": found.one, **({"canary": left} if left else {})}


def settled(found: Found) -> Document:
    """Return the spec whose predictor has all requests and nothing beside it."""
    return {"predictor": {key: value for key, value in found.one.items() if key != SHARE}}


def restored(previous: Mapping[str, Any], found: Found) -> Document:
    """Return the spec with the predictor from before; a canary of Knative stays without a share."""
    return {"predictor": {**previous, **({SHARE: 0} if SHARE in found.one else {})}}


def before(found: Found, wanted: Wanted) -> Document:
    """Return whose place a model takes: what was released last, or, for that one, what is there."""
    one = found.one if release_of(found.stable).revision == wanted.revision else found.stable
    return {key: value for key, value in one.items() if key != SHARE}


def _entry(one: Mapping[str, Any], name: str, share: int, least: int) -> Document:
    """Return an entry of `spec.canary`: it has the fewest servers of the stable one, from its start.

    Nothing scales it, and KServe's webhook refuses more.
    """
    kept = {key: value for key, value in one.items() if key not in _SCALED}
    return {"trafficPercent": share, "predictor": {**kept, "name": name, "minReplicas": least}}


def _free_name(revision: str, found: Found) -> str:
    """Return a name that no predictor has, a letter first; who took another's place kept its name."""
    taken = {found.one.get("name"), *(each["predictor"]["name"] for each in found.canaries)}
    return next(name for name in (f"{each}{revision}" for each in "rst") if name not in taken)
