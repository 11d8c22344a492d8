"""The commands `release`, `promote`, `rollback` and `endpoints` on KServe, as a person types them."""

import json
import re
import sys
from functools import partial

import boto3
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from components.common.seal import model_digest
from pipelines.cli import main
from tests.cluster.answering import STORE, WEIGHTS
from tests.cluster.nodes import NAMESPACE, await_so
from tests.cluster.releases import live
from tests.house import ROOT

pytestmark = pytest.mark.cluster

URL = f"http://flights-predictor.{NAMESPACE}.svc.cluster.local/v2/models/flights/infer"
OUTSIDE = f"http://flights-{NAMESPACE}.example.com/v2/models/flights/infer"
FIRST, SECOND = (f"s3://{STORE}/{name}" for name in WEIGHTS)
RELEASE = ("release", "--name", "flights", "-p", "timeout_seconds=60")
HELD = ("-p", "steps=[25,100]", "-p", "interval_seconds=0.1", "-p", "deadline_seconds=0.1")


@pytest.fixture(scope="module")
def store(pods):
    """A real S3 server (moto) with the models in its bucket; returns its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=address, **keys).Bucket(STORE)
    bucket.create()
    for name in WEIGHTS:
        for file in (pods.root / name).rglob("*"):
            if file.is_file():
                bucket.upload_file(str(file), f"{name}/{file.relative_to(pods.root / name)}")
    yield address
    server.stop()


@pytest.fixture
def millrace(deployer, named, store, monkeypatch, capfd):
    """Type a command with the deployer's kubeconfig; returns its exit code and what it wrote."""
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    for name, value in zip(names, (store, "key", "secret", "us-east-1"), strict=True):
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()

    def run(*words):
        target = () if "--target" in words else ("--target", "kserve")
        monkeypatch.setattr(sys, "argv", ["millrace", *words, *target])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def revisions(pods):
    return tuple(model_digest(pods.root / name)[:12] for name in WEIGHTS)


@pytest.mark.usefixtures("routing")
def test_a_canary_is_held_promoted_and_rolled_back_by_hand(millrace, revisions):
    first, second = revisions
    proved = "answers 4 golden requests by v2, v1, v2 binary"
    told = f"revision {first} of `flights` is ready and {proved}\nflights answers at {URL}\n"
    assert millrace(*RELEASE, FIRST) == (0, told, "")
    code, out, err = millrace(*RELEASE, SECOND, *HELD)
    assert code == 3
    assert out.splitlines() == [
        f"revision {second} of `flights` is ready and {proved}",
        f"revision {second} has 25 % of the requests",
    ]
    assert err.startswith(f"error: revision {second} cannot be judged at 25 %: there are no counts: ")
    assert "`millrace promote flights --target kserve`, or `millrace rollback flights --target" in err
    code, out, _ = millrace("endpoints")
    assert [line.split() for line in out.splitlines()] == [
        ["NAME", "REVISION", "ENGINE", "STATE", "URL"],
        ["flights", first, "75", "%,", second, "25", "%", "twin", "ready", URL],
    ]
    code, out, err = millrace("promote", "flights")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"revision {second} of `flights` is ready",
        f"revision {second} has all requests",
        f"revision {first} is drained and removed",
        f"flights answers at {URL.replace('flights-', f'flights-r{second}-')}",
    ]
    code, out, _ = millrace("endpoints", "--json")
    (endpoint,) = json.loads(out)
    assert (endpoint["revision"], endpoint["weights"]) == (second, {second: 100})
    code, out, _ = millrace("rollback", "flights")
    assert code == 0
    assert f"revision {first} has all requests\nrevision {second} is drained and removed\n" in out
    code, out, err = millrace("promote", "flights")
    assert (code, out) == (2, "")
    assert err == f"error: there is nothing to promote — flights — {first} has all requests\n"
    code, out, err = millrace("rollback", "flights", "--to", "nothing")
    assert (code, out) == (2, "")
    assert "no such revision was released before — got 'nothing'" in err
    assert second in err
    assert millrace("rollback", "flights", "--to", second)[0] == 0
    assert f"flights  {second}" in millrace("endpoints")[1]


def as_told(err, command):
    """The words of a command that an error names."""
    (told,) = [each.split() for each in re.findall(r"`millrace ([^`]+)`", err) if each.startswith(command)]
    return told


def test_the_commands_that_an_error_names_work_as_they_are_typed_on_knative(millrace, revisions, played):
    first, second = revisions
    knative = ("-p", "kserve.mode=Knative")
    assert millrace(*RELEASE, FIRST, *knative)[0] == 0
    code, _, held = millrace(*RELEASE, SECOND, *knative, *HELD)
    assert (code, "it keeps that share" in held) == (3, True)
    code, told = one_line(millrace("promote", "flights"))  # without the knob: refused by its name
    assert (code, "it runs in the mode Knative" in told) == (2, True)
    assert "`-p kserve.mode=Knative`" in told
    assert live(played)["spec"]["predictor"]["canaryTrafficPercent"] == 25
    code, out, _ = millrace(*as_told(held, "promote"))
    assert (code, f"revision {second} has all requests" in out) == (0, True)
    code, _, held = millrace(*RELEASE, FIRST, *knative, *HELD)
    assert code == 3
    before = live(played)["metadata"]["annotations"]
    code, out, _ = millrace("rollback", "flights")  # what ends a release asks for no knob
    assert (code, f"revision {second} has all requests" in out) == (0, True)
    assert live(played)["metadata"]["annotations"] == before
    code, out, _ = millrace(*as_told(held, "rollback"))
    assert (code, f"revision {first} has all requests" in out) == (0, True)


def test_a_model_is_released_from_outside_by_the_gateway(millrace, revisions, played):
    outside = ("-p", "strategy=replace", "-p", "kserve.address=external")
    for uri, revision in zip((FIRST, SECOND), revisions, strict=True):
        code, out, _ = millrace(*RELEASE, uri, *outside)
        assert (code, out.splitlines()[-1]) == (0, f"flights answers at {OUTSIDE}")
        assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == revision
    assert OUTSIDE in millrace("endpoints", "-p", "kserve.address=external")[1]
    assert millrace("rollback", "flights", *outside)[0] == 0
    assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == revisions[0]


def one_line(said):
    code, out, err = said
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return code, err


def test_what_is_wrong_is_told_in_one_line(millrace, deployer, monkeypatch, pods):
    missing = "no such endpoint — got 'flights' — `millrace endpoints --target kserve` lists them"
    for command in ("promote", "rollback"):
        assert one_line(millrace(command, "flights")) == (2, f"error: {missing}\n")
    assert millrace("endpoints") == (0, "no model is being served\n", "")
    elsewhere = ("-p", "kserve.namespace=elsewhere")
    for command in (("endpoints",), ("promote", "flights"), (*RELEASE, FIRST, "-p", "strategy=replace")):
        code, told = one_line(millrace(*command, *elsewhere))
        assert (code, 'in the namespace "elsewhere"' in told) == (2, True)
        assert "not allowed: " in told
    code, told = one_line(millrace(*RELEASE, str(pods.root / "first"), "-p", "strategy=replace"))
    assert (code, "cannot fetch the model from there" in told) == (2, True)
    code, told = one_line(millrace(*RELEASE, FIRST, "-p", "strategy=ab", "-p", "steps=[50]"))
    assert (code, "parameter `deploy.strategy`" in told) == (2, True)
    code, told = one_line(millrace(*RELEASE, FIRST))
    assert (code, "KServe 0.20" in told, "strategy: replace" in told) == (2, True, True)
    code, told = one_line(millrace(*RELEASE, f"s3://{STORE}/nothing", "-p", "strategy=replace"))
    assert (code, "the model cannot be fetched" in told) == (4, True)


def test_a_namespace_that_is_not_there_is_told_to_who_may_see_it(millrace, installed, monkeypatch):
    """Its administrator's kubeconfig: the API then says that there is no namespace, not that it is shut."""
    where = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(where, str(installed.config))
    elsewhere = ("-p", "kserve.namespace=elsewhere")
    code, told = one_line(millrace(*RELEASE, FIRST, "-p", "strategy=replace", *elsewhere))
    assert (code, 'namespaces "elsewhere" not found' in told) == (2, True)
    code, told = one_line(millrace("rollback", "flights", *elsewhere))
    assert (code, "no such endpoint" in told) == (2, True)


def test_no_cluster_a_wrong_token_and_a_dead_server_are_told(millrace, deployer, monkeypatch, tmp_path):
    kubeconfig = deployer.read_text(encoding="utf-8")
    token = kubeconfig.partition("token: ")[2].split()[0]
    deployer.write_text(kubeconfig.replace(token, "wrong"), encoding="utf-8")
    code, told = one_line(millrace("endpoints"))
    assert (code, "does not know who is asking" in told) == (2, True)
    monkeypatch.setattr("components.deployment.kserve_api.WAITS_SECONDS", (0.01,))
    port = kubeconfig.partition("https://127.0.0.1:")[2].split()[0]
    deployer.write_text(kubeconfig.replace(port, "9"), encoding="utf-8")
    code, told = one_line(millrace("promote", "flights"))
    assert (code, "the Kubernetes API does not answer" in told) == (4, True)
    deployer.unlink()
    code, told = one_line(millrace("endpoints"))
    assert (code, "no cluster to deploy to" in told, "KUBECONFIG" in told) == (4, True, True)


def test_kubectl_does_what_the_page_says(millrace, installed, played, tmp_path):
    """What a model is released by, git's way, and what is looked at then: each command as it is written."""
    folder = tmp_path / "deployed"
    file = folder / "inference_service.yaml"
    knobs = [f"kserve.{one}" for one in ("min_replicas=2", "max_replicas=5", "scale_target=70")]
    by_file = (
        "--target",
        "manifest",
        "--out",
        str(folder),
        *(word for one in knobs for word in ("-p", one)),
    )
    assert millrace("release", "--name", "flights", FIRST, *by_file) == (0, f"{file}\n", "")
    first = file.read_bytes()
    assert millrace("release", "--name", "flights", FIRST, *by_file)[0] == 0
    assert file.read_bytes() == first
    page = (ROOT / "docs" / "kserve.md").read_text(encoding="utf-8")
    commands = re.findall(r"kubectl ((?:-n|apply|get) [^`\n]+)", page)
    commands.sort(key=lambda each: ("apply" not in each, "delete" in each))
    said = []
    for command in commands:
        run = partial(installed.kubectl, *command.replace("FOLDER", str(folder)).split())
        await_so(lambda run=run: said.append(run()) or said[-1].ok)  # until KServe has made it
    assert len(commands) == 5
    assert re.search(
        r"Deployment/flights-predictor +cpu: <unknown>/70% +2 +5", "".join(s.out for s in said)
    )
