"""Releases to KServe whose task is killed, or that others get in the way of, on an API that is played."""

from dataclasses import replace

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment import kserve
from components.deployment.candidate import Candidate
from components.deployment.config import DeployConfig
from components.deployment.deploy import release_to
from components.deployment.kserve import KServeTarget
from components.deployment.kserve_api import StaleError
from components.deployment.kserve_document import STOP
from components.deployment.release import HeldError, release_model
from components.deployment.roll_back import roll_back_model
from components.deployment.target import ClaimedError, Wanted
from tests.components.deployment.played_cluster import PlayedCluster

FOLDER = "/apis/serving.kserve.io/v1beta1/namespaces/millrace-serving/inferenceservices"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/millrace-serving/leases/millrace-release-flights"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(kserve, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(kserve, "_STALE_SECONDS", 0.0)


@pytest.fixture
def cluster():
    return PlayedCluster()


def wanted(revision, **knobs):
    uri = f"s3://bucket/{revision}"
    return Wanted(name="flights", revision=revision, model_uri=uri, model_digest=revision, **knobs)


def target_of(cluster, **knobs):
    return KServeTarget(
        cluster, DeployConfig(target="kserve", timeout_seconds=1.0, **{"strategy": "replace", **knobs})
    )


def release(cluster, revision, **knobs):
    """Release a model without golden requests."""
    target = target_of(cluster, **knobs)
    candidate = Candidate(wanted=wanted(revision))
    return release_model(target, candidate, config=target._config, holder="run 1")


def is_stopped(cluster):
    return STOP in cluster.objects[f"{FOLDER}/flights"]["metadata"]["annotations"]


def uri(cluster):
    return cluster.objects[f"{FOLDER}/flights"]["spec"]["predictor"]["model"]["storageUri"]


def replace_and_be_killed(cluster, revision):
    """Have a model take all requests, and be killed before that is written down."""
    target = target_of(cluster)
    target.apply(wanted(revision))
    assert target.observe("flights").weights == {revision: 100}


def answer_otherwise(monkeypatch):
    def prove(*_, **__):
        raise RefusedError("answers otherwise")

    monkeypatch.setattr("components.deployment.release.prove_revision", prove)


def test_a_model_that_was_released_before_is_not_taken_for_released_again(cluster):
    release(cluster, "z")
    release(cluster, "a")
    replace_and_be_killed(cluster, "b")
    cluster.is_rolled_out = False  # what KServe says is of `b` still
    target_of(cluster).apply(wanted("a"))
    observed = target_of(cluster).observe("flights")
    assert (observed.find("a").state, observed.weights) == ("starting", {"b": 100})
    cluster.is_rolled_out = True
    assert release(cluster, "a").weights == {"a": 100}


def test_a_model_again_after_a_killed_release_of_another_that_answers_otherwise_leaves_that(
    cluster, monkeypatch
):
    release(cluster, "z")
    release(cluster, "a")
    replace_and_be_killed(cluster, "b")
    answer_otherwise(monkeypatch)
    with pytest.raises(RefusedError, match=r"answers otherwise.*revision b serves as before \(ready\)"):
        release(cluster, "a")
    assert uri(cluster) == "s3://bucket/b"
    assert not is_stopped(cluster)
    monkeypatch.undo()
    observed = release(cluster, "a")
    assert observed.weights == {"a": 100}
    assert observed.released[-1].revision == "a"


def test_a_model_again_while_another_is_not_ready_in_its_place_is_put_back(cluster):
    release(cluster, "z")
    release(cluster, "a")
    cluster.is_rolled_out = False
    target_of(cluster).apply(wanted("b"))  # and the task that did it is killed
    observed = release(cluster, "a")
    assert observed.weights == {"a": 100}
    assert [one.revision for one in observed.released] == ["z", "a"]


def test_what_is_promoted_is_marked_and_a_model_from_before_is_new_again(cluster):
    release(cluster, "z")
    release(cluster, "a")
    before = cluster.objects[LEASE]["metadata"]["annotations"]["millrace/released"]
    assert before.startswith("a@u/")
    release(cluster, "b", strategy="canary")
    assert cluster.objects[LEASE]["metadata"]["annotations"]["millrace/released"] == "b"
    cluster.is_rolled_out = False
    target_of(cluster).apply(wanted("a"))
    assert target_of(cluster).observe("flights").find("a").state == "starting"
    assert target_of(cluster).observe("flights").stable.revision == "b"
    cluster.is_rolled_out = True
    release(cluster, "a")
    assert cluster.objects[LEASE]["metadata"]["annotations"]["millrace/released"] not in ("a", before)


def test_what_is_promoted_is_asked_by_its_own_name_though_kserve_still_tells_the_old_one(cluster):
    assert (
        release(cluster, "z").url == "http://flights-predictor.n.svc.cluster.local/v2/models/flights/infer"
    )
    observed = release(cluster, "a", strategy="canary")
    assert observed.url == "http://flights-ra-predictor.n.svc.cluster.local/v2/models/flights/infer"


def test_a_canary_is_proved_by_grpc_too_where_its_port_is_told(cluster, monkeypatch):
    asked = []

    def prove(candidate, url, *, revision=None, grpc=None):
        asked.append((revision, grpc))
        return []

    monkeypatch.setattr("components.deployment.await_ready.prove_revision", prove)
    release(cluster, "z")
    release(cluster, "a", strategy="canary", kserve={"grpc_port": 9000})
    assert ("z", None) in asked
    assert {grpc for revision, grpc in asked if revision == "a"} == {
        "flights-ra-predictor.n.svc.cluster.local:9000"
    }


def test_a_first_model_alone_is_ever_stopped(cluster, monkeypatch):
    answer_otherwise(monkeypatch)
    with pytest.raises(RefusedError, match="nothing was served before"):
        release(cluster, "a")
    assert is_stopped(cluster)
    monkeypatch.undo()
    release(cluster, "z")
    release(cluster, "a")
    target_of(cluster).remove("flights", "a")
    assert not is_stopped(cluster)
    assert uri(cluster) == "s3://bucket/a"


def test_a_name_that_another_took_over_is_let_alone(cluster, monkeypatch):
    release(cluster, "z")
    target = target_of(cluster)
    target.claim("flights", "run 1")
    target.apply(wanted("a"))
    monkeypatch.setattr(kserve, "_RENEWAL_SECONDS", 0.0)
    target.observe("flights")  # renews
    cluster.objects[LEASE]["spec"] |= {"holderIdentity": "run 2"}
    written = len(cluster.applied)
    for change in (
        lambda: target.observe("flights"),
        lambda: target.weigh("flights", {"z": 100}),
        lambda: target.remove("flights", "z"),
    ):
        with pytest.raises(ClaimedError, match="run 2 is releasing"):
            change()
    assert len(cluster.applied) == written


def test_a_service_is_stopped_only_where_the_annotation_says_true(cluster):
    release(cluster, "z")
    about = cluster.objects[f"{FOLDER}/flights"]["metadata"]["annotations"]
    about[STOP] = "false"
    assert target_of(cluster).observe("flights").weights == {"z": 100}
    about[STOP] = "true"
    assert target_of(cluster).observe("flights").revisions == ()


def test_a_model_again_from_another_place_is_told_as_it_serves(cluster, monkeypatch):
    release(cluster, "z")
    target = target_of(cluster)
    monkeypatch.setattr("components.deployment.deploy.open_target", lambda _: target)
    again = replace(wanted("z"), model_uri="s3://bucket/moved", run_id="2")
    told = release_to(Candidate(wanted=again), target._config)
    assert (told.revision, told.model_uri) == ("z", "s3://bucket/z")
    assert uri(cluster) == "s3://bucket/z"


def test_a_model_again_is_scaled_as_is_asked_for_and_keeps_what_it_began_from(cluster):
    release(cluster, "z")
    release(cluster, "a")
    spec, lease = cluster.objects[f"{FOLDER}/flights"]["spec"], cluster.objects[LEASE]["metadata"]
    release(cluster, "a", kserve={"min_replicas": 2, "scale_target": 60})
    one = cluster.objects[f"{FOLDER}/flights"]["spec"]["predictor"]
    assert one == {**spec["predictor"], "minReplicas": 2, "scaleTarget": 60}
    assert cluster.objects[LEASE]["metadata"]["annotations"] == lease["annotations"]


@pytest.mark.parametrize(
    ("engine", "knobs", "told"),
    [
        ("tensorflow", {}, r"deploy\.engine"),
        ("twin", {"runtime": "own"}, r"deploy\.kserve\.runtime"),
        ("twin", {"service_account": "own"}, r"deploy\.kserve\.service_account"),
    ],
)
def test_a_model_again_that_is_to_serve_otherwise_is_refused_by_its_knob(cluster, engine, knobs, told):
    target_of(cluster).apply(wanted("z", engine="twin"))
    written = len(cluster.applied)
    with pytest.raises(BadInputError, match=told):
        target_of(cluster, kserve=knobs).plan(wanted("z", engine=engine))
    assert len(cluster.applied) == written


def test_what_somebody_else_has_stopped_is_refused_and_stays_so(cluster):
    release(cluster, "z")
    cluster.objects[f"{FOLDER}/flights"]["metadata"]["annotations"][STOP] = "true"
    cluster.touch(f"{FOLDER}/flights")
    written = len(cluster.applied)
    with pytest.raises(BadInputError, match=rf"stopped it.*annotate inferenceservice flights {STOP}-"):
        release(cluster, "a")
    assert is_stopped(cluster)
    assert len(cluster.applied) == written


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"kserve": {"address": "external"}}, r"no address of its own.*deploy\.kserve\.address.*replace"),
        ({"steps": [5, 100], "on_inconclusive": "restore"}, r"nothing counts.*deploy\.kserve\.prometheus"),
        ({"sticky": "X-User"}, r"deploy\.sticky"),
    ],
)
def test_what_cannot_be_is_refused_by_its_knob_and_nothing_written(cluster, knobs, told):
    with pytest.raises(BadInputError, match=told):
        release(cluster, "a", strategy="canary", **knobs)
    assert [one["kind"] for one in cluster.applied if one["kind"] != "Lease"] == []


def test_a_share_that_nobody_counts_is_held_and_the_knob_is_named(cluster):
    release(cluster, "z")
    soon = {"interval_seconds": 0.0, "deadline_seconds": 0.1, "steps": [25, 100]}
    with pytest.raises(
        HeldError, match=r"there are no counts: .*deploy\.kserve\.prometheus.*millrace promote"
    ):
        release(cluster, "a", strategy="canary", **soon)


@pytest.mark.parametrize("share", [0, 5, 100])
def test_a_canary_has_all_of_the_fewest_servers_from_its_start(cluster, share):
    release(cluster, "z", kserve={"min_replicas": 4, "max_replicas": 7})
    target = target_of(cluster, strategy="canary", kserve={"min_replicas": 4, "max_replicas": 7})
    target.apply(wanted("a"))
    target.weigh("flights", {"a": share, "z": 100 - share})
    (entry,) = cluster.objects[f"{FOLDER}/flights"]["spec"]["canary"]
    assert (entry["trafficPercent"], entry["predictor"]["minReplicas"]) == (share, 4)
    if share == 100:
        target.remove("flights", "z")
        one = cluster.objects[f"{FOLDER}/flights"]["spec"]["predictor"]
        assert (one["minReplicas"], one["maxReplicas"]) == (4, 7)


def meddle(cluster, path):
    if path in cluster.objects:
        cluster.touch(path)


@pytest.mark.parametrize("times", [1, 4])
def test_every_write_is_made_again_when_others_were_faster(cluster, times):
    release(cluster, "z")
    target = target_of(cluster)
    cluster.meddlers = [meddle] * times
    target.plan(wanted("a"))
    assert cluster.meddlers == []
    cluster.meddlers = [meddle] * times
    target.apply(wanted("a"))
    cluster.meddlers = [meddle] * times
    target.remove("flights", "a")
    assert uri(cluster) == "s3://bucket/z"
    cluster.meddlers = [meddle] * times
    target.remove("flights", "z")
    assert is_stopped(cluster)


@pytest.mark.parametrize("strategy", ["replace", "canary"])
def test_what_was_written_though_its_answer_was_lost_is_not_written_again(cluster, monkeypatch, strategy):
    send, written = cluster.apply, []

    def lose(path, document, *, dry_run=False):
        answer = send(path, document, dry_run=dry_run)
        if not dry_run and document["spec"] not in written:
            written.append(document["spec"])
            raise StaleError("asked again with the version from before")
        return answer

    monkeypatch.setattr(cluster, "apply", lose)
    assert release(cluster, "z", strategy=strategy).weights == {"z": 100}
    assert release(cluster, "a", strategy=strategy).weights == {"a": 100}
    services = [one["spec"] for one in cluster.applied if one["kind"] == "InferenceService"]
    assert services == written


def test_others_that_keep_changing_it_are_told(cluster):
    release(cluster, "z")
    cluster.meddlers = [meddle] * 5
    with pytest.raises(UnavailableError, match="others keep changing the InferenceService"):
        target_of(cluster).plan(wanted("a"))


@pytest.mark.parametrize("strategy", ["replace", "canary"])
def test_a_rollback_brings_back_engine_and_data_version(cluster, monkeypatch, tmp_path, strategy):
    config = DeployConfig(target="kserve", strategy=strategy)
    for revision, engine in (("a", "twin"), ("b", "tensorflow")):
        made = wanted(revision, engine=engine, data_version=f"of-{revision}")
        release_model(KServeTarget(cluster, config), Candidate(wanted=made), config=config, holder="run 1")
    target = KServeTarget(cluster, config)
    for module in ("roll_back", "deploy"):
        monkeypatch.setattr(f"components.deployment.{module}.open_target", lambda _: target)
    for revision, runtime in (("a", "millrace"), ("b", "millrace-tensorflow")):
        roll_back_model(tmp_path / revision, model_name="flights", revision=None, config=config)
        one = cluster.objects[f"{FOLDER}/flights"]["spec"]["predictor"]
        assert one["labels"]["millrace/revision"] == revision
        assert one["model"]["runtime"] == runtime
        assert one["annotations"]["millrace/data-version"] == f"of-{revision}"
