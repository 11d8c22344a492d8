# pyright: basic
"""The doors of deployment: what KFP sees. The work is in `baseline.py`, `deploy.py` and `roll_back.py`."""

from typing import Optional

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def resolve_baseline(
    snapshot: dsl.Input[dsl.Artifact],
    model_name: str,
    label: str,
    trials: int,
    sampler: str,
    seed: int,
    baseline: dsl.Output[dsl.Model],
    baseline_uri: Optional[str] = None,
    task: Optional[str] = None,
    features: dict = {},
    search_space: dict = {},
    thresholds: dict = {},
    slices: list = [],
    module_uri: Optional[str] = None,
    validation: dict = {},
    transform: dict = {},
    training: dict = {},
    evaluation: dict = {},
    options: dict = {},
) -> str:
    """Find the model that a new one must not be worse than, and name what this run makes models from.

    Args:
        snapshot: Which data this is, from ingestion.
        model_name: Name the model serves under: a label of RFC 1123, at most 63 characters.
        label: The label column.
        trials: Number of trials.
        sampler: How trials are proposed.
        seed: Of all that is random.
        baseline_uri: Folder of a complete model to compare with; unset: the one now serving.
        task: What is learnt; unset: inferred.
        features: How single columns are treated.
        search_space: What the trials vary.
        thresholds: What the model must reach.
        slices: Parts of the data that are judged on their own.
        module_uri: One Python file of the user's.
        validation: Knobs of data validation.
        transform: Knobs of the transform.
        training: Knobs of training.
        evaluation: Knobs of evaluation.
        options: Where and how to deploy; the fields of `DeployConfig`.

    Returns:
        baseline: A complete model, or `no_baseline.json` with the reason why there is none.
        Output: The recipe: a digest of data, parameters and code. Equal recipes make equal models.
    """
    from pathlib import Path

    from components.common.errors import named_exit
    from components.deployment.baseline import publish_baseline

    with named_exit():
        found = publish_baseline(
            Path(snapshot.path), Path(baseline.path), model_name=model_name, baseline_uri=baseline_uri,
            module_uri=module_uri, options=options, shaping={"label": label, "task": task, "seed": seed,
                "features": features, "search_space": search_space, "trials": trials, "sampler": sampler,
                "thresholds": thresholds, "slices": slices, "validation": validation,
                "transform": transform, "training": training, "evaluation": evaluation,
            },
        )  # fmt: skip
    baseline.uri = found.uri or baseline.uri  # KFP takes the artifact to be what lies there
    baseline.metadata.update(found.metadata)
    return found.recipe


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def deploy_model(
    evaluated_model: dsl.Input[dsl.Model],
    model_name: str,
    endpoint: dsl.Output[dsl.Artifact],
    golden_requests: Optional[dsl.Input[dsl.Artifact]] = None,
    run_id: Optional[str] = None,
    options: dict = {},
):
    """Bring a blessed model to all requests of its name, or leave the name as it was and say why.

    Args:
        evaluated_model: The complete model, from evaluation.
        model_name: Name to serve under: a label of RFC 1123, at most 63 characters.
        golden_requests: Requests with the answers that every server of the model must give; unset: those
            that lie in the model.
        run_id: The run that releases it; unset: a release by hand.
        options: Where and how to deploy; the fields of `DeployConfig`.

    Returns:
        endpoint: `endpoint.json`: where the model answers.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.deployment.config import DeployConfig
    from components.deployment.deploy import deploy

    with named_exit():
        golden = golden_requests or evaluated_model
        folders = (Path(port.path) for port in (evaluated_model, golden, endpoint))
        config = build_config(DeployConfig, options, where="deploy")
        deployed = deploy(
            *folders, model_name=model_name, config=config, model_uri=evaluated_model.uri, run_id=run_id
        )
    endpoint.metadata.update(deployed.metadata)


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def roll_back(
    model_name: str,
    endpoint: dsl.Output[dsl.Artifact],
    revision: Optional[str] = None,
    run_id: Optional[str] = None,
    options: dict = {},
):
    """Bring the old model back: end a release that is half done, or release the model before again.

    Args:
        model_name: Name it serves under.
        revision: Which of those that were released; unset: the one before the present one.
        run_id: The run that rolls back; unset: by hand.
        options: Where and how to deploy; the fields of `DeployConfig`.

    Returns:
        endpoint: `endpoint.json`: where the model answers.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.deployment.config import DeployConfig
    from components.deployment.roll_back import roll_back_model

    with named_exit():
        config = build_config(DeployConfig, options, where="deploy")
        folder = Path(endpoint.path)
        deployed = roll_back_model(
            folder, model_name=model_name, revision=revision, config=config, run_id=run_id
        )
    endpoint.metadata.update(deployed.metadata)


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def promote(
    model_name: str, endpoint: dsl.Output[dsl.Artifact], run_id: Optional[str] = None, options: dict = {}
):
    """Give all requests to the model that has a share of them beside the old one, without judging it.

    Args:
        model_name: Name it serves under.
        run_id: The run that promotes; unset: by hand.
        options: Where and how to deploy; the fields of `DeployConfig`.

    Returns:
        endpoint: `endpoint.json`: where the model answers.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.deployment.config import DeployConfig
    from components.deployment.roll_back import promote_model

    with named_exit():
        config = build_config(DeployConfig, options, where="deploy")
        deployed = promote_model(Path(endpoint.path), model_name=model_name, config=config, run_id=run_id)
    endpoint.metadata.update(deployed.metadata)
