"""Where and how to deploy, checked when built."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from components.common.config import build_config, whole
from components.common.twin.choose import ENGINES
from components.deployment.kserve_config import KServeConfig

TARGETS = ("local", "kserve", "manifest", "none")
STRATEGIES = ("canary", "replace", "ab")
ON_INCONCLUSIVE = ("hold", "restore")
SUPERVISOR = "MILLRACE_SUPERVISOR"  # environment variable: path of the `supervisor.json` to use

_RULES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "target": (f"target in {TARGETS}", lambda value: value is None or value in TARGETS),
    "engine": (f"engine in {ENGINES}", ENGINES.__contains__),
    "strategy": (f"strategy in {STRATEGIES}", STRATEGIES.__contains__),
    "on_inconclusive": (f"on_inconclusive in {ON_INCONCLUSIVE}", ON_INCONCLUSIVE.__contains__),
    "timeout_seconds": ("timeout_seconds > 0", lambda value: value > 0),
    "deadline_seconds": ("deadline_seconds > 0", lambda value: value > 0),
    "interval_seconds": ("interval_seconds >= 0", lambda value: value >= 0),
    "min_requests": ("min_requests >= 1", lambda value: value >= 1),
    "level": ("0 < level <= 0.2", lambda value: 0 < value <= 0.2),
    "max_error_rate_increase": ("0 <= max_error_rate_increase <= 1", lambda value: 0 <= value <= 1),
    "max_latency_ratio": ("max_latency_ratio >= 1", lambda value: value >= 1),
    "max_prediction_shift": ("0 <= max_prediction_shift <= 1", lambda value: 0 <= value <= 1),
    "sticky": ("sticky is a header or input:NAME", lambda value: value is None or _is_sticky(value)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployConfig:
    """How to deploy.

    Attributes:
        target: `local` (through `millrace serve`), `kserve`, `manifest` or `none` (serve nothing).
            None means `local` when the environment names a supervisor, else `kserve`.
        engine: What computes the answers: `twin` (NumPy alone) where the model has a proven one, or
            `tensorflow`; `auto` takes the twin where it can.
        timeout_seconds: Longest time a new revision may take to become ready. Seconds, above 0.
        strategy: `canary`: beside the old one, by `steps`, judged at each that leaves the old one a share.
            `replace`: all requests at once, for a target that cannot share them. `ab`: beside the old one
            at a fixed share until somebody promotes it or rolls back.
        steps: Shares of the new revision in percent, ascending whole numbers; the last is 100. For `ab`
            the one share that it keeps, below 100; 50 when nothing is said.
        interval_seconds: Shortest time at each step. Seconds, at least 0.
        min_requests: Fewest requests that old and new must each have had at a step. At least 1.
        level: Chance, at most, that a step ends a release whose new revision is as good as the old.
            Above 0, at most 0.2.
        max_error_rate_increase: Share of failed requests that the new one may have more. 0 to 1.
        max_latency_ratio: How many times as long the new one may take, by the median and by the 95 and 99 %
            quantiles. At least 1.
        max_prediction_shift: Largest distance of the predictions' distributions (Kolmogorov's: the largest
            difference of cumulative shares). 0 to 1, which is never exceeded.
        deadline_seconds: Longest time that a step waits for enough requests. Seconds, above 0.
        on_inconclusive: What follows when they do not come: `hold` the shares as they are, or `restore`.
        sticky: Header of requests, or `input:` and the name of an input, whose value decides who answers,
            so that a user always meets the same revision; None shares by chance. On `local` alone.
        kserve: Knobs of the targets `kserve` and `manifest`: the fields of `KServeConfig`.
    """

    target: str | None = None
    engine: str = "auto"
    timeout_seconds: float = 180.0
    strategy: str = "canary"
    steps: Sequence[int] = ()
    interval_seconds: float = 60.0
    min_requests: int = 200
    level: float = 0.01
    max_error_rate_increase: float = 0.01
    max_latency_ratio: float = 1.5
    max_prediction_shift: float = 0.2
    deadline_seconds: float = 900.0
    on_inconclusive: str = "hold"
    sticky: str | None = None
    kserve: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Reject what cannot be at once, naming the value."""
        for name, (rule, holds) in _RULES.items():
            if not holds(value := getattr(self, name)):
                raise ValueError(f"`{rule}` must hold, but got {name}={value!r}.")
        self._check_steps()
        self.kserve_config()

    @property
    def shares(self) -> tuple[int, ...]:
        """The new revision's shares in percent, one step after the other; the default filled in."""
        return tuple(whole(list(self.steps))) or ((50,) if self.strategy == "ab" else (100,))

    def chosen_target(self) -> str:
        """Return the target that was asked for, or follows from the environment."""
        return self.target or ("local" if os.environ.get(SUPERVISOR) else "kserve")

    def by_hand(self, command: str) -> str:
        """Return a command of `millrace` as a person types it for this target and its knobs."""
        target = self.chosen_target()
        if target == "local":
            return f"`millrace {command}`"
        kserve, usual = self.kserve_config(), KServeConfig()
        names = [each.name for each in fields(kserve) if each.name != "prometheus"]  # nothing is judged
        changed = [name for name in names if getattr(kserve, name) != getattr(usual, name)]
        knobs = [f" -p kserve.{name}={getattr(kserve, name)}" for name in changed]
        if self.strategy == "replace" and command.startswith("rollback"):  # which releases, too
            knobs.insert(0, " -p strategy=replace")
        return f"`millrace {command} --target {target}{''.join(knobs)}`"

    def kserve_config(self) -> KServeConfig:
        """Return the knobs of the target `kserve`.

        Raises:
            BadInputError: They are not in order.
        """
        return build_config(KServeConfig, self.kserve, where="deploy.kserve")

    def _check_steps(self) -> None:
        if not isinstance(self.steps, (list, tuple)):
            raise ValueError(f"`steps` must be a list of percents, but got {self.steps=}.")
        shares = self.shares
        if not all(type(share) is int and 1 <= share <= 100 for share in shares):
            raise ValueError(f"`steps` must be whole percents of 1 to 100, but got {self.steps=}.")
        if list(shares) != sorted(set(shares)):
            raise ValueError(f"`steps` must ascend, but got {self.steps=}.")
        if self.strategy == "canary" and shares[-1] != 100:
            raise ValueError(f"the last of `steps` must be 100, but got {self.steps=}.")
        if self.strategy == "replace" and shares != (100,):
            raise ValueError(f"`strategy: replace` has no steps but [100], but got {self.steps=}.")
        if self.strategy == "ab" and (len(shares) != 1 or shares == (100,)):
            raise ValueError(f"`strategy: ab` has one share below 100, but got {self.steps=}.")


def _is_sticky(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9-]+|input:.+", value) is not None
