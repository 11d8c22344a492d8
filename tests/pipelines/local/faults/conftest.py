"""A pipeline of all that the runner publishes, without TensorFlow, and a clean run of it."""

from functools import partial

import pytest
from kfp import compiler, dsl

from tests.pipelines.local.faults.trials import Trials

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def publish(data: dsl.Output[dsl.Dataset], lines: int) -> int:
    import pathlib

    from components.common.storage import publishing

    with publishing(pathlib.Path(data.path)) as draft:
        draft.mkdir()
        for number in range(lines):
            (draft / f"{number}.txt").write_text(f"line {number}\n")
    data.metadata["lines"] = lines
    return lines


@door
def names(count: int) -> list[str]:
    return [f"n{i}" for i in range(count)]


@door
def measure(
    name: str, data: dsl.Input[dsl.Dataset], metrics: dsl.Output[dsl.Metrics], model: dsl.Output[dsl.Model]
):
    import pathlib

    from components.common.documents import write_json

    size = len(list(pathlib.Path(data.path).iterdir()))
    write_json(pathlib.Path(model.path) / "model.json", {"name": name, "size": size})
    metrics.log_metric("size", float(size))


@door
def choose(models: dsl.Input[list[dsl.Model]], best: dsl.Output[dsl.Model]) -> bool:
    import pathlib

    from components.common.documents import read_json, write_json

    read = [dict(read_json(pathlib.Path(model.path) / "model.json")) for model in models]
    write_json(pathlib.Path(best.path) / "model.json", {"all": read})
    return True


@door
def look(model: dsl.Input[dsl.Model]) -> str:
    return open(model.path + "/model.json").read()


@door
def say(text: str) -> str:
    return text


@door
def farewell(status: dsl.PipelineTaskFinalStatus) -> str:
    return status.state


@dsl.pipeline(name="everything")
def everything(source: str, count: int = 2):
    bye = farewell()
    with dsl.ExitHandler(bye):
        data = publish(lines=3)
        same = publish(lines=3).after(data)  # from the cache
        taken = dsl.importer(artifact_uri=source, artifact_class=dsl.Dataset)
        with dsl.ParallelFor(names(count=count).output) as name:
            measured = measure(name=name, data=data.outputs["data"]).set_caching_options(False)
        chosen = choose(models=dsl.Collected(measured.outputs["model"])).after(same, taken)
        with dsl.If(chosen.outputs["Output"] == True, name="good"):  # noqa: E712 - KFP compares so
            look(model=chosen.outputs["best"]).set_caching_options(False)
        with dsl.If(chosen.outputs["Output"] == False, name="bad"):  # noqa: E712
            say(text="bad")


@pytest.fixture(scope="session")
def trials(tmp_path_factory):
    """The pipeline, ready to be killed; `clean` has been run to its end."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "source.txt").write_text("taken as it is\n")
    compiler.Compiler().compile(everything, str(folder / "everything.yaml"))
    found = Trials(folder / "everything.yaml", {"source": str(folder / "source.txt")}, folder)
    found.run_clean()
    return found
