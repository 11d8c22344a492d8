"""Nodes of Argo workflows, whose names KFP's API does not tell."""

import pytest
from kfp import dsl
from kfp_server_api import V2beta1Run

from pipelines.local.reading import inspect_documents
from pipelines.remote.nodes import Node, Place, places, read_nodes
from pipelines.remote.pods import node_id, pod_names
from tests.pipelines.remote.argo import Workflow
from tests.pipelines.remote.conftest import door
from tests.pipelines.remote.models import API


class _Response:
    def __init__(self, content):
        self.data = content


def details(flow):
    import json

    run = {"run_details": {"task_details": flow.details}}
    found: V2beta1Run = API.deserialize(_Response(json.dumps(run)), "V2beta1Run")
    return found.run_details.task_details


# Pods that were seen on a cluster, of a published walk-through (`oc get pods`) of the pipeline
# `fetch-and-store-pipeline` with the tasks `fetch_from_s3` and `process_and_store_pgvector`.
SEEN = {
    "fetch-from-s3": ("3248801382", "287597120"),
    "process-and-store-pgvector": ("3210250134", "922184592"),
}


@pytest.mark.parametrize("task", SEEN)
def test_pods_have_the_names_that_were_seen_on_a_cluster(plan, task):
    workflow = "fetch-and-store-pipeline-tmxwj"
    one = next(found for found in places(plan, workflow, 0) if not found.task.retry.limit)
    place = Place(task=one.task, iteration=(), path=f"{workflow}.root.{task}")
    executor, driver = SEEN[task]
    for is_driver, end, expected in (
        (False, ".executor", f"system-container-impl-{executor}"),
        (True, "-driver", f"system-container-driver-{driver}"),
    ):
        pod = node_id(workflow, f"{place.path}{end}")
        node = Node(place=place, state="RUNNING", seconds=0, ended=0, pod=pod, is_driver=is_driver)
        assert pod_names(node, [{}], frozenset()) == [f"{workflow}-{expected}"]


def test_task_that_is_in_no_loop_is_known_by_its_name_alone(plan):
    """Tasks after an exit handler hang below a node of another name."""
    flow = Workflow("line-x", plan, {"prepare": ("SUCCEEDED", 10, 25), "choose": ("RUNNING", 30, None)})
    for detail in flow.details:
        detail["child_tasks"] = [{"pod_name": f"line-x-{number}"} for number in range(1)]
    nodes = {node.place.label: (node.state, node.pod) for node in read_nodes(details(flow), plan)}
    assert nodes == {"prepare": ("SUCCEEDED", "line-x-0"), "choose": ("RUNNING", "line-x-0")}


def test_each_iteration_is_told_from_the_others_whatever_the_order(plan):
    tasks = {f"train-{number}": ("SUCCEEDED", 30, 40 + 10 * number) for number in range(4)}
    flow = Workflow("line-x", plan, {"prepare": ("SUCCEEDED", 10, 25), **tasks})
    flow.details.reverse()
    nodes = {node.place.label: node for node in read_nodes(details(flow), plan)}
    assert list(nodes) == ["prepare", "train-0", "train-1", "train-2", "train-3"]
    assert [nodes[f"train-{number}"].seconds for number in range(4)] == [10, 20, 30, 40]


@door
def leaf(a: str, b: str):
    pass


@dsl.pipeline
def part(a: str):
    leaf(a=a, b="same name in two graphs")


@dsl.pipeline(name="nested")
def nested(names: list[str]):
    part(a="x")
    with dsl.ParallelFor(names) as outer, dsl.ParallelFor(names) as inner:
        leaf(a=outer, b=inner)


def test_loops_in_loops_and_tasks_of_one_name_are_told_apart(tmp_path):
    from kfp import compiler

    from pipelines.local.documents import read_documents

    compiler.Compiler().compile(nested, str(tmp_path / "nested.yaml"))
    documents = read_documents((tmp_path / "nested.yaml").read_bytes())
    plan, _ = inspect_documents(documents, where="nested", digest="")
    found = {place.label: place for place in places(plan, "w", 2)}
    looped = next(label for label in found if label.endswith("-1-0")).removesuffix("-1-0")
    assert sum(label.startswith(looped) for label in found) >= 4
    flow = Workflow("w", plan, {f"{looped}-1-0": ("RUNNING", 5, None), f"{looped}-0-1": ("FAILED", 5, 9)})
    nodes = {node.place.label: node.state for node in read_nodes(details(flow), plan)}
    assert nodes == {f"{looped}-1-0": "RUNNING", f"{looped}-0-1": "FAILED"}


def test_run_that_has_made_nothing_has_no_tasks(plan):
    assert read_nodes([], plan) == []
    flow = Workflow("line-x", plan, {})
    assert read_nodes(details(flow), plan) == []
