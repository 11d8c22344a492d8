"""Build options are checked before anything is compiled."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.common.errors import BadInputError
from pipelines.build import Build, read_build
from pipelines.doors import rooms
from pipelines.task_options import options_of


def test_the_default_file_says_what_the_defaults_are():
    told = read_build(Path("pipelines/builds/default.yaml"))
    assert replace(told, tasks={}) == Build()
    assert all(options_of(door, told.tasks) == options_of(door, {}) for door in rooms())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paralellism: 3", "did you mean `parallelism`"),
        ("parallelism: 0", "`parallelism >= 1` must hold, but got parallelism=0 — build file `"),
        ("rounds: many", "`rounds` must be of type int — build file `"),
        ("trials_per_task: 0", "`trials_per_task >= 1` must hold"),
        ("rounds: 11", "`1 <= rounds <= 10` must hold"),
        ("tasks: {trainning: {cpu_limit: 2}}", "did you mean `training`"),
        ("tasks: {training: {cpu_limt: 2}}", "build option `tasks.training` — did you mean `cpu_limit`"),
        ("tasks: {training: {memory_limit: 4 GB}}", "`memory_limit` must be like `512Mi` or `4Gi`"),
        ("tasks: {training: {memory_limit: 128Mi}}", "`memory_request <= memory_limit` must hold"),
        ("tasks: {training: 3}", "must be a mapping"),
        ("tasks: {every: {volumes: [{path: data}]}}", "`path` must be absolute"),
        ("tasks: {every: {tolerations: [{operator: Equal}]}}", "`Equal` needs a `key`"),
        ("tasks: {every: {volumes: [{path: /a, claim: 3}]}}", "`claim` must be a text"),
        ("tasks: {every: {volumes: [{path: /a, size: much}]}}", "`size` must be like `20Gi`"),
        ("tasks: {every: {volumes: [{path: /a, claim: b, size: 1Gi}]}}", "there is a `claim`"),
        ("tasks: {every: {tolerations: [{key: 3}]}}", "`key` must be a text"),
        ("tasks: {every: {volumes: [3]}}", "`volumes` must be a list of mappings"),
        ("tasks: {every: {tolerations: {key: a}}}", "`tolerations` must be a list of mappings"),
        ("tasks: {every: {variables: {TRIES: 3}}}", "`variables` must map names to texts"),
        ("tasks: {every: {variables: {9: a}}}", "`variables` must map names to texts"),
        ("tasks: {every: {labels: {team: a b}}}", "`labels` has what is no label"),
        ("tasks: {every: {accelerator: gpu}}", "`accelerator` must be named like nvidia.com/gpu"),
        ("tasks: {every: {timeout_seconds: 0}}", "`timeout_seconds >= 1` must hold"),
        ("tasks: {train_trials: {cpu_limit: 0.5}}", "all that holds for train_trials"),
        ("tasks: 3", "`tasks` must be a mapping"),
        ("secrets: [a]", "`secrets` must be a mapping"),
        ("store_secret: 3", "`store_secret` must name a secret, or be null"),
        ("allowed_hosts: internal.example", "`allowed_hosts` must be a list of hosts"),
        ("secrets: {warehouse: password}", "`secrets` must map names to lists of keys"),
        ("images: {millrace/validation: 3}", "`images` must map names to references"),
    ],
)
def test_a_wrong_option_is_refused_by_name(text, message, tmp_path: Path):
    (tmp_path / "build.yaml").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_build(tmp_path / "build.yaml")
