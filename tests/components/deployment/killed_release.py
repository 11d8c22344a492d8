"""A release in a process of its own, which is killed at a chosen call that changes something.

Usage: `python killed_release.py MODEL NAME OUT CALL NUMBER before|after`; `-` for CALL kills nothing.
"""

import os
import signal
import sys
from pathlib import Path

from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget

CONFIG = DeployConfig(
    target="local", steps=[50, 100], interval_seconds=0.5, min_requests=20, max_latency_ratio=10,
    max_prediction_shift=1,
)  # fmt: skip


def kill_at(call, number, moment):
    """Wrap a method of the target so that its n-th call, from 1 on, kills this process."""
    method, seen = getattr(LocalTarget, call), []

    def wrapped(*given, **named):
        seen.append(call)
        if len(seen) == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        found = method(*given, **named)
        if len(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(LocalTarget, call, wrapped)


if __name__ == "__main__":
    model, name, out, call, number, moment = sys.argv[1:]
    if call != "-":
        kill_at(call, int(number), moment)
    deploy(Path(model), Path(model), Path(out), model_name=name, config=CONFIG)
