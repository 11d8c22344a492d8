"""The command: what it takes, what it prints, how it ends, and that no secret gets out."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl, kubernetes
from typer.testing import CliRunner

from components.common.errors import BadInputError
from pipelines.checks.check import check_files
from pipelines.checks.rules import RULES
from pipelines.cli import app
from tests.pipelines.checks.flows import number, say, sound
from tests.pipelines.checks.pods import named, pod

CANARY = "canary-7Qx9-never-shown"


def run(*arguments: str, given: str | None = None):
    return CliRunner().invoke(app, ["check", *arguments], input=given)


@dsl.pipeline(name="p")
def careless(password: str = CANARY):
    """Hold a secret wherever one can stand."""
    task = say(text=f"--token {CANARY}", options={"api_key": CANARY, "url": f"https://u:{CANARY}@host"})
    task.set_env_variable("DB_PASSWORD", CANARY).set_display_name("says")
    with dsl.If(password == CANARY):
        number()
    kubernetes.add_pod_annotation(number(), "token", CANARY)


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "p.yaml"
    compiler.Compiler().compile(careless, str(path))
    return path


def test_no_secret_is_printed(package, tmp_path):
    secret = named("Secret", stringData={"password": CANARY})
    (tmp_path / "m.yaml").write_text(yaml.safe_dump_all([secret, pod("hostNetwork", True)]))
    for options in ([], ["--production"], ["--json"], ["--lists"]):
        said = run(str(tmp_path), *options)
        assert said.exit_code == 3
        assert CANARY not in said.output
        assert CANARY[:12] not in said.output
    found = [one for one in check_files([str(package)]) if one.rule == "secret-value"]
    assert {one.field for one in found} == {
        "root.inputDefinitions.password", "inputs.text", "inputs.options.api_key", "inputs.options.url",
        "container.env[0].value",
    }  # fmt: skip


def test_equal_findings_of_a_file_are_one_line(package):
    said = run(str(package), "--ignore", "secret-value").output.splitlines()
    (line,) = (line for line in said if "missing-timeout" in line)
    assert line.startswith(f"{package}:")
    assert line.endswith(
        ".activeDeadlineSeconds and 2 more: warning missing-timeout: "
        "may hang for ever; `kubernetes.set_timeout(task, seconds)`"
    )
    assert "error secret-value" not in "\n".join(said)


def _all_of(terminal: int) -> bytes:
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other side is closed
            return said


def test_terminal_gets_each_finding_wrapped_below_its_place(package):
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", "check", str(package)]
    environment = {**os.environ, "COLUMNS": "70", "LINES": "40", "TERM": "dumb"}
    with subprocess.Popen(command, stdout=its, env=environment):
        os.close(its)
        lines = _all_of(ours).decode().splitlines()
    heads = [line for line in lines if str(package) in line]
    below = [line for line in lines if line.startswith("    ")]
    assert any(line.endswith("missing-timeout\x1b[0m") for line in heads)
    assert below
    assert all(len(line) <= 70 for line in below)
    assert CANARY not in "".join(lines)


def test_json_has_every_finding_by_itself(package):
    found = json.loads(run(str(package), "--json").output)
    assert {"file", "document", "task", "field", "rule", "severity", "message", "value", "fix"} == set(
        found[0]
    )
    assert sum(one["rule"] == "missing-timeout" for one in found) == 3


def test_it_ends_with_0_when_nothing_is_an_error(tmp_path):
    compiler.Compiler().compile(sound, str(tmp_path / "p.yaml"))
    said = run(str(tmp_path / "p.yaml"), "--ignore", "without-meaning-here")
    assert (said.exit_code, said.output) == (0, "nothing found\n")


def test_folder_is_read_at_any_depth_without_patches_and_other_files(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "pod.yaml").write_text(yaml.safe_dump(pod("hostNetwork", True)))
    (tmp_path / "base" / "patch.yaml").write_text(yaml.safe_dump(pod("hostPID", True)))
    (tmp_path / "values.yaml").write_text("hostIPC: true\n")
    kustomization = {"resources": ["base/pod.yaml"], "patches": [{"path": "base/patch.yaml"}]}
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **kustomization}
        )
    )
    found = check_files([str(tmp_path)])
    assert [(Path(one.file).name, one.field) for one in found] == [("pod.yaml", "spec.hostNetwork")]


def test_standard_input_and_lists_of_objects_are_taken():
    listed = {"apiVersion": "v1", "kind": "List", "items": [pod(), pod("hostNetwork", True)]}
    said = run("-", given=yaml.safe_dump(listed))
    assert said.exit_code == 3
    assert said.output.startswith("<stdin>:Pod/x:spec.hostNetwork: error pod-security-baseline: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"password: [{CANARY}", "not valid YAML at line"),
        ("name: {{ .Values.name }}\n", "not valid YAML at line 1"),
        ("a: 1\n", "neither a compiled package nor a manifest"),
        ("", "neither a compiled package nor a manifest"),
        ("pipelineInfo: {name: x}\nschemaVersion: 2.1.0\n", "malformed package"),
    ],
)
def test_what_cannot_be_read_ends_with_2(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(BadInputError, match=message) as raised:
        check_files([str(tmp_path / "x.yaml")])
    assert raised.value.exit_code == 2
    assert CANARY not in str(raised.value)


def test_missing_file_empty_folder_and_unknown_rule_end_with_2(tmp_path):
    with pytest.raises(BadInputError, match="cannot be read"):
        check_files([str(tmp_path / "none.yaml")])
    with pytest.raises(BadInputError, match="no package and no manifest"):
        check_files([str(tmp_path)])
    with pytest.raises(BadInputError, match="did you mean `image-tag`"):
        check_files([], ignore=["image-tags"])


def test_table_of_rules_in_the_docs_is_what_the_rules_are():
    rows = [line for line in Path("docs/checks.md").read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{rule.name}` | {rule.severity} | {rule.production or '–'} | {rule.about} |" for rule in RULES
    ]


def test_names_of_rules_are_unique_and_production_is_never_milder():
    assert len({rule.name for rule in RULES}) == len(RULES)
    order = ["note", "warning", "error"]
    asked = [one for one in RULES if one.production]
    milder = [one.name for one in asked if order.index(one.production) < order.index(one.severity)]
    assert milder == ["missing-dependency", "not-here"]  # which a cluster does well
    assert all(rule.package or rule.manifest for rule in RULES)
