"""Components as files: whoever has `kfp` builds with them, and nothing of ours is needed to."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from kfp.components import load_component_from_file
from packaging.requirements import Requirement

from components.common.images import ImageName, image
from pipelines.compiling.gallery import FLOW, read_components
from pipelines.compiling.write import Order, write_files
from pipelines.doors import doors
from pipelines.local import run

# Without `site` there are no packages but those of the folder, and no `.pth` file is read.
ALONE = "import sys; sys.path.append(sys.argv[1]); import runpy; runpy.run_path(sys.argv[2])"

FOREIGN = """
import importlib.util
from kfp import compiler, components, dsl

for absent in ("pipelines", "components", "tensorflow", "duckdb", "pytest"):
    assert importlib.util.find_spec(absent) is None, f"{absent} must not be found here"

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


def needed(name: str, found: dict[str, Distribution]) -> Iterator[Distribution]:
    """Yield a distribution and all that it requires, as an installer would find them."""
    if name in found:
        return
    yield found.setdefault(name, distribution(name))
    for line in found[name].requires or ():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield from needed(wanted.name.lower().replace("_", "-"), found)


@pytest.fixture(scope="module")
def only_kfp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of an environment into which only `kfp` was installed, at the versions of the lock.

    No index is asked: the files of `kfp`, and of what its metadata requires, are linked into a new folder.
    """
    folder = tmp_path_factory.mktemp("only-kfp")
    for one in needed("kfp", {}):
        for file in one.files or ():
            source = Path(str(one.locate_file(file)))
            if ".." in file.parts or not source.exists():
                continue
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
            if source.suffix == ".py" and (compiled := Path(cache_from_source(str(source)))).exists():
                cached = Path(cache_from_source(str(target)))
                cached.parent.mkdir(exist_ok=True)
                cached.symlink_to(compiled)
    return folder


def python_alone(script: Path, packages: Path) -> None:
    """Run a script with what a folder of packages holds, and with nothing else."""
    command = [sys.executable, "-I", "-S", "-c", ALONE, str(packages), script.name]
    ended = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def test_every_door_is_a_file_with_its_ports(files: list[Path]):
    assert {file.stem for file in files} == set(doors())
    for file in files:
        loaded, door = load_component_from_file(str(file)), doors()[file.stem]
        assert set(loaded.component_spec.inputs or {}) == set(door.component_spec.inputs or {})
        assert set(loaded.component_spec.outputs or {}) == set(door.component_spec.outputs or {})


def test_a_foreign_pipeline_is_built_with_kfp_alone_and_runs_here(
    files: list[Path], only_kfp: Path, tmp_path: Path
):
    for name in ("resolve_sources", "ingest"):
        shutil.copy(next(file for file in files if file.stem == name), tmp_path)
    (tmp_path / "build.py").write_text(FOREIGN)
    python_alone(tmp_path / "build.py", only_kfp)
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(50)))
    result = run(
        tmp_path / "foreign.yaml", {"sources": {"t": str(tmp_path / "t.csv")}}, root=tmp_path / "runs"
    )
    assert (result.state, result.returned) == ("SUCCEEDED", {"Output": 50})


def test_examples_of_the_gallery_make_one_pipeline(files: list[Path], only_kfp: Path, tmp_path: Path):
    told = read_components(files)
    lines = "\n".join(one.example for one in told).replace('file("', f'file("{files[0].parent}/')
    inputs = "sources: dict, label: str, model_name: str, trials: int, sampler: str, seed: int"
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    (tmp_path / "build.py").write_text(
        "from kfp import compiler, components, dsl\n\n@dsl.pipeline(name='examples')\n"
        f"def examples({inputs}):\n{body}\ncompiler.Compiler().compile(examples, 'examples.yaml')\n"
    )
    python_alone(tmp_path / "build.py", only_kfp)
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
