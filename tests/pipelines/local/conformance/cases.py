"""The form of a case, and the doors that all cases use."""

# ruff: noqa: SIM115, UP006, UP035, UP045 - doors are one-liners here, in the types that KFP takes

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Dict, List, NamedTuple, Optional

from kfp import dsl

# Where the rules stand in kubeflow/pipelines at tag 2.17.0.
RESOLVE = "backend/src/v2/driver/resolve.go"
DAG = "backend/src/v2/driver/dag.go"
ARGO = "backend/src/v2/compiler/argocompiler/dag.go"
CEL = "backend/src/v2/expression/expression.go"
LAUNCHER = "backend/src/v2/component/launcher_v2.go"
IMPORTER = "backend/src/v2/component/importer_launcher.go"
SDK = "sdk/python/kfp"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A small pipeline and what must come of it.

    Attributes:
        pipeline: The pipeline.
        source: File of kubeflow/pipelines that has the rule, and the rule.
        parameters: What it is given.
        returned: What it returns.
        state: How the run ends.
        skipped: Tasks that are not executed.
        stock: `kfp.local` runs it correctly too, so it must give the same.
    """

    pipeline: Any
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    returned: Mapping[str, Any] = field(default_factory=dict)
    state: str = "SUCCEEDED"
    skipped: frozenset[str] = frozenset()
    stock: bool = False


CASES: list[Case] = []


def case(source: str, **expected: Any) -> Callable[[Any], Any]:
    """Make a pipeline of a function and keep it as a case."""

    def keep(function: Callable[..., Any]) -> Any:
        name = function.__name__.replace("_", "-")
        pipeline = dsl.pipeline(name=name)(function)
        CASES.append(Case(pipeline=pipeline, source=source, **expected))
        return pipeline

    return keep


door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def add(a: int, b: int = 0) -> int:
    return a + b


@door
def half(x: float) -> float:
    return x / 2


@door
def say(text: str) -> str:
    return text


@door
def flip(yes: bool) -> bool:
    return not yes


@door
def total(numbers: List[int]) -> int:
    return sum(numbers)


@door
def join(parts: List[str]) -> str:
    return "+".join(parts)


@door
def count_up(to: int) -> List[int]:
    return list(range(to))


@door
def records(to: int) -> List[Dict[str, int]]:
    return [{"n": i, "m": -i} for i in range(to)]


@door
def several(n: int) -> NamedTuple("Several", [("low", int), ("names", List[str]), ("by", Dict[str, int])]):
    from collections import namedtuple

    return namedtuple("Several", ["low", "names", "by"])(n - 1, [f"x{i}" for i in range(n)], {"n": n})


@door
def look(by: Dict[str, int], key: str) -> int:
    return by[key]


@door
def show(value: Optional[str] = None, number: Optional[int] = None) -> str:
    return f"{value} {number}"


@door
def kinds(i: int, f: float, b: bool, s: str, many: list, by: dict) -> str:
    return f"{type(i).__name__} {f} {type(b).__name__} {s} {many} {by}"


@door
def make(data: dsl.Output[dsl.Dataset], text: str = "some"):
    open(data.path, "w").write(text)
    data.metadata["said"] = text


@door
def read(data: dsl.Input[dsl.Dataset]) -> str:
    return open(data.path).read()


@door
def read_all(data: dsl.Input[List[dsl.Dataset]]) -> str:
    return "+".join(open(one.path).read() for one in data or [])


@door
def fail(text: str = "") -> str:
    raise SystemExit(4)


@door
def note(file: str, text: str):
    open(file, "a").write(text + "\n")


@door
def flaky(file: str, good: int) -> int:
    import os

    size = os.path.getsize(file) if os.path.exists(file) else 0
    open(file, "a").write("x")
    if size + 1 < good:
        raise SystemExit(1)
    return size + 1


@door
def tell(file: str, status: dsl.PipelineTaskFinalStatus):
    open(file, "a").write(f"{status.state} {status.pipeline_task_name} {status.error_message}\n")
