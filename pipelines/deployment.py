# pyright: basic, reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false
"""What is done with models that are there: release one, promote it, roll back; nothing is trained."""

from typing import Optional

from kfp import dsl

from components.deployment.component import deploy_model, promote, roll_back
from pipelines.build import Build
from pipelines.dress import dressed


def define_release(build: Build):
    """Return the pipeline that releases a model, with its build options filled in."""

    # fmt: off
    @dsl.pipeline(name="release")
    @dressed(build)
    def pipeline(model_uri: str, model_name: str = "model", deploy: dict = {}):
        """Releases a model that lies somewhere."""
        model = dsl.importer(artifact_uri=model_uri, artifact_class=dsl.Model).output
        deploy_model(
            evaluated_model=model, model_name=model_name, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            options=deploy)
    # fmt: on

    return pipeline


def define_promote(build: Build):
    """Return the pipeline that gives a new revision all requests, with its build options filled in."""

    # fmt: off
    @dsl.pipeline(name="promote")
    @dressed(build)
    def pipeline(model_name: str = "model", deploy: dict = {}):
        """Gives all requests to the model that has a share of them."""
        promote(model_name=model_name, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, options=deploy)
    # fmt: on

    return pipeline


def define_rollback(build: Build):
    """Return the pipeline that brings the old model back, with its build options filled in."""

    # fmt: off
    @dsl.pipeline(name="rollback")
    @dressed(build)
    def pipeline(model_name: str = "model", revision: Optional[str] = None, deploy: dict = {}):
        """Brings the old model back."""
        roll_back(
            model_name=model_name, revision=revision, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            options=deploy)
    # fmt: on

    return pipeline
