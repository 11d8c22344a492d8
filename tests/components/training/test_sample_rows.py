"""What a signature shows as an example comes from the statistics, and so never from a personal column."""

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.training.sample_rows import read_values

KINDS = {"age": "integer", "income": "float", "name": "string", "born": "date", "smokes": "boolean"}


@pytest.fixture
def write(tmp_path):
    """Write statistics of a train split: values, or the bare counts that data validation leaves."""

    def written(*, personal):
        found = statistics_pb2.DatasetFeatureStatisticsList()
        train = found.datasets.add(name="train")
        for name, kind in KINDS.items():
            feature = train.features.add()
            feature.path.step.append(name)
            text = kind in ("string", "date")
            stats = feature.string_stats if text else feature.num_stats
            stats.common_stats.num_non_missing = 9
            if text:
                stats.unique = 3
            if not personal and text:
                stats.top_values.add(value="1961-08-04", frequency=3)
            elif not personal:
                stats.median = 61
        (tmp_path / "statistics.pb").write_bytes(found.SerializeToString())
        return tmp_path

    return written


def test_the_example_is_typical_of_the_train_split(write):
    values = read_values(write(personal=False), KINDS)
    assert [values[name][0] for name in KINDS] == [61, 61.0, "1961-08-04", "1961-08-04", 61]


def test_the_example_of_a_personal_column_is_made_up(write):
    values = read_values(write(personal=True), KINDS)
    assert [values[name][0] for name in KINDS] == [0, 0.0, "a", "2024-01-31", 0]
