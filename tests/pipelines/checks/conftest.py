"""Packages by KFP's own compiler, and manifests as text."""

import pytest
import yaml
from kfp import compiler

from pipelines.checks.check import check_files


@pytest.fixture
def check(tmp_path):
    """Check a pipeline or component of KFP, a text, or objects; gives the findings of one rule, or all."""

    def check_it(what, rule=None, **options):
        path = tmp_path / "p.yaml"
        if isinstance(what, str):
            path.write_text(what)
        elif isinstance(what, (dict, list)):
            path.write_text(yaml.safe_dump_all(what if isinstance(what, list) else [what]))
        else:
            compiler.Compiler().compile(what, str(path))
        return [one for one in check_files([str(path)], **options) if rule in (None, one.rule)]

    return check_it
