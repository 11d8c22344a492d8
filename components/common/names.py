"""What a model may be called: one rule for addresses, folders and Kubernetes."""

from __future__ import annotations

import re

from components.common.errors import BadInputError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_model_name(name: str) -> str:
    """Return a model's name when it is a label of RFC 1123, as Kubernetes demands of objects.

    Args:
        name: 1 to 63 characters of `a-z`, `0-9` and `-`, the first and last no `-`.

    Raises:
        BadInputError: It is not.
    """
    if not _LABEL.fullmatch(name):
        fix = "use 1 to 63 characters of a-z, 0-9 and -, beginning and ending with a letter or digit"
        raise BadInputError("not a model name", where="parameter `model_name`", value=name, fix=fix)
    return name
