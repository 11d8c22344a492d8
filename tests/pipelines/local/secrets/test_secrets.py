"""Tasks get what they ask for of secrets and config maps, and nothing of it stays behind."""

# ruff: noqa: T201 - tasks speak by printing

import subprocess
import sys
from pathlib import Path

import pytest
from kfp import dsl, kubernetes

from components.common.errors import BadInputError
from pipelines.checks.check import check_files
from pipelines.local.runner import run_package
from tests.pipelines.local.conformance.cases import door

CANARY = "c4n4ry-0f-the-mine"
REPOSITORY = Path(__file__).parents[4]


@door
def look(names: list) -> list:
    import os

    return [os.environ.get(name) for name in names]


@door
def tell(data: dsl.Output[dsl.Dataset]):
    import os
    import sys
    import time

    value = os.environ["TOKEN"]
    assert value not in open("/proc/self/cmdline").read()  # noqa: SIM115 - one line
    for half in (value[:5], value[5:]):
        sys.stdout.write(half)
        sys.stdout.flush()
        time.sleep(0.1)
    print(" was the token of", os.environ["REGION"])
    open(data.path, "w").write("made")  # noqa: SIM115 - one line
    if os.environ.get("MODE") == "raise":
        raise ValueError(f"cannot sign in with {value}")


@door
def hand_on() -> dict:
    import os

    return {"found": [f"token {os.environ['TOKEN']}"]}


@door
def read_file(path: str) -> str:
    return open(path).read()[:3]


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "token.env").write_text(f"key={CANARY}\npin=12\n")
    (folder / "where.yaml").write_text("region: eu\nmode: raise\n")
    return folder


@dsl.pipeline(name="telling")
def telling():
    task = tell()
    kubernetes.use_secret_as_env(task, "token", {"key": "TOKEN"})
    kubernetes.use_config_map_as_env(task, "where", {"region": "REGION"})


@dsl.pipeline(name="failing")
def failing():
    task = tell()
    kubernetes.use_secret_as_env(task, "token", {"key": "TOKEN"})
    kubernetes.use_config_map_as_env(task, "where", {"region": "REGION", "mode": "MODE"})


@dsl.pipeline(name="handing")
def handing():
    kubernetes.use_secret_as_env(hand_on(), "token", {"key": "TOKEN"})


def given(files, **others):
    return {
        "secrets": {"token": files / "token.env"},
        "config_maps": {"where": files / "where.yaml"},
        **others,
    }


def holds(root, text: str) -> list[Path]:
    return [
        file for file in root.rglob("*")
        if text in str(file) or (file.is_file() and text.encode() in file.read_bytes())
    ]  # fmt: skip


def test_keys_become_variables_and_optional_ones_may_be_absent(package, root, tmp_path):
    @dsl.pipeline(name="looking")
    def pipeline() -> list:
        task = look(names=["A", "B", "C", "D", "OWN"])
        task.set_env_variable("OWN", "package").set_env_variable("B", "package")
        kubernetes.use_secret_as_env(task, "s", {"a": "A", "b": "B"})
        kubernetes.use_secret_as_env(task, "s", {"c": "C"}, optional=True)
        kubernetes.use_config_map_as_env(task, "m", {"d": "D"}, optional=True)
        return task.output

    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a").write_text("line\n")
    (tmp_path / "s" / "b").write_text("é")
    result = run_package(package(pipeline), {}, root=root, secrets={"s": tmp_path / "s"})
    assert result.returned == {"Output": ["line\n", "é", None, None, "package"]}, result.error


@pytest.mark.parametrize(("pipeline", "state"), [(telling, "SUCCEEDED"), (failing, "FAILED")])
def test_no_file_of_the_root_holds_the_secret_whatever_a_task_prints(package, root, files, pipeline, state):
    events: list = []
    result = run_package(package(pipeline), {}, root=root, on_event=events.append, **given(files))
    assert result.state == state, result.error
    assert "*** was the token of eu\n" in (result.directory / "logs" / "tell.log").read_text()
    assert holds(root, "was the token")  # the search does find things
    assert holds(root, CANARY) == []
    assert CANARY not in repr((result, events))


def test_task_that_hands_a_secret_on_fails_and_leaves_nothing(package, root, files):
    result = run_package(package(handing), {}, root=root, secrets={"token": files / "token.env"})
    assert (result.state, result.exit_code) == ("FAILED", 1)
    assert "output `Output` of task `hand-on`" in str(result.error)
    assert "holds the value of a secret" in str(result.error)
    assert holds(root / "cache", CANARY) == holds(root / "handing" / result.run_id / "logs", CANARY) == []
    assert CANARY.encode() not in (root / "metadata.sqlite").read_bytes()
    assert CANARY not in (result.directory / "run.json").read_text()


def test_result_is_taken_from_the_cache_until_a_value_changes(package, root, files):
    compiled = package(telling)

    def hits() -> list[bool]:
        return [one.cache_hit for one in run_package(compiled, {}, root=root, **given(files)).tasks]

    assert hits() == [False]
    assert hits() == [True]
    (files / "token.env").write_text("key=another\npin=13\n")
    assert hits() == [False]
    (files / "token.env").write_text("key=another\npin=14\n")  # no task asks for this one
    assert hits() == [True]
    assert (root / "cache" / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"secrets": {}}, "secret `token` is not given.*task `tell`.*--secret token=PATH"),
        ({"config_maps": {}}, "config map `where` is not given.*--config-map where=PATH"),
        ({"secrets": {"tokn": "."}}, "`tokn`.*option --secret.*did you mean `token`"),
        ({"config_maps": {"where": "gone"}}, "No such file.*--config-map where"),
        ({"config_maps": {"where": "empty.env"}}, "config map `where` has no key `region`.*task `tell`"),
        ({"secrets": {"token": "binary"}}, "no text.*--secret token, key `key`"),
    ],
)
def test_what_is_missing_is_named_before_anything_runs(package, root, files, monkeypatch, changed, said):
    monkeypatch.chdir(files)
    (files / "empty.env").write_text("")
    (files / "binary").mkdir()
    (files / "binary" / "key").write_bytes(b"\xff")
    changed = {
        option: {name: Path(path) for name, path in named.items()} for option, named in changed.items()
    }
    with pytest.raises(BadInputError, match=said):
        run_package(package(telling), {}, root=root, **given(files, **changed))
    assert not root.exists()


def test_volume_is_honoured_where_its_files_lie_in_their_place_and_else_refused(package, root, tmp_path):
    place = tmp_path / "etc" / "tls"

    @dsl.pipeline(name="mounting")
    def pipeline(path: str) -> str:
        task = read_file(path=path)
        kubernetes.use_secret_as_volume(task, "tls", str(place))
        kubernetes.use_config_map_as_volume(task, "more", "/nowhere/at/all", optional=True)
        return task.output

    compiled, other = package(pipeline), tmp_path / "other"
    for folder in (place, other):
        folder.mkdir(parents=True)
        (folder / "crt").write_text(CANARY)
    with pytest.raises(BadInputError, match=rf"folder {place}.*other.*--secret tls={place}"):
        run_package(compiled, {"path": str(place / "crt")}, root=root, secrets={"tls": other})
    with pytest.raises(BadInputError, match="secret `tls` is not given"):
        run_package(compiled, {"path": str(place / "crt")}, root=root)
    result = run_package(compiled, {"path": str(place / "crt")}, root=root, secrets={"tls": place})
    assert result.returned == {"Output": CANARY[:3]}


def test_name_given_by_a_parameter_is_refused(package):
    @dsl.pipeline(name="named")
    def pipeline(name: str = "token"):
        kubernetes.use_secret_as_env(hand_on(), name, {"key": "TOKEN"})

    errors = [one for one in check_files([str(package(pipeline))]) if one.severity == "error"]
    assert [one.rule for one in errors] == ["not-here"]
    assert "a secret or a config map named by a parameter" in errors[0].message


def test_check_lists_what_a_run_is_to_be_given(package):
    found = [one for one in check_files([str(package(telling))]) if one.rule == "secret-wanted"]
    assert [(one.task, one.field, one.advice) for one in found] == [
        (
            "tell", "secret",
            "takes key `key` of secret `token` as the variable `TOKEN`; "
            "millrace run --secret token=PATH",
        ),
        (
            "tell", "config-map",
            "takes key `region` of config map `where` as the variable `REGION`; "
            "millrace run --config-map where=PATH",
        ),
    ]  # fmt: skip


def test_command_line_takes_files_and_names_them_in_the_command_that_repeats(package, root, files):
    command = [
        sys.executable, "-m", "pipelines.cli", "run", str(package(failing)), "--root", str(root),
        "--secret", f"token={files / 'token.env'}", "--config-map", f"where={files / 'where.yaml'}",
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert ended.returncode == 1, ended.stderr
    assert f"--secret token={files / 'token.env'} --config-map where=" in ended.stderr
    assert "cannot sign in with ***" in ended.stderr
    assert CANARY not in ended.stdout + ended.stderr
    assert holds(root, CANARY) == []
    bad = subprocess.run([*command, "--secret", "token"], capture_output=True, text=True, cwd=REPOSITORY)
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "NAME=PATH" in bad.stderr
