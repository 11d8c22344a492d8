"""The metrics of each task: names, titles for people, which way is better, how the interval is made."""

from __future__ import annotations

from components.common.artifacts import Task

METRICS: dict[Task, tuple[str, ...]] = {
    "binary": (
        "auc", "log_loss", "average_precision", "brier", "calibration_error", "accuracy", "precision",
        "recall", "f1", "false_positive_rate", "selection_rate", "cost",
    ),
    "multiclass": (
        "log_loss", "accuracy", "auc", "brier", "calibration_error", "precision", "recall", "f1",
    ),
    "regression": (
        "mse", "rmse", "mae", "r2", "error_p05", "error_p25", "error_p50", "error_p75", "error_p95",
    ),
}  # fmt: skip
PRIMARY: dict[Task, str] = {"binary": "auc", "multiclass": "log_loss", "regression": "mse"}
CLASS_METRICS = ("precision", "recall", "f1", "auc", "average_precision")
ERROR_QUANTILES = {
    "error_p05": 0.05,
    "error_p25": 0.25,
    "error_p50": 0.5,
    "error_p75": 0.75,
    "error_p95": 0.95,
}
LARGER_IS_BETTER = frozenset(
    {"auc", "accuracy", "average_precision", "precision", "recall", "f1", "r2"}
)  # fmt: skip
# Neither more nor less of these is better by itself: they are bounded and compared, never ranked.
WITHOUT_DIRECTION = frozenset({"selection_rate", *ERROR_QUANTILES})

# What is compared between groups: Hardt, Price and Srebro (2016) for the rates of a decision.
GROUP_METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("selection_rate", "recall", "false_positive_rate", "precision", "accuracy"),
    "multiclass": ("accuracy", "recall", "precision"),
    "regression": ("mae", "error_p50"),
}

TITLES = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "average_precision": "Average precision (PR-AUC)",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "false_positive_rate": "False positive rate",
    "selection_rate": "Answered positive",
    "cost": "Cost per row",
    "mse": "Mean squared error",
    "rmse": "Root of it (RMSE)",
    "mae": "Mean absolute error",
    "r2": "R²",
    "error_p05": "Error, 5th percentile",
    "error_p25": "Error, 25th percentile",
    "error_p50": "Error, median",
    "error_p75": "Error, 75th percentile",
    "error_p95": "Error, 95th percentile",
}

_MEAN = "normal approximation of the mean loss per row"
_WILSON = "Wilson's score interval (1927)"
_ORDER = "order statistics whose ranks bound the quantile (Conover 1999), for prediction minus label"
METHODS = {
    "auc": "DeLong, DeLong and Clarke-Pearson (1988), computed from sorted scores as in Sun and Xu (2014); "
    "of several classes the mean of one against the rest",
    "log_loss": _MEAN,
    "average_precision": "logit interval of Boyd, Eng and Page (2013)",
    "brier": f"{_MEAN}; of several classes the sum over classes (Brier 1950)",
    "calibration_error": "expected calibration error of Naeini et al. (2015) over ten groups of equal size "
    "(Nguyen and O'Connor 2015), of several classes for the class answered (Guo et al. 2017); normal "
    "approximation, its lower end less what chance alone would show",
    "accuracy": _WILSON,
    "precision": f"{_WILSON}; of several classes the unweighted mean, delta method",
    "recall": f"{_WILSON}; of several classes the unweighted mean, delta method",
    "f1": "Wilson's interval of the Jaccard index J, as F1 = 2 J / (1 + J); of several classes the "
    "unweighted mean, delta method (Takahashi et al. 2022)",
    "false_positive_rate": _WILSON,
    "selection_rate": _WILSON,
    "cost": "normal approximation of the mean cost per row",
    "mse": _MEAN,
    "rmse": "delta method on the mean squared error",
    "mae": _MEAN,
    "r2": "delta method on the ratio of the two sums of squares",
    **dict.fromkeys(ERROR_QUANTILES, _ORDER),
}


def worse_by(name: str, change: float) -> float:
    """Return how much worse a change of a metric is: positive for a loss that grew or an AUC that fell."""
    return -change if name in LARGER_IS_BETTER else change
