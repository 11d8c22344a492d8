"""The text of a parameter file, commented with what was found in the data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.common.artifacts import Snapshot, TransformSummary
from pipelines.room_parameters import DEFAULT_SPACE
from pipelines.yaml_text import as_yaml

_WIDTH = 108
_FEW_VALUES = 20
# Which metric a threshold is set on, and what a constant answer has of it; None is what was measured.
_GATES: Mapping[str, tuple[str, float | None]] = {
    "binary": ("auc", 0.5), "multiclass": ("log_loss", None), "regression": ("r2", 0.0)
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the rooms found.

    Attributes:
        sources: As the user named them.
        label: What is learnt.
        query: As the user gave it, or None.
        model_name: To serve under.
        snapshot: From ingestion: kinds, rows, the split.
        transform: From the transform: the task, and what becomes of each column.
        comparisons: From evaluation: metrics of a constant and of the reference.
        given: Parameters that the user gave beside these; `features`, and knobs of rooms.
    """

    sources: Mapping[str, Any]
    label: str
    query: str | None
    model_name: str
    snapshot: Snapshot
    transform: TransformSummary
    comparisons: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])


def write_parameters(look: Look, name: str) -> str:
    """Return a parameter file as YAML; `name` is that of the file. The same look gives the same text."""
    parts = [
        _head(look, name), _sources(look), _label(look), _columns(look), _split(look), _search(),
        _thresholds(look), _slices(look), _knobs(look), _serving(look),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(look: Look, name: str) -> str:
    rows = sum(look.snapshot.rows.values())
    return (
        _comment(
            f"Parameters of the pipeline `training`, written from {rows:,} rows. All of it may be changed; "
            "what is left out takes its default."
        )
        + f"\n#   millrace run training --params {name}"
    )


def _sources(look: Look) -> str:
    said = "Where the rows come from: a name for each table, and its files. A glob takes several."
    parts = [_comment(said), _yaml({"sources": dict(look.sources)})]
    if look.query is None:
        parts.append(_comment(
            "`query` is SQL (DuckDB) over these names: joins, filters, other columns. Take out what is not "
            "yet known when the model is asked: it would give the answer away."
        ))  # fmt: skip
    else:
        parts.append(_yaml({"query": look.query}))
    return "\n".join(parts)


def _label(look: Look) -> str:
    classes = look.transform.classes
    told = f" of {len(classes)} classes" if len(classes) > 2 else ""
    said = f"What is learnt. The task was inferred from its values: {look.transform.task}{told}."
    return f"{_comment(said)}\n{_yaml({'label': look.label, 'task': look.transform.task})}"


def _columns(look: Look) -> str:
    names = [name for name in look.snapshot.columns if name != look.label]
    width = max((len(_plain(name)) for name in names), default=0)
    kinds = max((len(kind) for kind in look.snapshot.columns.values()), default=0)
    lines = [
        f"#   {_plain(name):<{width}}  {look.snapshot.columns[name]:<{kinds}}  {_fate(look, name)}"
        for name in names
    ]
    said = "The columns, their kinds, and what becomes of each:"
    more = "To treat one otherwise, name it here with drop, number, category, hash or calendar."
    features = _yaml({"features": look.given.get("features", {})})
    return "\n".join([_comment(said), *lines, _comment(more), features])


def _fate(look: Look, name: str) -> str:
    if name in look.transform.dropped:
        return f"left out: {_plain(look.transform.dropped[name])}"
    made = [feature for feature in look.transform.features if feature["column"] == name]
    told = [
        f"{_plain(feature['name'])} (of {feature['size']})" if feature["encoding"] == "index"
        else _plain(str(feature["name"]))
        for feature in made
    ]  # fmt: skip
    return ", ".join(told) or "not used"


def _split(look: Look) -> str:
    rows = ", ".join(f"{name} {count:,}" for name, count in look.snapshot.rows.items())
    said = (
        f"Which rows train, choose among trials (eval) and judge (test). Now: {rows}. To ask how well "
        "days are foretold that it never saw: `by: time` with `column`, `eval_from` and `test_from`."
    )
    known = {name: value for name, value in look.snapshot.split.items() if value is not None}
    return f"{_comment(said)}\n{_yaml({'split': known})}"


def _search() -> str:
    said = "How many points of the search space are tried. The first has the defaults; the best is judged."
    space = _comment(
        "What the trials vary, {low, high}, {choices: […]} or one value. These are the defaults."
    )
    return "\n".join([_comment(said), "trials: 4\nseed: 0", space, _yaml({"search_space": DEFAULT_SPACE})])


def _thresholds(look: Look) -> str:
    metric, nothing = _GATES[look.transform.task]
    reference = _metric(look, "reference", metric)
    constant = nothing if nothing is not None else (_metric(look, "constant", metric) or {}).get("value")
    if reference is None or constant is None:
        why = look.comparisons.get("reference", {}).get("obstacle", "it was not measured")
        return _no_threshold(f"What the model must reach. No reference could be taken: {why}.")
    worst = reference["low"] if metric != "log_loss" else reference["high"]
    who = _plain(str(look.comparisons["reference"].get("who", "the reference")))
    seen = (
        f"What the model must reach on the test split. {who[:1].upper()}{who[1:]} reached {metric} "
        f"{reference['value']:.4g} (95 % between {reference['low']:.4g} and {reference['high']:.4g}), a "
        f"constant answer {constant:.4g}."
    )
    if (worst <= constant) if metric != "log_loss" else (worst >= constant):
        more = "That is not surely better: the columns tell little of the label, or the rows are too few."
        return _no_threshold(f"{seen} {more}")
    bound = float(f"{(worst + constant) / 2:.3g}")
    asked = {metric: {"max" if metric == "log_loss" else "min": bound}}
    return f"{_comment(f'{seen} Asked for is half of the way.')}\n{_yaml({'thresholds': asked})}"


def _no_threshold(why: str) -> str:
    return f"{_comment(why)}\nthresholds: {{}}"


def _metric(look: Look, who: str, name: str) -> Mapping[str, float] | None:
    return (look.comparisons.get(who, {}).get("metrics") or {}).get(name)


def _slices(look: Look) -> str:
    few = [
        feature["column"] for feature in look.transform.features
        if feature["encoding"] == "index" and feature["size"] <= _FEW_VALUES
        and look.snapshot.columns.get(feature["column"]) in ("string", "boolean")
    ]  # fmt: skip
    said = "Metrics are also given for each value of these columns; weak values are found unasked."
    hint = f" Few values have: {', '.join(map(_plain, dict.fromkeys(few)))}." if few else ""
    return f"{_comment(said + hint)}\nslices: []"


def _knobs(look: Look) -> str:
    knobs = {name: value for name, value in look.given.items() if name != "features"}
    return f"{_comment('As it was given.')}\n{_yaml(knobs)}" if knobs else ""


def _serving(look: Look) -> str:
    said = "The name to serve under, and where: `local`, or `none` to serve nothing."
    return f"{_comment(said)}\n{_yaml({'model_name': look.model_name, 'deploy': {'target': 'local'}})}"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in _wrapped(_plain(text)))


def _wrapped(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)


def _plain(text: str) -> str:
    """Return text of one line, so that no name can end a comment."""
    return " ".join(text.split()) if text.isprintable() else " ".join(ascii(text)[1:-1].split())


def _yaml(content: Mapping[str, Any]) -> str:
    return "\n".join(_entry(name, value) for name, value in content.items())


def _entry(name: str, value: Any) -> str:
    """Return one key; mappings of mappings in lines, all that is smaller in braces."""
    flow = None if isinstance(value, (Mapping, list)) else False
    return as_yaml({name: value}, flow=flow).rstrip()
