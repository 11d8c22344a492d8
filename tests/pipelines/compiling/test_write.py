"""`millrace compile` writes all that was asked for, or nothing."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from components.common.errors import BadInputError
from components.common.images import image
from pipelines.cli import app
from pipelines.compiling.package import PIPELINES
from pipelines.compiling.write import Order, write_files

IMAGES = {image(name): f"r.example/{name}@sha256:1" for name in ("ingestion", "validation", "deployment")}


def test_all_pipelines_go_into_one_folder(tmp_path: Path):
    written = write_files(Order(every=True), tmp_path)
    assert written == [tmp_path / f"{name}.yaml" for name in PIPELINES]
    assert [next(yaml.safe_load_all(file.read_text()))["pipelineInfo"]["name"] for file in written] == list(
        PIPELINES
    )


def test_a_map_wins_over_the_build_file(tmp_path: Path):
    (tmp_path / "build.yaml").write_text("images: {millrace/ingestion: mine, millrace/modelling: more}")
    (tmp_path / "images.lock").write_text(yaml.safe_dump(IMAGES))
    order = Order(pipeline="screening", build=tmp_path / "build.yaml", images=tmp_path / "images.lock")
    (file,) = write_files(order, tmp_path / "out")
    executors = next(yaml.safe_load_all(file.read_text()))["deploymentSpec"]["executors"].values()
    assert {one["container"]["image"] for one in executors} == set(IMAGES.values())


def test_a_map_that_lacks_an_image_of_the_second_pipeline_writes_not_even_the_first(tmp_path: Path):
    (tmp_path / "images.lock").write_text(yaml.safe_dump(IMAGES))
    with pytest.raises(BadInputError, match="says nothing of `millrace/modelling`"):
        write_files(Order(every=True, images=tmp_path / "images.lock"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one thing is compiled at a time"),
        (["training", "--all"], "one thing is compiled at a time"),
        (["--components", "--format", "kubernetes"], "components are no objects of Kubernetes"),
        (["--all", "--images", "nowhere"], "file cannot be read"),
    ],
)
def test_orders_that_are_none_are_refused(arguments, message, tmp_path: Path):
    ended = CliRunner().invoke(app, ["compile", *arguments, "--out", str(tmp_path / "out")])
    assert isinstance(ended.exception, BadInputError)
    assert message in str(ended.exception)
    assert not (tmp_path / "out").exists()
