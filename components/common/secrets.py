"""How a task finds a secret: by a variable whose name follows from the secret's, or in a folder."""

from __future__ import annotations

import re

DEPLOYER_FOLDER = "/var/run/secrets/millrace-deployer"  # token of the account that may deploy


def secret_variable(name: str, key: str) -> str:
    """Return the variable that holds one key of a secret: `MILLRACE_SECRET_WAREHOUSE_PASSWORD`.

    Args:
        name: Of the secret, such as `warehouse`.
        key: In it, such as `password`.
    """
    return re.sub(r"\W", "_", f"MILLRACE_SECRET_{name}_{key}", flags=re.ASCII).upper()
