"""The verbs `make images`, `make push` and `make base-digest`.

ENGINE is podman, buildah or docker (the first that answers), IMAGES some of them (all but those of
`ON_REQUEST`), BASE another base than that of docker/BASE_IMAGE, `debian` for one made from Debian's
packages.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Sequence

from tools.images.base import find_base, pin_base
from tools.images.build import build, groups, local_name
from tools.images.engine import StopError, find_engine
from tools.images.lock import write_lock
from tools.images.push import push

ON_REQUEST = ("modelling-gpu",)  # NVIDIA's libraries are gigabytes that most never need


def main(arguments: Sequence[str]) -> int:
    """Do a verb: `build`, `push` or `base-digest`; 2 with one line when something is to be mended."""
    try:
        _do(*arguments)
    except StopError as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    return 0


def _do(verb: str) -> None:
    if verb == "base-digest":
        print(pin_base())
        return
    engine = find_engine(os.environ.get("ENGINE"))
    names = chosen(os.environ.get("IMAGES"))
    if verb == "build":
        base = find_base(engine, os.environ.get("BASE") or None)
        one = functools.partial(build, engine=engine, base=base)
    else:
        registry, tag = (_required(name) for name in ("REGISTRY", "TAG"))
        here = {name: local_name(name) for name in names}
        one = functools.partial(push, engine=engine, here=here, registry=registry, tag=tag)
    for name in names:  # what is done is locked, whatever becomes of the others
        found = one([name])
        write_lock(found)
        print(*(f"{logical}: {reference}" for logical, reference in found.items()), flush=True)


def chosen(wanted: str | None) -> list[str]:
    """Return the images that are meant.

    Args:
        wanted: Names with spaces between; None or empty means all but those of `ON_REQUEST`.

    Raises:
        StopError: There is no such image.
    """
    names = (wanted or "").split() or [name for name in groups() if name not in ON_REQUEST]
    if unknown := [name for name in names if name not in groups()]:
        raise StopError(f"no image is called {unknown[0]}: there are {', '.join(groups())}")
    return names


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise StopError(f"{name} is missing: `make push REGISTRY=registry.example/team TAG=v1`")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
