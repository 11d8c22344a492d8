"""What a measure returns: ours, the peer's, and whether the target is met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Condition = str | int | float


@dataclass(frozen=True, kw_only=True)
class Record:
    """One measure's outcome; it becomes `benchmarks/records/<name>.json`.

    Attributes:
        name: The measure: the name of its file.
        ours: What we reach, in the unit that `conditions` names.
        peer: What the peer or floor reaches under the same conditions, or None when there is none.
        ratio: `ours / peer`, or None without a peer.
        target: The bound in words, such as `ratio >= 1`.
        met: Whether the bound holds; None when the peer cannot run here, and `conditions` say why.
        conditions: What the numbers depend on: `unit`, who the `peer` is, repeats, sizes, and the
            machine, which the runner adds.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    target: str
    met: bool | None
    conditions: Mapping[str, Condition] = field(default_factory=dict[str, Condition])


def judge(
    name: str,
    ours: float,
    *,
    peer: float | None = None,
    at: Literal["least", "most"],
    bound: float,
    conditions: Mapping[str, Condition],
) -> Record:
    """Make a record; the bound holds for the ratio when there is a peer, else for `ours`.

    Raises:
        ValueError: The peer's number is not above zero.
    """
    if peer is not None and not peer > 0:
        raise ValueError(f"`peer > 0` must hold, but got {peer=}.")
    ratio = None if peer is None else ours / peer
    value, subject = (ours, "ours") if ratio is None else (ratio, "ratio")
    met, sign = (value >= bound, ">=") if at == "least" else (value <= bound, "<=")
    return Record(
        name=name, ours=ours, peer=peer, ratio=ratio,
        target=f"{subject} {sign} {bound:g}", met=met, conditions=dict(conditions),
    )  # fmt: skip


def unjudged(
    name: str, ours: float, *, bound: str, reason: object, conditions: Mapping[str, Condition]
) -> Record:
    """Make a record without a verdict: the peer cannot run here, and no stored number stands for it."""
    told = {**conditions, "peer_not_run": str(reason)}
    return Record(name=name, ours=ours, peer=None, ratio=None, target=bound, met=None, conditions=told)
