"""Build options are checked before anything is compiled."""

from pathlib import Path

import pytest

from components.common.errors import BadInputError
from pipelines.build import Build, read_build


def test_the_default_file_says_what_the_defaults_are():
    assert read_build(Path("pipelines/builds/default.yaml")) == Build()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("paralellism: 3", "did you mean `parallelism`"),
        ("parallelism: 0", "`parallelism >= 1` must hold"),
        ("trials_per_task: 0", "`trials_per_task >= 1` must hold"),
        ("rounds: 11", "`1 <= rounds <= 10` must hold"),
        ("resources: {modelling: {cpu: 2}}", "`resources` must be empty in this version"),
        ("allowed_hosts: internal.example", "`allowed_hosts` must be a list of hosts"),
        ("secrets: {warehouse: password}", "`secrets` must map names to lists of keys"),
        ("images: {millrace/validation: 3}", "`images` must map names to references"),
    ],
)
def test_a_wrong_option_is_refused_by_name(text, message, tmp_path: Path):
    (tmp_path / "build.yaml").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_build(tmp_path / "build.yaml")
