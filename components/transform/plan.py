"""Planning: what is learnt, and from which columns, before any graph exists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.artifacts import Kind, Task
from components.common.errors import BadInputError
from components.transform.config import TransformConfig
from components.transform.derive import Derived, derive_features, require_any
from components.transform.infer_task import infer_task, require_label
from components.transform.measure import Measured, measure_columns
from components.transform.preprocess import PreprocessingFn
from components.transform.profile import profile_columns
from components.transform.wrap_module import load_preprocessing_fn

Read = Callable[[Sequence[str]], Iterator[Any]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes:
        task: What is learnt.
        classes: Label values by class index.
        inputs: Columns that the graph takes, with their kinds.
        user_fn: The user's function, wrapped; None when features are derived.
        derived: How the columns enter; empty when the user brings a function.
        columns: What was measured for it, by column.
        dropped: Columns left out, with the reason.
        warnings: What the user should know, one line each.
    """

    task: Task
    classes: list[str]
    inputs: dict[str, Kind]
    user_fn: PreprocessingFn | None = None
    derived: list[Derived] = field(default_factory=list[Derived])
    columns: dict[str, Measured] = field(default_factory=dict[str, Measured])
    dropped: dict[str, str] = field(default_factory=dict[str, str])
    warnings: list[str] = field(default_factory=list[str])


def make_plan(
    read: Read,
    kinds: Mapping[str, Kind],
    *,
    label: str,
    task: str | None,
    features: Mapping[str, Any],
    module: Path | None,
    config: TransformConfig,
    personal: Collection[str] = (),
) -> Plan:
    """Profile the columns and decide.

    Args:
        read: Returns the Arrow record batches of the train split with the columns named.
        kinds: All columns with their kinds.
        label: Label column; never a feature.
        task: What is learnt, or None to infer it.
        features: Overrides by column.
        module: The user's Python file, or None. Without a `preprocessing_fn` in it features are derived.
        config: Knobs.
        personal: Columns that enter only when `features` names them, and of which no value is shown.

    Raises:
        BadInputError: Label, task, an override or the module does not fit.
    """
    require_label(label, kinds)
    if label in features:
        raise BadInputError("the label is never a feature", where="parameter `features`", value=label)
    profiles = profile_columns(read(list(kinds)), kinds)
    chosen, classes = infer_task(profiles.pop(label), task, label=label)
    own = load_preprocessing_fn(module) if module else None
    if own is None:
        derived, dropped = derive_features(profiles, features, config, personal)
        return _measured(read, derived, dropped, chosen, classes, frozenset(features), config)
    if features:
        fix = "leave one of them out"
        raise BadInputError(
            "`features` has no effect beside `preprocessing_fn`", where="parameters", fix=fix
        )
    columns: dict[str, Kind] = {name: profile.kind for name, profile in profiles.items()}
    return Plan(task=chosen, classes=classes, inputs=columns, user_fn=own)


def _measured(
    read: Read, derived: Sequence[Derived], dropped: Mapping[str, str], task: Task, classes: list[str],
    named: frozenset[str], config: TransformConfig,
) -> Plan:  # fmt: skip
    found = measure_columns(read, derived, max_correlation=config.max_correlation)
    duplicates: dict[str, str] = {}
    warnings = [f"`{one.column}` {one.warning}" for one in derived if one.warning]
    for later, earlier, value in found.correlated:
        what = f"correlates with `{earlier}`: {value:.4f}"
        if {later, earlier} & duplicates.keys():
            continue
        if config.drop_correlated and later not in named:
            duplicates[later] = what
        else:
            warnings.append(f"`{later}` {what}")
    kept = [feature for feature in derived if feature.column not in duplicates]
    require_any(kept, {**dropped, **duplicates})
    return Plan(
        task=task, classes=classes, inputs={feature.column: feature.kind for feature in kept},
        derived=kept, columns=found.columns, dropped={**dropped, **duplicates}, warnings=warnings,
    )  # fmt: skip
