"""Whatever stands in a file is judged, or refused in one line: nobody validated it before."""

import copy
import random

import pytest
import yaml
from kfp import compiler
from typer.testing import CliRunner

from components.common.errors import BadInputError
from pipelines.cli import app
from tests.pipelines.checks.flows import sound
from tests.pipelines.checks.pods import CONTAINER, named, pod

ODD = (
    None,
    {},
    [],
    "",
    0,
    1.5,
    True,
    "x",
    {"a": 1},
    [None],
    {"name": None},
    "{{$.inputs.parameters['x']}}",
)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "p.yaml"
    compiler.Compiler().compile(sound, str(path))
    account = named("ServiceAccount", automountServiceAccountToken=False)
    schedule = named("ScheduledWorkflow", spec={"serviceAccount": "x"})
    runtime = named("ServingRuntime", spec={"containers": [CONTAINER]})
    service = named("InferenceService", spec={"predictor": {"canaryTrafficPercent": 1, "model": {}}})
    settings = named("ConfigMap", data={"a": "b"})
    secret = named("Secret", data={"a": "b"}, metadata={"annotations": {"a": "b"}})
    objects = [pod(), account, schedule, runtime, service, settings, secret]
    return [list(yaml.safe_load_all(path.read_text())), objects]


def _places(content, path=()):
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*path, key))


def _odd(content, random):
    changed = copy.deepcopy(content)
    *outer, last = random.choice(list(_places(changed)))
    inner = changed
    for key in outer:
        inner = inner[key]
    inner[last] = copy.deepcopy(random.choice(ODD))
    return changed


@pytest.mark.parametrize("seed", range(120))
def test_odd_content_is_judged_or_refused(contents, tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311 - of a test
    (tmp_path / "p.yaml").write_text(yaml.safe_dump_all(_odd(chance.choice(contents), chance)))
    said = CliRunner().invoke(app, ["check", str(tmp_path / "p.yaml")])
    assert said.exception is None or isinstance(said.exception, (SystemExit, BadInputError)), said.exception
