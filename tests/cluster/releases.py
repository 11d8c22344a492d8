"""Releases to KServe's own controller by the deployer's token, and what it makes of them."""

import threading
from contextlib import contextmanager

from components.deployment.candidate import Candidate
from components.deployment.release import release_model
from components.deployment.target import Wanted
from tests.cluster.nodes import DEPLOYMENTS, OWN, SERVICES, URI

A, B, C, D = (f"{digit * 64}" for digit in "abcd")  # digests of models

MODES = {"Standard": {}, "Knative": {"kserve": {"mode": "Knative"}}}
SHAPES = {"replace": {"strategy": "replace"}, **MODES}


def wanted(digest, name="flights", run_id="run-1"):
    """A model, as evaluation hands it over on Kubeflow."""
    return Wanted(
        name=name, revision=digest[:12], model_uri=f"minio://mlpipeline/{digest[:4]}", model_digest=digest,
        data_version="0" * 64, run_id=run_id,
    )  # fmt: skip


def uri(digest):
    return f"s3://mlpipeline/{digest[:4]}"


def release(target, digest, *, holder="run 1", **knobs):
    """Release a model without golden requests: no pod answers here."""
    config = target._config
    return release_model(target, Candidate(wanted=wanted(digest, **knobs)), config=config, holder=holder)


def live(played, name="flights"):
    return played.ask("GET", f"{OWN}/{name}")


def deployments(played):
    return {one["metadata"]["name"]: one for one in played.ask("GET", DEPLOYMENTS)["items"]}


def template_uri(played, name="flights-predictor"):
    """Which model the pods of a Deployment are to serve."""
    return deployments(played)[name]["spec"]["template"]["metadata"]["annotations"][URI]


def traffic(played):
    """What Knative is asked for: its latest revision (True) or a name, and their shares."""
    asked = played.ask("GET", f"{SERVICES}/flights-predictor")["spec"]["traffic"]
    return [(one["latestRevision"] or one["revisionName"], one["percent"]) for one in asked]


def shares(found):
    """The shares of models that an InferenceService asks for; of a canary of Knative, its own alone."""
    predictor, canaries = found["spec"]["predictor"], found["spec"].get("canary", [])
    if "canaryTrafficPercent" in predictor:
        return {_revision(predictor): predictor["canaryTrafficPercent"]}
    asked = {_revision(one["predictor"]): one["trafficPercent"] for one in canaries}
    return {**asked, _revision(predictor): 100 - sum(asked.values())}


def _revision(predictor):
    return predictor["labels"]["millrace/revision"]


def steps(played, before):
    """The shares that were asked for one after the other, from a version of the InferenceService on."""
    later = played.versions(OWN, before["metadata"]["resourceVersion"])
    found = [shares(one) for one in (before, *later)]
    return [one for number, one in enumerate(found) if number == 0 or one != found[number - 1]]


def routed(played):
    """The shares of models by the routes of Knative, or, of the mode Standard, as they are asked for."""
    found = live(played)
    if "Knative" not in found["metadata"]["annotations"].values():
        return shares(found)
    return routed_by(played, played.ask("GET", f"{SERVICES}/flights-predictor"))


def routed_by(played, service):
    """The shares of models by the routes of a service of Knative."""
    models, found = dict(played.revisions["flights-predictor"]), {}
    for one in service.get("status", {}).get("traffic", []):
        revision = models[one["revisionName"]][-1] * 12
        found[revision] = found.get(revision, 0) + one["percent"]
    return {revision: share for revision, share in found.items() if share}


def routes(played, since):
    """The shares of models by the routes of Knative, one after the other, since a version of it."""
    found = [routed_by(played, one) for one in played.versions(SERVICES, since)]
    return [one for number, one in enumerate(found) if number == 0 or one != found[number - 1]]


@contextmanager
def followed(played, folder):
    """Every version of the objects of a folder from now on."""
    since = played.ask("GET", folder)["metadata"]["resourceVersion"]
    found, ended = [], threading.Event()

    def follow(since):
        is_over = False
        while not is_over:
            is_over = ended.is_set()
            for one in played.versions(folder, since):
                found.append(one)
                since = one["metadata"]["resourceVersion"]

    following = threading.Thread(target=follow, args=(since,))
    following.start()
    try:
        yield found
    finally:
        ended.set()
        following.join()
