# pyright: basic
"""The door that belongs to no room: the end of a run that a gate refused."""

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def halt(unless: bool, reasons: dsl.Input[dsl.Artifact]):
    """End the run, red and with the reasons, unless the verdict is true.

    Args:
        unless: The verdict of the task before.
        reasons: What that task wrote about its verdict: a folder with `verdict.json`.
    """
    from pathlib import Path

    from components.common.errors import named_exit
    from components.common.halt import halt_unless

    with named_exit():
        halt_unless(unless, Path(reasons.path))
