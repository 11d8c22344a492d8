"""From a file to the models and endpoints that came from it."""

# ruff: noqa: SIM115 - doors are one-liners here

import json
from functools import partial
from pathlib import Path

import pytest
from kfp import dsl

from components.common.errors import BadInputError
from components.common.storage import file_digest
from pipelines.local.lineage_down import downstream

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def ingest(file: str, snapshot: dsl.Output[dsl.Artifact], examples: dsl.Output[dsl.Dataset]):
    import os
    from pathlib import Path

    from components.common.artifacts import Snapshot, write_snapshot
    from components.common.storage import file_digest

    entry = {
        "uri": file, "bytes": os.path.getsize(file), "sha256": file_digest(Path(file)),
    }  # fmt: skip
    found = Snapshot(version="v", sources={"rows": [entry]}, query=None, split={}, rows={}, columns={})
    Path(snapshot.path).mkdir()
    write_snapshot(Path(snapshot.path), found)
    open(examples.path, "w").write(open(file).read())


@door
def describe(
    examples: dsl.Input[dsl.Dataset], schema: dsl.Output[dsl.Artifact], page: dsl.Output[dsl.HTML]
):
    open(schema.path, "w").write("x: INT" + open(examples.path).read())
    open(page.path, "w").write("<p>")


@door
def train(
    examples: dsl.Input[dsl.Dataset], schema: dsl.Input[dsl.Artifact], seed: int,
    baseline: dsl.Input[dsl.Model], model: dsl.Output[dsl.Model],
):  # fmt: skip
    open(model.path, "w").write(open(schema.path).read() + str(seed))


@door
def find(uri: str, snapshot: dsl.Input[dsl.Artifact], baseline: dsl.Output[dsl.Model]):
    import os

    if uri:
        baseline.uri = uri
        return
    os.makedirs(baseline.path)
    open(baseline.path + "/no_baseline.json", "w").write("{}")


@door
def deploy(model: dsl.Input[dsl.Model], endpoint: dsl.Output[dsl.Artifact]):
    from pathlib import Path

    from components.common.artifacts import Endpoint, write_endpoint

    Path(endpoint.path).mkdir()
    found = Endpoint(
        name="m", target="local", url="http://127.0.0.1:1/v2/models/m/infer", revision="r",
        model_digest="d", model_uri=model.uri, traffic={}, golden_requests=1,
    )  # fmt: skip
    write_endpoint(Path(endpoint.path), found)


@door
def choose(models: dsl.Input[list[dsl.Model]], best: dsl.Output[dsl.Model], page: dsl.Output[dsl.HTML]):
    open(best.path, "w").write(open(models[0].path).read() + "best")
    open(page.path, "w").write("<p>")


@door
def make(file: str, examples: dsl.Output[dsl.Dataset]):
    open(examples.path, "w").write(open(file).read())


@door
def fit(examples: dsl.Input[dsl.Dataset], seed: int, model: dsl.Output[dsl.Model]):
    open(model.path, "w").write(open(examples.path).read() + str(seed))


@door
def publish(page: dsl.Input[dsl.HTML], model: dsl.Input[dsl.Model], out: dsl.Output[dsl.Model]):
    open(out.path, "w").write(open(model.path).read())


@dsl.pipeline(name="search")
def search(file: str):
    examples = make(file=file).outputs["examples"]
    with dsl.ParallelFor([1, 2]) as seed:
        fitted = fit(examples=examples, seed=seed)
    chosen = choose(models=dsl.Collected(fitted.outputs["model"]))
    publish(page=chosen.outputs["page"], model=chosen.outputs["best"])


@dsl.pipeline(name="whole")
def whole(file: str, seed: int, baseline_uri: str = ""):
    data = ingest(file=file)
    found = find(uri=baseline_uri, snapshot=data.outputs["snapshot"]).set_caching_options(False)
    described = describe(examples=data.outputs["examples"])
    trained = train(
        examples=data.outputs["examples"], schema=described.outputs["schema"], seed=seed,
        baseline=found.outputs["baseline"],
    )  # fmt: skip
    deploy(model=trained.outputs["model"])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1\n")
    return path


def paths(node, inside=()):
    here = (*inside, node.name)
    return [path for one in node.led_to for path in paths(one, here)] or [here]


def test_source_file_leads_to_models_and_endpoints_each_once(run, root, file):
    first = run(whole, file=str(file), seed=1)
    second = run(whole, file=str(file), seed=2)
    assert (first.state, second.state) == ("SUCCEEDED", "SUCCEEDED")
    for name in (str(file), file_digest(file), file_digest(file)[:10]):
        (tree,) = downstream(root, name)
        assert (tree.kind, tree.uri, tree.sha256) == ("source", str(file), file_digest(file))
        way = ("rows", "examples", "schema", "model", "endpoint")
        assert paths(tree) == [way, way]  # and nothing of pages and stand-ins for a baseline
        models = tree.led_to[0].led_to[0].led_to
        assert [model.run_id for model in models] == [first.run_id, second.run_id]
        assert models[0].led_to[0].url == "http://127.0.0.1:1/v2/models/m/infer"
    assert json.loads(json.dumps(tree.as_dict()))["led_to"][0]["name"] == "examples"


def test_model_that_was_only_compared_with_did_not_lead_to_the_next(run, root, file):
    first = run(whole, file=str(file), seed=1)
    uri = first.outputs["train"]["model"]["uri"]
    second = run(whole, file=str(file), seed=2, baseline_uri=uri)
    assert second.outputs["find"]["baseline"]["uri"] == uri
    (tree,) = downstream(root, uri)
    assert paths(tree) == [("model", "endpoint")]
    assert tree.run_id == first.run_id
    (tree,) = downstream(root, str(file))
    assert paths(tree) == [("rows", "examples", "schema", "model", "endpoint")] * 2


def test_versions_of_a_file_are_told_apart(run, root, file):
    run(whole, file=str(file), seed=1)
    file.write_text("2\n")
    run(whole, file=str(file), seed=1, use_cache=False)
    trees = downstream(root, str(file))
    assert len({tree.sha256 for tree in trees}) == len(trees) == 2
    assert [len(paths(tree)) for tree in trees] == [1, 1]
    (now,) = downstream(root, file_digest(file))
    assert now.sha256 == trees[1].sha256


def test_choice_among_many_does_not_hang_under_one_that_was_not_chosen(run, root, file):
    result = run(search, file=str(file))
    (tree,) = downstream(root, result.outputs["make"]["examples"]["uri"])
    assert sorted(paths(tree)) == [
        ("examples", "best", "out"), ("examples", "model"), ("examples", "model"),
    ]  # fmt: skip


def test_what_led_to_nothing_is_told_as_such(run, root, file):
    result = run(whole, file=str(file), seed=1)
    (page,) = downstream(root, result.outputs["describe"]["page"]["uri"])
    assert (page.name, page.led_to) == ("page", ())
    with pytest.raises(BadInputError, match="nothing was made from it"):
        downstream(root, str(Path(file).with_name("b.csv")))
