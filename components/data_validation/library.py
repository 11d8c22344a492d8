"""The one import of TensorFlow Data Validation: late, because it takes seconds, and quiet."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import sys
import types
import warnings
from typing import Any

import numpy as np


@functools.cache
def tfdv() -> Any:
    """Return the module `tensorflow_data_validation`, without what its import would print.

    The first call takes 4 to 10 seconds. No GPU is used: statistics run on the CPU.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.modules.setdefault("farmhash", _absent_farmhash())
    out, err = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), out, err:
            warnings.simplefilter("ignore")
            import tensorflow_data_validation  # pyright: ignore[reportMissingImports]
    finally:
        logging.disable(logging.NOTSET)
    return tensorflow_data_validation


def _absent_farmhash() -> types.ModuleType:
    """Return an empty module in the place of `farmhash`.

    TFDV imports it for its skew detector and for partitioning features under Beam, neither of which is
    called here; it comes as source only, so that installing it would take a compiler. A call of it fails
    with an AttributeError, never with a wrong number.
    """
    return types.ModuleType("farmhash", "Left out on purpose: it needs a compiler to install.")


def generate_statistics(batch: Any) -> Any:
    """Return the statistics of one Arrow record batch of list columns, computed in memory, no Beam.

    Args:
        batch: `pyarrow.RecordBatch`; every column is a list of at most one value, null where missing.

    Returns:
        `DatasetFeatureStatisticsList`; its sketches (histograms, quantiles, ranks) are as coarse as may be,
        since `describe.py` puts exact counts in their place.
    """
    fewest = dict.fromkeys(
        ("num_histogram_buckets", "num_quantiles_histogram_buckets", "num_top_values",
         "num_rank_histogram_buckets"), 1,
    )  # fmt: skip
    options = tfdv().StatsOptions(num_values_histogram_buckets=2, **fewest)
    from tensorflow_data_validation.statistics import (  # pyright: ignore[reportMissingImports]
        stats_impl,
    )

    with np.errstate(invalid="ignore", over="ignore"):  # infinities are found and reported by name
        return stats_impl.generate_statistics_in_memory(batch, options)
