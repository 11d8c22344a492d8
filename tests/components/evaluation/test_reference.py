"""The reference: scikit-learn's own model on columns encoded by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from components.common.errors import BadInputError
from components.evaluation.predict import load_model
from components.evaluation.read import read_rows
from components.evaluation.reference import answer_as_reference


def draw(rows, seed):
    random = np.random.default_rng(seed)
    distance, carrier = random.normal(size=rows), random.choice(["AA", "UA", "ZZ"], rows)
    late = (random.random(rows) < 1 / (1 + np.exp(-distance - (carrier == "AA")))).astype(np.int64)
    return pa.table({"distance": distance, "carrier": carrier, "late": late})


@pytest.fixture
def world(make_world):
    world = make_world()
    (world.examples / "train").mkdir()
    pq.write_table(draw(900, 1), world.examples / "train" / "part-00000.parquet", row_group_size=100)
    pq.write_table(draw(300, 2), world.examples / "train" / "part-00001.parquet")
    return world


def test_answers_equal_scikit_learns_on_columns_encoded_by_hand(world):
    train, test = pa.concat_tables([draw(900, 1), draw(300, 2)]), draw(200, 3)
    carriers = train["carrier"].value_counts().to_pylist()
    order = {entry["values"]: -entry["counts"] for entry in carriers}
    codes = {name: code for code, name in enumerate(sorted(order, key=lambda name: (order[name], name)))}

    def encode(table):
        return np.column_stack([table["distance"], [codes[name] for name in table["carrier"].to_pylist()]])

    peer = HistGradientBoostingClassifier(categorical_features=[False, True], random_state=0)
    peer.fit(encode(train), train["late"])
    found, rows = answer_as_reference(load_model(world.model), world.examples, test, most_rows=10_000)
    assert rows == 1_200
    assert found.tolist() == pytest.approx(peer.predict_proba(encode(test))[:, 1].tolist())


def test_a_bounded_sample_is_spread_over_all_files(world):
    record = load_model(world.model).record
    rows = read_rows(world.examples, "train", record, columns=["distance"], most_rows=120)
    wanted = pa.concat_tables([draw(900, 1), draw(300, 2)])["distance"].to_numpy()[::10]
    assert rows.table["distance"].to_numpy().tolist() == wanted.tolist()


def test_values_never_seen_and_columns_that_are_gone_are_missing(world):
    model, test = load_model(world.model), draw(50, 4)
    unseen = test.set_column(1, "carrier", pa.array(["new"] * 50))
    absent = test.drop_columns(["carrier"])
    one, two = (
        answer_as_reference(model, world.examples, table, most_rows=500)[0] for table in (unseen, absent)
    )
    assert np.isfinite(one).all()
    assert one.tolist() == two.tolist()


def test_too_few_rows_are_named(world):
    with pytest.raises(BadInputError, match="too little to learn from"):
        answer_as_reference(load_model(world.model), world.examples, draw(5, 0), most_rows=10)


def test_the_whole_room_compares_with_it(world):
    found = world.run()
    assert 0.5 < found.metrics["reference_auc"] < 1.0
