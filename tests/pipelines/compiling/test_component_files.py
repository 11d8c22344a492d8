"""Components as files: whoever has `kfp` builds with them, and nothing of ours is needed to."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from kfp.components import load_component_from_file

from components.common.images import ImageName, image
from pipelines.compiling.gallery import FLOW, read_components
from pipelines.compiling.write import Order, write_files
from pipelines.doors import doors
from pipelines.local import run

# Without `site` no `.pth` file is read, so that an editable install of ours is not found either.
ALONE = "import sys; sys.path.append(sys.argv[1]); import runpy; runpy.run_path(sys.argv[2])"

FOREIGN = """
import importlib.util
from kfp import compiler, components, dsl

assert importlib.util.find_spec("pipelines") is None, "our code must not be found here"
assert importlib.util.find_spec("components") is None, "our code must not be found here"

resolve_sources = components.load_component_from_file("resolve_sources.yaml")
ingest = components.load_component_from_file("ingest.yaml")


@dsl.component(base_image="millrace/deployment", install_kfp_package=False)
def count_rows(examples: dsl.Input[dsl.Dataset]) -> int:
    return int(sum(examples.metadata[f"rows_{split}"] for split in ("train", "eval", "test")))


@dsl.pipeline(name="foreign")
def foreign(sources: dict) -> int:
    found = resolve_sources(sources=sources).set_caching_options(False)
    data = ingest(sources=sources, identities=found.output)
    return count_rows(examples=data.outputs["examples"]).output


compiler.Compiler().compile(foreign, "foreign.yaml")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    *found, _ = write_files(Order(components=True), tmp_path_factory.mktemp("components"))
    return found


def python_alone(script: Path) -> None:
    """Run a script with `kfp` and its like, and with nothing of this repository."""
    packages = sysconfig.get_paths()["purelib"]
    command = [sys.executable, "-I", "-S", "-c", ALONE, packages, script.name]
    ended = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def test_every_door_is_a_file_with_its_ports(files: list[Path]):
    assert {file.stem for file in files} == set(doors())
    for file in files:
        loaded, door = load_component_from_file(str(file)), doors()[file.stem]
        assert set(loaded.component_spec.inputs or {}) == set(door.component_spec.inputs or {})
        assert set(loaded.component_spec.outputs or {}) == set(door.component_spec.outputs or {})


def test_a_foreign_pipeline_is_built_without_our_code_and_runs_here(files: list[Path], tmp_path: Path):
    for name in ("resolve_sources", "ingest"):
        shutil.copy(next(file for file in files if file.stem == name), tmp_path)
    (tmp_path / "build.py").write_text(FOREIGN)
    python_alone(tmp_path / "build.py")
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(50)))
    result = run(
        tmp_path / "foreign.yaml", {"sources": {"t": str(tmp_path / "t.csv")}}, root=tmp_path / "runs"
    )
    assert (result.state, result.returned) == ("SUCCEEDED", {"Output": 50})


def test_examples_of_the_gallery_make_one_pipeline(files: list[Path], tmp_path: Path):
    told = read_components(files)
    lines = "\n".join(one.example for one in told).replace('file("', f'file("{files[0].parent}/')
    inputs = "sources: dict, label: str, model_name: str, trials: int, sampler: str, seed: int"
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    (tmp_path / "build.py").write_text(
        "from kfp import compiler, components, dsl\n\n@dsl.pipeline(name='examples')\n"
        f"def examples({inputs}):\n{body}\ncompiler.Compiler().compile(examples, 'examples.yaml')\n"
    )
    python_alone(tmp_path / "build.py")
    assert (tmp_path / "examples.yaml").exists()


def test_the_gallery_shows_every_component_and_every_port(files: list[Path]):
    page = (files[0].parent / "index.html").read_text()
    told = read_components(files)
    assert [one.name for one in told] == list(FLOW)
    assert {one.name for one in told} == set(doors())
    for one in told:
        assert f'id="{one.name}"' in page
        assert one.description
        for port in [*one.inputs, *one.outputs]:
            assert f"<code>{port.name}</code>" in page
            assert port.description, f"{one.name}.{port.name}"
    assert "http" not in page.replace("http(s)", "").replace("https://", "")


def test_a_default_is_told_as_a_pipeline_writes_it(files: list[Path]):
    (proposing,) = (one for one in read_components(files) if one.name == "propose_trials")
    defaults = {port.name: port.default for port in proposing.inputs}
    assert defaults == {
        "baseline": "unset", "options": "{}", "rounds": "1", "sampler": '"random"', "search_space": "{}",
        "seed": "0", "trials": "4", "trials_per_task": "1",
    }  # fmt: skip


def test_images_are_those_of_the_map_and_the_bytes_follow_from_it_alone(tmp_path: Path):
    names: tuple[ImageName, ...] = ("ingestion", "validation", "modelling", "deployment")
    text = "".join(f"{image(name)}: r.example/{name}@sha256:1\n" for name in names)
    (tmp_path / "images.lock").write_text(text)
    order = Order(components=True, images=tmp_path / "images.lock")
    first, again = (write_files(order, tmp_path / folder) for folder in "ab")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]
    for file in first[:-1]:
        assert "image: r.example/" in file.read_text()
        assert "image: millrace/" not in file.read_text()
