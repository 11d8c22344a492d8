"""What lies inside each artifact, in the order in which a run makes them.

An artifact is a folder; HTML reports are single files, and metrics live in metadata alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from components.common.documents import read_document, write_document
from components.common.errors import BadInputError
from components.common.storage import publishing

SPLITS = ("train", "eval", "test")

# How a missing value enters the graph: a value that no user can send (docs/adr/0005-missing-values.md).
MISSING_INTEGER = -(2**63)
MISSING_STRING = "\x00"  # a missing float is NaN

Kind = Literal["integer", "float", "string", "boolean", "date", "timestamp"]
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file that was read, or one query of a database. It has no time: a touched file is the same data.

    Attributes:
        uri: Where it was; never with a secret in it.
        bytes: Its size; of a query, that of its rows as text.
        sha256: Digest of its bytes, taken while they were read; of a query, of its rows, sorted.
        query: The SQL that a database ran. Recorded, not part of the version.
        note: What was done with it that nobody asked for; likewise.
    """

    uri: str
    bytes: int
    sha256: str
    query: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Which data this is: `snapshot.json`.

    Attributes:
        version: sha256 of the sources' sorted digests, the query, the split rule and the format.
        sources: For each source name the files read, sorted by uri, as mappings of `SourceFile`.
        query: The SQL that made the rows, or None when one source was taken as it is.
        split: The split rule with every default filled in.
        rows: Rows in each split.
        columns: Kind of each column, in order.
        notes: What was done with values that nobody asked for. Recorded, not part of the version.
    """

    version: str
    sources: dict[str, list[dict[str, Any]]]
    query: str | None
    split: dict[str, Any]
    rows: dict[str, int]
    columns: dict[str, Kind]
    notes: list[str] = field(default_factory=list)


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write `snapshot.json` into a folder."""
    write_document(folder / "snapshot.json", snapshot)


def read_snapshot(folder: Path) -> Snapshot:
    """Read `snapshot.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "snapshot.json", Snapshot)


def split_files(examples: Path, split: str) -> list[Path]:
    """List the Parquet files of one split, in order.

    Args:
        examples: Folder `examples` or `transformed_examples`: a sub-folder per split.
        split: `train`, `eval` or `test`.

    Raises:
        BadInputError: The split is missing or has no file.
    """
    files = sorted((examples / split).glob("part-*.parquet"))
    if not files:
        fix = "the task before wrote no such split: run it again"
        raise BadInputError(f"split `{split}` has no Parquet file", where=examples, fix=fix)
    return files


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a gate decided: `verdict.json`, in `anomalies` and in `evaluation`.

    Attributes:
        passed: The boolean that the task returns.
        outcome: One word for people: `clean`, `anomalous`, `blessed`, `not blessed`; with
            ` (no baseline yet)` when nothing could be compared.
        reasons: One line each, worst first; why it did not pass, or what was noticed although it did.
    """

    passed: bool
    outcome: str
    reasons: list[str] = field(default_factory=list)


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write `verdict.json` into a folder."""
    write_document(folder / "verdict.json", verdict)


def read_verdict(folder: Path) -> Verdict:
    """Read `verdict.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "verdict.json", Verdict)


@dataclass(frozen=True, kw_only=True)
class TransformSummary:
    """What the transform derived: `transform.json`, beside TFT's own files in `transform_graph`.

    Attributes:
        task: What is learnt, given or inferred.
        label: The label column. In `transformed_examples` it is the column `label`: float32 (0 or 1
            for binary, the value for regression) or int64 (class index).
        classes: Label values by class index, as strings; two for binary, empty for regression.
        inputs: Raw columns that the graph takes, with their kinds, in order.
        features: Transformed columns, in order: `{name, column, encoding, size}`, where encoding is
            `number` (float32, size 1) or `index` (int64 in [0, size)).
        dropped: Raw columns that were left out, with the reason.
    """

    task: Task
    label: str
    classes: list[str]
    inputs: dict[str, Kind]
    features: list[dict[str, Any]]
    dropped: dict[str, str]


def write_transform(folder: Path, summary: TransformSummary) -> None:
    """Write `transform.json` into a folder."""
    write_document(folder / "transform.json", summary)


def read_transform(folder: Path) -> TransformSummary:
    """Read `transform.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "transform.json", TransformSummary)


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What the model takes and gives: `signature.json`.

    Attributes:
        inputs: `{name, kind, datatype, optional, example}` each; datatype is FP32, INT64 or BYTES.
            One value a row. A missing value (null, or an omitted optional input) enters the graph as
            NaN, `MISSING_INTEGER` or `MISSING_STRING`.
        outputs: `{name, datatype, shape, classes}` each; shape `[-1]` or `[-1, classes]`: `probability`
            (binary, of the second of two classes), `probabilities` (multiclass, of each class in order)
            or `prediction` (regression, without `classes`). Classes are strings.
    """

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]


def write_signature(folder: Path, signature: Signature) -> None:
    """Write `signature.json` into a model's folder."""
    write_document(folder / "signature.json", signature)


def read_signature(folder: Path) -> Signature:
    """Read `signature.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "signature.json", Signature)


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """How the model was made: `model.json`.

    Attributes:
        task: What it predicts.
        label: The label column.
        classes: Label values by class index; empty for regression.
        trial: Number of the search trial that it came from.
        hyperparameters: What that trial used, defaults filled in.
        validation: Metrics on the eval split, by name.
        digests: sha256 of what it was made from: `snapshot` (the version), `schema`,
            `transform_graph`, `transformed_examples`, `code`.
        twin: What came of deriving one (docs/twin.md): `{steps}` of the program in `twin/`, or `{reason}`
            why there is none; empty when none was tried.
    """

    task: Task
    label: str
    classes: list[str]
    trial: int
    hyperparameters: dict[str, Any]
    validation: dict[str, float]
    digests: dict[str, str]
    twin: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Reject what the entry `twin` cannot be."""
        _check_twin(self.twin)


def write_model_record(folder: Path, record: ModelRecord) -> None:
    """Write `model.json` into a model's folder."""
    write_document(folder / "model.json", record)


def read_model_record(folder: Path) -> ModelRecord:
    """Read `model.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "model.json", ModelRecord)


@dataclass(frozen=True, kw_only=True)
class NoBaseline:
    """Stands in the artifact `baseline` when no model is to be compared with: `no_baseline.json`.

    It says nothing more: why there is none is in the task's log, since a reason that changes from run to
    run would make all that follows run again.
    """


def write_no_baseline(folder: Path) -> None:
    """Write `no_baseline.json` into a folder."""
    write_document(folder / "no_baseline.json", NoBaseline())


def baseline_model(folder: Path) -> Path | None:
    """Return the complete model inside an artifact `baseline`, or None when none was found.

    Raises:
        BadInputError: The folder holds neither a complete model nor `no_baseline.json`.
    """
    if (folder / "no_baseline.json").exists():
        read_document(folder / "no_baseline.json", NoBaseline)
        return None
    read_model_record(folder)
    return folder


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How good the model is on the test split: `evaluation.json`, in `evaluation` and in the model.

    Attributes:
        recipe: Digest of what the run makes models from (snapshot version, parameters, code).
        model: Model digest.
        baseline: `{uri, digest, metrics, differences}` of the model it was compared with, or None;
            differences are this model minus the other, with paired 95 % intervals.
        rows: Rows of the test split.
        metrics: `{name: {value, low, high}}`; low and high bound the 95 % interval.
        slices: `{where, rows, metrics}` each; `where` maps one column, or two, to values.
        thresholds: What was asked for, defaults filled in.
        passed: The verdict.
        reasons: As in `Verdict`.
        decision: `{threshold, chosen, costs}`: from which probability on a binary model answers yes.
        classes: `{class, rows, metrics}` of each class against the others; multiclass only.
        calibration: `{probability, share, low, high, rows}` of each group of like probabilities.
        confusion: Rows `[classes, classes]` by label and answered class; empty for regression.
        comparisons: `{constant, reference}`, each `{who, metrics, differences}`; what was not asked for is
            absent.
        weak_slices: `{tested, more, found}`; found as `slices`, with `loss`, `rest` and `p_value`.
        groups: `{column, metric, groups, lowest, highest, difference, ratio}` each.
        importance: `{column, value, low, high}`: harm to the primary metric, the most important first.
        sanity: `{column, expectation, rows, share, largest, passed}` each.
        twin: `{proven, reason, rows, directed, unasked, difference}`: whether the twin answers as the
            SavedModel (docs/twin.md); `reason` is None when it does.
    """

    recipe: str
    model: str
    baseline: dict[str, Any] | None
    rows: int
    metrics: dict[str, dict[str, float]]
    slices: list[dict[str, Any]]
    thresholds: dict[str, Any]
    passed: bool
    reasons: list[str]
    decision: dict[str, Any] | None = None
    classes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    calibration: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    confusion: list[list[int]] = field(default_factory=list[list[int]])
    comparisons: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    weak_slices: dict[str, Any] = field(default_factory=dict[str, Any])
    groups: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    importance: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sanity: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    twin: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Reject what the entry `twin` cannot be."""
        _check_twin(self.twin)


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write `evaluation.json` into a folder."""
    write_document(folder / "evaluation.json", evaluation)


def read_evaluation(folder: Path) -> Evaluation:
    """Read `evaluation.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "evaluation.json", Evaluation)


def twin_obstacle(folder: Path) -> str | None:
    """Return why a complete model is not served by its twin; None when it has a proven one.

    Raises:
        BadInputError: `evaluation.json` is missing or malformed.
    """
    found = read_evaluation(folder).twin
    return None if found.get("proven") else found.get("reason") or "no twin was derived"


def _check_twin(found: Any) -> None:
    """Raise a `TypeError` for an entry `twin` that is no object, or whose fields are of other types."""
    kinds = {"proven": bool, "reason": (str, type(None))}
    if not isinstance(found, dict) or not all(
        isinstance(found[name], kind) for name, kind in kinds.items() if name in found
    ):
        form = "an object, its `proven` a boolean, and its `reason` a string or null"
        raise TypeError(f"`twin` must be {form}, but got {found!r:.100}")


def write_model_card(folder: Path, text: str) -> None:
    """Write `model_card.md` into a complete model: Markdown for whoever is to use the model."""
    with publishing(folder / "model_card.md") as draft:
        draft.write_text(text, encoding="utf-8")


MANIFEST = "inference_service.yaml"  # in the artifact `endpoint` of the target `manifest`


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the model answers: `endpoint.json`.

    Attributes:
        name: Model name.
        target: `local`, `kserve`, `manifest` or `none`.
        url: The infer address (Open Inference Protocol v2), or None for a target that serves nothing.
        revision: Name of the deployed revision, or None likewise.
        model_digest: What `model_digest` says of the model.
        model_uri: Where the model's folder is.
        traffic: Share of requests by revision, in percent; empty for a target that serves nothing.
        golden_requests: Golden requests that were answered equally.
        engine: What computes the answers, `twin` or `tensorflow`; `auto` when its server chose.
    """

    name: str
    target: str
    url: str | None
    revision: str | None
    model_digest: str
    model_uri: str
    traffic: dict[str, int]
    golden_requests: int
    engine: str = "auto"

    @property
    def metadata(self) -> dict[str, str]:
        """What lineage is told of it, where there is something to tell."""
        told = {"target": self.target, "url": self.url, "revision": self.revision}
        given = {key: value for key, value in told.items() if value is not None}
        return {**given, "model_digest": self.model_digest}


def write_endpoint(folder: Path, endpoint: Endpoint) -> None:
    """Write `endpoint.json` into a folder."""
    write_document(folder / "endpoint.json", endpoint)


def read_endpoint(folder: Path) -> Endpoint:
    """Read `endpoint.json`; raises `BadInputError` when it is missing or malformed."""
    return read_document(folder / "endpoint.json", Endpoint)
