import hashlib
from fractions import Fraction

import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.ingestion.split import SplitRule


def expected_split(text: str, shares=(0.8, 0.1)) -> str:
    """The rule in other words: the last 8 bytes of Python's own md5, over 2^64, against the shares."""
    share = Fraction(
        int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "little"), 2**64
    )
    return "train" if share < shares[0] else "eval" if share < sum(shares) else "test"


def test_hash_split_follows_the_md5_of_the_row(run, write, many):
    made = run({"t": write("t.csv", many)})
    for split in ("train", "eval", "test"):
        for row in made.table(split).to_pylist():
            assert expected_split(f"{row['id']},{row['size']!r},3:{row['word']},") == split
    assert sum(made.snapshot.rows.values()) == 400


def test_hash_split_by_key_keeps_equal_keys_together(run, write):
    text = "who,n\n" + "".join(f"p{n % 40},{n}\n" for n in range(400))
    made = run(
        {"t": write("t.csv", text)},
        split={"key": ["who"], "fractions": {"train": 0.5, "eval": 0.25, "test": 0.25}},
    )
    for split in ("train", "eval", "test"):
        people = made.table(split)["who"].to_pylist()
        assert {expected_split(f"{len(who)}:{who},", (0.5, 0.25)) for who in people} == {split}


def test_fractions_are_kept_within_chance(run, write):
    text = "n\n" + "".join(f"{n}\n" for n in range(20_000))
    rows = run({"t": write("t.csv", text)}).snapshot.rows
    for split, share in (("train", 0.8), ("eval", 0.1), ("test", 0.1)):
        spread = (20_000 * share * (1 - share)) ** 0.5  # of a binomial count
        assert abs(rows[split] - 20_000 * share) < 4 * spread


def test_rows_with_missing_values_have_texts_of_their_own(run, write):
    made = run({"t": write("t.csv", 'a,b\n,x\nx,\n"",y\n')}, null_values=["NA"])
    assert sum(made.snapshot.rows.values()) == 3
    assert {(row["a"], row["b"]) for row in made.rows()} == {("", "x"), ("x", ""), ("", "y")}


@pytest.mark.parametrize(
    ("kind", "values", "bounds"),
    [
        ("integer", [1, 2, 3, 4], (3.0, 4.0)),  # as KFP carries them
        ("float", [0.5, 1.5, 2.5, 3.5], (2.5, 3)),
        ("date", ["2024-01-31", "2024-02-01", "2024-03-01", "2024-04-01"], ("2024-03-01", "2024-04-01")),
        (
            "timestamp",
            ["2024-01-31T00:00:00", "2024-02-01T00:00:00", "2024-02-01T12:00:00", "2024-02-01T12:00:01"],
            ("2024-02-01T12:00:00", "2024-02-01T12:00:01"),
        ),
        ("string", ["a", "b", "c", "d"], ("c", "d")),
    ],
)
def test_time_split_compares_values_of_the_column_s_type(kind, values, bounds, run, write):
    path = write("t.csv", "v,w\n" + "".join(f"{value},1\n" for value in values))
    rule = {"by": "time", "column": "v", "eval_from": bounds[0], "test_from": bounds[1]}
    made = run({"t": path}, split=rule, allow_empty=False)
    assert made.snapshot.columns["v"] == kind
    assert sorted(made.table("train")["v"].to_pylist()) == values[:2]
    assert made.table("eval")["v"].to_pylist() == values[2:3]
    assert made.table("test")["v"].to_pylist() == values[3:]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"by": "random"}, "`by` must be `hash` or `time`"),
        ({"fraction": {}}, "unknown key `fraction` — parameter `split` — did you mean `fractions`?"),
        ({"fractions": {"train": 0.9, "eval": 0.1}}, "needs a share in (0, 1)"),
        ({"fractions": {"train": 0.8, "eval": 0.1, "test": 0.2}}, "`fractions` must sum to 1"),
        ({"fractions": {"train": 1.0, "eval": 0.0, "test": 0.0}}, "needs a share in (0, 1)"),
        ({"fractions": {"training": 0.8, "eval": 0.1, "test": 0.1}}, "did you mean `train`?"),
        ({"fractions": [0.8, 0.1, 0.1]}, "`fractions` must map splits to shares"),
        ({"key": "who"}, "`key` must be a list of column names"),
        ({"key": []}, "`key` must be a list of column names"),
        ({"eval_from": 3}, "`eval_from` has no meaning with by='hash'"),
        ({"by": "time", "column": "v", "eval_from": 3}, "`test_from` is needed with `by: time`"),
        (
            {"by": "time", "column": "v", "eval_from": 3, "test_from": 4, "key": ["a"]},
            "`key` has no meaning",
        ),
    ],
)
def test_impossible_rule_is_refused_with_its_value(rule, message):
    with pytest.raises(BadInputError) as caught:
        build_config(SplitRule, rule, where="split")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"key": ["idd"]}, "unknown key `idd` — split.key — did you mean `id`?"),
        ({"by": "time", "column": "sise", "eval_from": 3, "test_from": 4}, "did you mean `size`?"),
        (
            {"by": "time", "column": "id", "eval_from": 300, "test_from": 200},
            "`eval_from < test_from` must hold",
        ),
        ({"by": "time", "column": "id", "eval_from": "x", "test_from": "y"}, "write values of type BIGINT"),
        ({"by": "time", "column": "id", "eval_from": 10.5, "test_from": 20}, "must be a whole number"),
        ({"by": "time", "column": "id", "eval_from": 300, "test_from": 400}, "split `test` is empty"),
    ],
)
def test_rule_that_does_not_fit_the_rows_is_refused(rule, message, run, write, many):
    with pytest.raises(BadInputError) as caught:
        run({"t": write("t.csv", many)}, split=rule, allow_empty=False)
    assert message in str(caught.value)


def test_row_without_a_time_is_refused_not_guessed(run, write):
    rule = {"by": "time", "column": "v", "eval_from": 2, "test_from": 3}
    with pytest.raises(BadInputError, match="1 rows have no value to split by — column `v`"):
        run({"t": write("t.csv", "v,w\n1,1\n2,1\n3,1\n,1\n")}, split=rule)


def test_empty_split_is_named_and_says_what_to_do(run, write):
    with pytest.raises(
        BadInputError, match=r"split `eval` is empty .* — give more rows that differ, or other fractions"
    ):
        run(
            {"t": write("t.csv", "a\n1\n")},
            split={"fractions": {"train": 0.98, "eval": 0.01, "test": 0.01}},
            allow_empty=False,
        )
