"""The Kubeflow that is played refuses what KFP's own definition does not allow."""

import json
import urllib.error
import urllib.request

import kfp_server_api
import pytest

from tests.pipelines.remote.models import required

BASE = "/apis/v2beta1"
REFERENCE = {"pipeline_id": "p", "pipeline_version_id": "v"}
WHOLE = {
    "pipelines": {"name": "line", "display_name": "line"},
    "experiments": {"display_name": "line"},
    "runs": {"display_name": "line-1", "experiment_id": "e", "pipeline_version_reference": REFERENCE},
}


def ask(kubeflow, path, body):
    """The status of an answer, and what the server takes amiss."""
    url = f"{kubeflow.url}{BASE}/{path}"
    kubeflow.api.experiments["e"] = {}
    kubeflow.api.versions["v"] = {"pipeline_id": "p"}
    try:
        status = urllib.request.urlopen(url, json.dumps(body).encode(), timeout=5).status  # noqa: S310 - loopback
    except urllib.error.HTTPError as error:
        status = error.code
    problems, kubeflow.api.problems = kubeflow.api.problems, []
    return status, "".join(problems)


@pytest.mark.parametrize("path", WHOLE)
def test_a_whole_request_is_taken(kubeflow, path):
    assert ask(kubeflow, path, WHOLE[path]) == (200, "")


@pytest.mark.parametrize(
    ("path", "key"), [("pipelines", "name"), ("experiments", "display_name"), ("runs", "display_name")]
)
def test_a_request_without_what_is_required_is_refused(kubeflow, path, key):
    empty = {**WHOLE[path], key: ""}
    for body in (empty, {name: value for name, value in empty.items() if name != key}):
        status, problem = ask(kubeflow, path, body)
        assert status == 400
        assert f".{key}: 'required, and missing'" in problem


def test_a_reference_inside_a_request_is_whole_too(kubeflow):
    body = {**WHOLE["runs"], "pipeline_version_reference": {"pipeline_version_id": "v"}}
    status, problem = ask(kubeflow, "runs", body)
    assert (status, "pipeline_version_reference.pipeline_id" in problem) == (400, True)


@pytest.mark.parametrize("body", [{**WHOLE["runs"], "nmae": "x"}, {**WHOLE["runs"], "display_name": 3}])
def test_a_request_with_a_field_that_is_none_or_of_another_type_is_refused(kubeflow, body):
    status, problem = ask(kubeflow, "runs", body)
    assert (status, problem != "") == (400, True)


def test_what_is_required_is_what_the_definition_calls_so():
    """Written down from the generated models; a new release that calls others so is seen here."""
    found = {
        name: required(model)
        for name in (
            "V2beta1Pipeline",
            "V2beta1Experiment",
            "V2beta1Run",
            "V2beta1PipelineVersionReference",
        )
        if (model := getattr(kfp_server_api.models, name))
    }
    assert found == {
        "V2beta1Pipeline": {"name"}, "V2beta1Experiment": {"display_name"},
        "V2beta1Run": {"display_name"}, "V2beta1PipelineVersionReference": {"pipeline_id"},
    }  # fmt: skip
