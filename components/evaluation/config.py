"""Knobs of evaluation, checked when built, and what the parameters `thresholds` and `slices` may say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.common.config import require_known
from components.common.errors import BadInputError
from components.evaluation.thresholds import Thresholds, read_thresholds

__all__ = ["Cut", "EvaluationConfig", "Thresholds", "read_slices", "read_thresholds"]

Cut = tuple[str, ...]  # one column, or a pair

_LEAST = {
    "golden_rows": 4,
    "min_slice_rows": 1,
    "max_slice_values": 1,
    "worst_slices": 0,
    "importance_rows": 2,
    "importance_repeats": 0,
    "reference_rows": 0,
    "batch_size": 1,
}
_EXPECTATIONS = ("invariant", "increasing", "decreasing")
_COSTS = ("false_positive", "false_negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationConfig:
    """How the test split is answered, cut into slices, doubted and sampled.

    Attributes:
        costs: What a wrong answer of a binary model costs, `{false_positive: 1, false_negative: 5}`, in any
            unit; the threshold that is cheapest on the eval split decides. None: 0.5 decides.
        groups: Columns whose values are held against each other, such as regions.
        sanity: What must hold when a column changes: `{column: invariant | increasing | decreasing}`.
        sanity_tolerance: Change of an answer that counts as none: of a probability, or as a share of the
            labels' standard deviation. In [0, 1].
        min_sanity_share: Least share of rows for which an expectation must hold. In [0, 1].
        worst_slices: Most weak slices that are looked for in all columns and pairs. Count; 0: no search.
        importance_rows: Most rows that permutation importance takes. Count, at least 2.
        importance_repeats: Permutations of each column. Count; 0: no importance.
        reference_rows: Most training rows of the reference model. Count; 0: no reference.
        golden_rows: Golden requests to record, made-up ones among them. Count, at least 4.
        min_slice_rows: Fewest rows of a slice that is measured. Count, at least 1.
        max_slice_values: Values measured per sliced column, those with most rows. Count, at least 1.
        batch_size: Rows that the model answers at once. Count, at least 1.
        intended_use: What the model is for, in a sentence or more; stands in the model card.
        limits: What it is not for; stands in the model card.
    """

    costs: Mapping[str, float] | None = None
    groups: Sequence[str] = ()
    sanity: Mapping[str, str] = field(default_factory=dict[str, str])
    sanity_tolerance: float = 0.01
    min_sanity_share: float = 0.95
    worst_slices: int = 10
    importance_rows: int = 5_000
    importance_repeats: int = 5
    reference_rows: int = 100_000
    golden_rows: int = 32
    min_slice_rows: int = 100
    max_slice_values: int = 20
    batch_size: int = 16_384
    intended_use: str | None = None
    limits: str | None = None

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"`{name} >= {least}` must hold, but got {name}={getattr(self, name)}.")
        for name in ("sanity_tolerance", "min_sanity_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"`0 <= {name} <= 1` must hold, but got {name}={getattr(self, name)}.")
        for name in ("intended_use", "limits"):
            if not isinstance(getattr(self, name), (str, type(None))):
                raise ValueError(f"`{name}` must be text, but got {name}={getattr(self, name)!r}.")
        if self.costs is not None:
            _check_costs(self.costs)
        _check_columns(self.groups)
        _check_sanity(self.sanity)


def read_slices(slices: Any) -> list[Cut]:
    """Check the parameter `slices`, such as `[carrier, [carrier, origin]]`.

    Returns:
        One or two columns each, in the order given, each once.

    Raises:
        BadInputError: An entry is neither a column's name nor a list of two different ones.
    """
    fix = "name columns and pairs of columns, such as `slices: [carrier, [carrier, origin]]`"
    if not isinstance(slices, (list, tuple)):
        raise BadInputError("slices must be a list", where="slices", value=slices, fix=fix)
    cuts: list[Cut] = []
    for entry in slices:
        cut = (entry,) if isinstance(entry, str) else tuple(entry) if isinstance(entry, list) else ()
        if (
            not all(isinstance(name, str) for name in cut)
            or len({*cut}) != len(cut)
            or len(cut) not in (1, 2)
        ):
            raise BadInputError("a slice must be a column or a pair", where="slices", value=entry, fix=fix)
        cuts.append(cut)
    return list(dict.fromkeys(cuts))


def _check_costs(costs: Any) -> None:
    form = "write `costs: {false_positive: 1, false_negative: 5}`"
    if not isinstance(costs, Mapping) or set(costs) != set(_COSTS):
        raise ValueError(f"`costs` must name both kinds of mistake, but got {costs!r}; {form}.")
    for name in _COSTS:
        cost: Any = costs[name]
        if isinstance(cost, bool) or not isinstance(cost, (int, float)) or not 0 <= cost < math.inf:
            raise ValueError(f"`costs.{name}` must be a finite number >= 0, but got {cost!r}.")
    if not any(costs.values()):
        raise ValueError(f"a mistake must cost something, but got costs={dict(costs)!r}.")


def _check_columns(columns: Any) -> None:
    if not isinstance(columns, (list, tuple)) or not all(isinstance(name, str) for name in columns):
        raise ValueError(f"`groups` must be a list of columns, but got groups={columns!r}.")


def _check_sanity(sanity: Any) -> None:
    if not isinstance(sanity, Mapping):
        raise ValueError(f"`sanity` must be a mapping of columns, but got sanity={sanity!r}.")
    for column, expectation in sanity.items():
        require_known([str(expectation)], _EXPECTATIONS, where=f"evaluation.sanity.{column}")
