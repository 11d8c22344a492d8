"""What a user writes in a file and behind -p becomes the parameters of a run."""

import os
from pathlib import Path

import pytest
import yaml

from components.common.errors import BadInputError
from pipelines.build import Build
from pipelines.compiling.package import package_text
from pipelines.parameter_values import gather_parameters

ADVISED = "tasks: {every: {volumes: [{path: /shared, claim: NAME}]}}"
TYPES = {"sources": "STRUCT", "label": "STRING", "trials": "NUMBER_INTEGER", "deploy": "STRUCT"}


def test_settings_win_over_the_file(tmp_path: Path):
    (tmp_path / "p.yaml").write_text("label: price\ntrials: 4\ndeploy: {target: local, timeout_seconds: 5}")
    settings = ["trials=2", "deploy.target=none"]
    values = gather_parameters(tmp_path / "p.yaml", settings, TYPES)
    expected = {"label": "price", "trials": 2, "deploy": {"target": "none", "timeout_seconds": 5}}
    assert values == expected


def test_a_string_parameter_stays_text_although_it_looks_like_a_number():
    assert gather_parameters(None, ["label=007"], TYPES) == {"label": "007"}
    assert gather_parameters(None, ["label=null"], TYPES) == {"label": None}


def test_a_date_stays_the_text_that_was_written(tmp_path: Path):
    (tmp_path / "p.yaml").write_text(
        "split: {by: time, column: day, eval_from: 2013-09-01, test_from: '2013-11-01'}"
    )
    values = gather_parameters(tmp_path / "p.yaml", ["split.test_from=2013-12-01"], {})
    assert values["split"] == {
        "by": "time",
        "column": "day",
        "eval_from": "2013-09-01",
        "test_from": "2013-12-01",
    }


@pytest.mark.parametrize("setting", ["sources=a.csv", "sources={data: a.csv}", "sources.data=a.csv"])
def test_one_source_may_be_given_by_its_path_which_becomes_absolute(setting):
    assert gather_parameters(None, [setting], TYPES) == {"sources": {"data": os.path.abspath("a.csv")}}


def test_an_address_is_no_path():
    assert gather_parameters(None, ["sources=s3://b/a.csv"], TYPES)["sources"] == {"data": "s3://b/a.csv"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trials", "form key=value — option -p — got 'trials'"),
        ("sources: postgresql://u:canary@h", "form key=value — option -p — got 'sources'"),
        ('sources={t: "postgresql://u:canary@h', "value of `sources` is no valid YAML"),
        ("label.x=canary", "`label` is no mapping — option -p — got 'label.x'"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_which_may_be_a_secret_is_not_shown(
    setting, message, tmp_path: Path
):
    (tmp_path / "p.yaml").write_text("label: price")
    with pytest.raises(BadInputError, match=message) as caught:
        gather_parameters(tmp_path / "p.yaml", [setting], TYPES)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "mapping of names"),
        ("a: [", "not valid YAML at line 1, column 5"),
        ('a: b: "canary', "not valid YAML at line 1"),
    ],
)
def test_a_malformed_file_is_named(text, message, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadInputError, match=message) as caught:
        gather_parameters(tmp_path / "p.yaml", [], TYPES)
    assert "canary" not in str(caught.value)
    assert "p.yaml" in str(caught.value)


def test_a_module_is_pinned_so_that_an_edit_is_another_value(tmp_path: Path):
    def gathered(text: str) -> str:
        (tmp_path / "mine.py").write_text(text)
        return gather_parameters(None, [f"module_uri={tmp_path / 'mine.py'}"], TYPES)["module_uri"]

    assert gathered("x = 1\n") == gathered("x = 1\n")
    assert gathered("x = 1\n") != gathered("x = 2\n")


def test_home_is_known_and_a_key_s_file_becomes_absolute(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert gather_parameters(None, ["sources=~/x.csv"], TYPES)["sources"] == {"data": "/home/ann/x.csv"}
    source = {"uri": "s3://b/x.csv", "credentials": {"key": "env:K", "secret": "file:key.txt"}}
    found = gather_parameters(None, [], TYPES, given={"sources": {"t": source}})["sources"]["t"]
    assert found["credentials"] == {"key": "env:K", "secret": f"file:{os.path.abspath('key.txt')}"}


def test_in_a_source_with_more_than_a_uri_nothing_else_is_a_path():
    source = {"uri": "shop.db", "query": "SELECT a FROM t", "credentials": {"user": "env:USER"}}
    found = gather_parameters(None, [], TYPES, given={"sources": {"shop": source}})
    assert found["sources"] == {"shop": {**source, "uri": os.path.abspath("shop.db")}}


@pytest.mark.parametrize("uri", ["s3://b/x", "https://me:canary@h/x", "mine.py", "file://mine.py"])
def test_on_a_cluster_a_module_that_no_pod_can_open_is_refused_with_a_volume_as_the_way(uri):
    with pytest.raises(BadInputError, match="volume only — parameter `module_uri`") as caught:
        gather_parameters(None, [f"module_uri={uri}"], TYPES, on_cluster=True)
    assert ADVISED in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("uri", ["/shared/x.py", "file:///shared/x.py#sha256=00", "null"])
def test_on_a_cluster_a_module_of_a_volume_stays_as_it_is(uri):
    found = gather_parameters(None, [f"module_uri={uri}"], {"module_uri": "STRING"}, on_cluster=True)
    assert found == {"module_uri": None if uri == "null" else uri}


@pytest.mark.parametrize("uri", ["/shared/model", "s3://b/model"])
def test_on_a_cluster_a_baseline_is_refused_wherever_it_lies(uri):
    """KFP 2.17.0 fails each task that takes an artifact of no store (`fetchNonDefaultBuckets`)."""
    types = {"baseline_uri": "STRING"}
    with pytest.raises(BadInputError, match=r"no model can be named .* — parameter `baseline_uri`"):
        gather_parameters(None, [f"baseline_uri={uri}"], types, on_cluster=True)
    assert gather_parameters(None, ["baseline_uri=null"], types, on_cluster=True) == {"baseline_uri": None}


def test_build_option_that_is_advised_mounts_the_volume_wherever_they_are_read():
    build = Build(**yaml.safe_load(ADVISED))
    assert f"`{ADVISED}`" in Path("docs/kubeflow.md").read_text(encoding="utf-8")
    spec, platform = yaml.safe_load_all(package_text("training", build))
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert pods.keys() == spec["deploymentSpec"]["executors"].keys()
    for name, pod in pods.items():
        assert "/shared" in [mount["mountPath"] for mount in pod.get("pvcMount", [])], name
