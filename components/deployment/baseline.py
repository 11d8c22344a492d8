"""The work of the door `resolve_baseline`: which model the new one must not be worse than."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.artifacts import Evaluation, read_evaluation, write_no_baseline
from components.common.config import build_config
from components.common.errors import BadInputError
from components.common.names import check_model_name
from components.common.seal import verify_model
from components.common.task_log import log_line
from components.deployment.config import DeployConfig
from components.deployment.open_target import open_target
from components.deployment.recipe import compute_recipe


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer.

    Attributes:
        folder: The complete model, or None when there is none.
        model_digest: Its model digest, or None likewise.
        reason: Where it was found, or why there is none.
    """

    folder: Path | None = None
    model_digest: str | None = None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the door tells.

    Attributes:
        recipe: What this run makes models from.
        uri: Where the baseline lies, or None when there is none.
        metadata: Of the artifact: `found` (0 or 1) and, when found, `model_digest`.
    """

    recipe: str
    uri: str | None
    metadata: dict[str, int | str]


def publish_baseline(
    snapshot: Path,
    folder: Path,
    *,
    model_name: str,
    baseline_uri: str | None,
    module_uri: str | None,
    options: Mapping[str, Any],
    shaping: Mapping[str, Any],
) -> Published:
    """Find the baseline, say which it is and why, and write `no_baseline.json` when there is none.

    Args:
        snapshot: Folder with `snapshot.json`, from ingestion.
        folder: Folder to write when nothing is found; a model that is found is not copied.
        model_name: A label of RFC 1123.
        baseline_uri: Folder of a complete model, or None.
        module_uri: Local path of the user's module, or None.
        options: Fields of `DeployConfig`.
        shaping: All parameters that shape a model.

    Raises:
        BadInputError: As `compute_recipe` and `find_baseline`, or an option is not in order.
        UnavailableError: As `find_baseline`.
    """
    config = build_config(DeployConfig, options, where="deploy")
    recipe = compute_recipe(snapshot, shaping, module_uri=module_uri)
    found = find_baseline(model_name, baseline_uri, recipe=recipe, config=config)
    known = "no baseline" if found.model_digest is None else f"baseline {found.model_digest[:12]}"
    log_line(f"{known}: {found.reason}\nrecipe: {recipe}")
    if found.folder is None or found.model_digest is None:
        write_no_baseline(folder)
        return Published(recipe=recipe, uri=None, metadata={"found": 0})
    metadata: dict[str, int | str] = {"found": 1, "model_digest": found.model_digest}
    return Published(recipe=recipe, uri=str(found.folder), metadata=metadata)


def find_baseline(model_name: str, baseline_uri: str | None, *, recipe: str, config: DeployConfig) -> Found:
    """Find the model to compare with: the one given, else the one now serving under the name.

    A serving model made by the same recipe is not its own baseline: the one it was compared with is
    returned, so that repeating a run changes nothing.

    Args:
        model_name: A label of RFC 1123.
        baseline_uri: Folder of a complete model, or None.
        recipe: What this run makes models from.
        config: Where models serve.

    Raises:
        BadInputError: The name or the target is not in order, or `baseline_uri` is no complete model.
        UnavailableError: The target does not answer.
    """
    check_model_name(model_name)
    target = config.chosen_target()
    if baseline_uri is not None:
        folder = Path(baseline_uri.removeprefix("file://")).resolve()
        return Found(folder=folder, model_digest=verify_model(folder), reason=f"given as {folder}")
    if target in ("manifest", "none"):
        return Found(reason=f"no model serves: the target is `{target}`")
    serving = open_target(config).observe(model_name).stable
    if serving is None:
        return Found(reason=f"no model serves as `{model_name}` yet")
    found = _verified(serving.model_uri, serving.model_digest, f"it serves as `{model_name}`")
    if found.folder is None:
        return found
    judged = read_evaluation(found.folder)
    return _recorded_baseline(judged) if judged.recipe == recipe else found


def _recorded_baseline(judged: Evaluation) -> Found:
    """Return what a model of the same recipe was compared with."""
    if judged.baseline is None:
        return Found(reason="the model now serving is of this same recipe, and had no baseline itself")
    uri, digest = str(judged.baseline["uri"]), str(judged.baseline["digest"])
    return _verified(uri, digest, "the model now serving is of this same recipe and was compared with it")


def _verified(uri: str, digest: str, how: str) -> Found:
    if "://" in uri:
        problem = f"it lies in a store, of which no model is fetched to compare: {uri}"
        return Found(reason=f"model {digest[:12]} ({how}) cannot be compared with: {problem}")
    folder = Path(uri)
    try:
        if (found := verify_model(folder)) == digest:
            return Found(folder=folder, model_digest=digest, reason=f"{how}: {folder}")
        problem = f"its folder holds another model, {found[:12]}"
    except BadInputError as error:
        problem = str(error)
    return Found(reason=f"model {digest[:12]} ({how}) cannot be compared with: {problem}")
