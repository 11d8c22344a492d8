"""What a trial is made with: names, types, bounds and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.common.config import build_config


@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameters:
    """One point of the search; the defaults are trial 0.

    Attributes:
        form: `mlp`, a multilayer perceptron; `linear`, one weight per input; `wide_and_deep`, the sum of
            both (Cheng et al., 2016).
        learning_rate: Of Adam at its largest, for steps of `batch_size` rows; where few rows make a batch
            smaller, less by the root of the share (Malladi et al., 2022). In [1e-7, 1].
        schedule: How it goes on over `epochs`: `cosine` (half a wave, to zero), `linear` (to zero) or
            `constant`.
        batch_size: Rows a step, fewer for small data: at most a 32nd of the train split, or 32. In
            [8, 65536].
        epochs: Most passes over the train split; a small one is repeated within a pass. In [1, 1000].
        patience: Passes without a lower eval loss after which training stops. In [1, 1000].
        layers: Hidden layers. In [1, 8].
        units: Width of each hidden layer. In [1, 4096].
        embedding_dimension: Length of the vector of every index. In [1, 256].
        min_count: Rows of the train split that an index needs for a vector of its own, at most a hundredth
            of all; rarer ones of its column share one, with those never seen. In [1, 1,000,000].
        bins: Quantiles of the train split between which each number is encoded piecewise linearly
            (Gorishniy et al., 2022), beside the number itself; 0 takes the number alone. In [0, 256].
        members: Most networks that are trained side by side and whose answers are averaged, which is worth
            most on few rows: at most 200,000 by the rows of the train split, so one for many. A linear
            model has one. In [1, 32].
        dropout: Share of each hidden layer left out of a training step. In [0, 0.95].
        weight_decay: Decoupled decay of AdamW, per step and learning rate. In [0, 1].
    """

    form: str = "mlp"
    learning_rate: float = 4e-3
    schedule: str = "cosine"
    batch_size: int = 1024
    epochs: int = 8
    patience: int = 2
    layers: int = 2
    units: int = 128
    embedding_dimension: int = 16
    min_count: int = 20
    bins: int = 16
    members: int = 8
    dropout: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Reject points outside the bounds at once, naming the value."""
        for name, choices in CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise ValueError(f"`{name}` must be one of {', '.join(choices)}, but got {name}={value!r}.")
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"`{low} <= {name} <= {high}` must hold, but got {name}={value!r}.")


# The legal values of those that are words.
CHOICES: dict[str, tuple[str, ...]] = {
    "form": ("mlp", "linear", "wide_and_deep"),
    "schedule": ("cosine", "linear", "constant"),
}

# Smallest and largest legal value of those that are numbers; ends belong to the range.
BOUNDS: dict[str, tuple[float, float]] = {
    "learning_rate": (1e-7, 1.0),
    "batch_size": (8, 65_536),
    "epochs": (1, 1_000),
    "patience": (1, 1_000),
    "layers": (1, 8),
    "units": (1, 4_096),
    "embedding_dimension": (1, 256),
    "min_count": (1, 1_000_000),
    "bins": (0, 256),
    "members": (1, 32),
    "dropout": (0.0, 0.95),
    "weight_decay": (0.0, 1.0),
}


def read_hyperparameters(values: Mapping[str, Any], *, where: str) -> Hyperparameters:
    """Build a point from a mapping; what is missing takes its default.

    Raises:
        BadInputError: A name is unknown, a value has another type, or lies outside its bounds.
    """
    return build_config(Hyperparameters, values, where=where)


def as_mapping(point: Hyperparameters) -> dict[str, Any]:
    """Return a point as a mapping, defaults filled in."""
    return asdict(point)
