"""What a CSV column is taken for; the oracle is the table below, written by hand from ISO 8601 and JSON."""

import pytest

from components.common.errors import BadInputError


def column(run, write, values, **options):
    text = "k,v\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values))
    made = run({"t": write("t.csv", text)}, **options)
    rows = sorted(made.rows(), key=lambda row: row["k"])
    return made.snapshot.columns["v"], [row["v"] for row in rows]


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["1", "-2", "", "NA"], "integer", [1, -2, None, None]),
        (["9223372036854775807", "-9223372036854775808"], "integer", [2**63 - 1, -(2**63)]),
        (["+5", "-0", "3"], "integer", [5, 0, 3]),
        (["1", "2.5", "1e3", ".5", "7."], "float", [1.0, 2.5, 1000.0, 0.5, 7.0]),
        (["1.5", "nan", ""], "float", [1.5, None, None]),
        (["1.5", "123456789012345678901234567890"], "string", ["1.5", "123456789012345678901234567890"]),
        (["1.5", "1e999"], "string", ["1.5", "1e999"]),
        (["1.5", "1e308", "-inf"], "float", [1.5, 1e308, float("-inf")]),
        (["true", "FALSE", ""], "boolean", [1, 0, None]),
        (["2024-02-29", "2024-03-01", ""], "date", ["2024-02-29", "2024-03-01", None]),
        (
            ["2024-02-29T10:00:00Z", "2024-02-29 12:00:00+02:00", "2024-02-29", "2024-02-29T10:00"],
            "timestamp",
            ["2024-02-29T10:00:00", "2024-02-29T10:00:00", "2024-02-29T00:00:00", "2024-02-29T10:00:00"],
        ),
        (["00501", "10001", "NA"], "string", ["00501", "10001", None]),
        (["1,5".replace(",", ";"), "2"], "string", ["1;5", "2"]),
        (["1_000", "0x10"], "string", ["1_000", "0x10"]),
        (["a", "1", "2", ""], "string", ["a", "1", "2", None]),
        (["", "NA"], "string", [None, None]),
        (["2024-02-30", "2024-02-31"], "string", ["2024-02-30", "2024-02-31"]),
        (['"x, ""y"""', '" z "'], "string", ['x, "y"', " z "]),
    ],
)
def test_kind_is_decided_by_all_values(values, kind, read, run, write):
    assert column(run, write, values) == (kind, read)


def test_wrong_value_late_in_a_long_column_is_refused_with_file_line_and_column(run, write):
    values = [str(n) for n in range(50_000)]
    values[49_000] = "oops"
    with pytest.raises(BadInputError) as caught:
        column(run, write, values)
    message = str(caught.value)
    assert "column `v` holds integer values but for 1 of 50000" in message
    assert "t.csv:49002 — got 'oops'" in message


def test_one_number_beyond_64_bits_does_not_turn_a_column_into_text_or_floats(run, write):
    values = [str(n) for n in range(30)]
    values[20] = "9223372036854775808"
    with pytest.raises(
        BadInputError, match=r"column `v` holds integer values but for 1 of 30 — .*t\.csv:22"
    ):
        column(run, write, values)


@pytest.mark.parametrize("value", ["12345678901234567890", "1e999", "-1E+400"])
def test_number_that_no_64_bits_hold_is_refused_among_floats(value, run, write):
    values = [*(f"{n}.5" for n in range(20)), value]
    with pytest.raises(BadInputError, match=r"column `v` holds float values but for 1 of 21 — .*t\.csv:22"):
        column(run, write, values)
    if value.isdigit():  # who declares a float takes its 53 bits
        assert column(run, write, values, types={"v": "float"})[1][20] == 12345678901234567168.0


def test_stray_value_can_be_declared_missing_or_the_column_text(run, write):
    values = [*map(str, range(20)), "?"]
    assert column(run, write, values, null_values=["?"])[1] == [*range(20), None]
    assert column(run, write, values, types={"v": "string"})[1] == values


def test_declared_kind_is_held_against_every_value(run, write):
    assert column(run, write, ["007", "12"], types={"v": "integer"}) == ("integer", [7, 12])
    assert column(run, write, ["1", "2"], types={"v": "float"}) == ("float", [1.0, 2.0])
    with pytest.raises(BadInputError, match=r"holds integer values but for 2 of 3 — .*t\.csv:3 — got 'x'"):
        column(run, write, ["1", "x", "y"], types={"v": "integer"})


def test_kind_does_not_depend_on_the_order_of_files(run, write, tmp_path):
    write("a.csv", "v\n" + "1\n" * 30)
    write("b.csv", "v\n2.5\n")
    write("c.csv", "v\nNA\n")
    made = run({"t": tmp_path / "?.csv"})
    assert made.snapshot.columns == {"v": "float"}
    assert made.snapshot.rows["train"] + made.snapshot.rows["eval"] + made.snapshot.rows["test"] == 32


def test_delimiter_is_found_in_the_header_or_given(run, write):
    for name, sign in (("c", ","), ("t", "\t"), ("s", ";"), ("b", "|")):
        path = write(f"{name}.csv", f"a{sign}b\n1{sign}2\n")
        assert run({"t": path}).rows() == [{"a": 1, "b": 2}]
    assert run({"t": write("x.csv", "a:b\n1:2\n")}, delimiter=":").rows() == [{"a": 1, "b": 2}]


def test_byte_order_mark_windows_line_ends_and_blank_lines_leave_no_trace(run, write):
    path = write("t.csv", "\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n")
    assert run({"t": path}).rows() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_columns_in_another_order_are_matched_by_name(run, write, tmp_path):
    write("a.csv", "x,y\n1,p\n")
    write("b.csv", "y;x\nq;2\n")
    assert run({"t": tmp_path / "?.csv"}).rows() == [{"x": 1, "y": "p"}, {"x": 2, "y": "q"}]
