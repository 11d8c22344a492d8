"""What is learnt from the label: given or inferred, with the classes in order."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import cast, get_args

from components.common.artifacts import Kind, Task
from components.common.encoding import class_name
from components.common.errors import BadInputError
from components.transform.profile import ColumnProfile

MAX_WHOLE_CLASSES = 20
MAX_CLASSES = 1_000


def require_label(label: str, kinds: Mapping[str, Kind]) -> None:
    """Refuse a label that is no column.

    Raises:
        BadInputError: It is not; the nearest column is suggested.
    """
    if label not in kinds:
        near = difflib.get_close_matches(label, kinds, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"columns: {', '.join(kinds)}"
        raise BadInputError(
            "label is not a column of the examples", where="parameter `label`", value=label, fix=fix
        )


def infer_task(profile: ColumnProfile, task: str | None, *, label: str) -> tuple[Task, list[str]]:
    """Decide what is learnt.

    Args:
        profile: The label column of the train split.
        label: Its name.
        task: What the user asked for; None infers: two distinct values are binary, text or at most 20
            whole numbers multiclass, anything else regression.

    Returns:
        The task, and the classes by index: numbers by value, text by code point; none for regression.

    Raises:
        BadInputError: `task` is unknown or does not fit the label, or the label holds fewer
            than two values, or more classes than `MAX_CLASSES` or than half of the rows.
    """
    if task is not None and task not in get_args(Task):
        fix = f"one of {', '.join(get_args(Task))}, or leave it out"
        raise BadInputError("unknown task", where="parameter `task`", value=task, fix=fix)
    _require_variety(profile, label)
    chosen = cast(Task, task) if task else _inferred(profile)
    _require_fit(profile, chosen, f"label `{label}`, train split")
    if chosen == "multiclass":
        _require_classes(profile, label)
    return chosen, [] if chosen == "regression" else [
        class_name(value) for value in sorted(profile.distinct)
    ]


def _inferred(profile: ColumnProfile) -> Task:
    if len(profile.distinct) == 2:
        return "binary"
    few = len(profile.distinct) <= MAX_WHOLE_CLASSES
    return "multiclass" if _is_text(profile) or (few and profile.whole) else "regression"


def _require_variety(profile: ColumnProfile, label: str) -> None:
    if len(profile.distinct) < 2:
        value = sorted(profile.distinct)
        raise BadInputError(
            "the label must hold at least two distinct values", where=f"label `{label}`, train split",
            value=value, fix="check the query, the split and the name of the label",
        )  # fmt: skip


def _require_fit(profile: ColumnProfile, task: Task, where: str) -> None:
    count = len(profile.distinct)
    if task == "regression":
        if _is_text(profile):
            fix = "choose binary or multiclass, or a numeric label"
            raise BadInputError(
                "regression needs a numeric label", where=where, value=profile.kind, fix=fix
            )
    elif task == "binary" and count != 2:
        raise BadInputError(
            "binary needs two distinct values", where=where, value=count, fix="choose another task"
        )
    elif not _is_text(profile) and not profile.whole:
        fix = "choose regression"
        raise BadInputError("classes must be text or whole numbers", where=where, fix=fix)


def _require_classes(profile: ColumnProfile, label: str) -> None:
    count, rows = len(profile.distinct), profile.counted
    if count <= MAX_CLASSES and 2 * count <= rows:
        return
    most = f"at most {MAX_CLASSES:,}, each in two rows on average"
    raise BadInputError(
        f"`{label}` has {count:,} distinct values in {rows:,} rows, too many for classes ({most})",
        where="parameter `label`", fix="is it the label? Choose a column of few values, or of numbers",
    )  # fmt: skip


def _is_text(profile: ColumnProfile) -> bool:
    return profile.kind in ("string", "date", "timestamp")
