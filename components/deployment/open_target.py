"""The target that a config names, ready to be asked."""

from __future__ import annotations

from components.common.errors import BadInputError
from components.deployment.config import DeployConfig
from components.deployment.local import LocalTarget
from components.deployment.target import Target


def open_target(config: DeployConfig) -> Target:
    """Return the target that was asked for, or follows from the environment.

    Raises:
        BadInputError: It serves nothing, or its knobs are not in order.
        UnavailableError: It does not answer.
    """
    name = config.chosen_target()
    if name == "local":
        return LocalTarget.from_environment()
    if name == "kserve":
        from components.deployment.kserve import KServeTarget  # with the client of Kubernetes

        return KServeTarget.connect(config)
    what = f"the target `{name}` serves nothing"
    raise BadInputError(what, where="parameter `deploy.target`", fix="use `local` or `kserve`")
