"""Edges are found to the last bit, and every entry of every table is asked."""

import numpy as np

from components.common.artifacts import MISSING_INTEGER, Signature
from components.common.encoding import edge_mask
from components.common.twin.program import Input, Output, Program, Step, Table
from components.evaluation.direct_rows import direct_rows
from components.evaluation.find_edges import find_edges


def step(operation, inputs, output, **attributes):
    return Step(operation=operation, inputs=inputs, outputs=[output], attributes=attributes)


def program(steps, constants, tables=None, inputs=(("x", "FP32"),)):
    return Program(
        inputs=[Input(name=name, datatype=kind, value=name) for name, kind in inputs],
        outputs=[Output(name="y", value=steps[-1].outputs[0])],
        steps=steps, constants=constants, tables=tables or {},
    )  # fmt: skip


def edges_of(steps, constants, grid, kind="FP32"):
    values = np.array(grid, np.float32 if kind == "FP32" else np.int64)
    made = program(steps, constants, inputs=[("x", kind)])
    return find_edges(made, {"x": values[:1]}, {"x": values})["x"].tolist()


def test_both_sides_of_a_comparison_are_neighbours_among_floats():
    edge = np.float32(0.1)
    found = edges_of([step("Less", ["x", "c"], "y")], {"c": edge.reshape(())}, [-5.0, 7.0])
    assert found == [np.nextafter(edge, np.float32(-1)), edge]


def test_an_edge_behind_arithmetic_is_found():
    steps = [
        step("Cast", ["x"], "wide", DstT="float64"),
        step("Sub", ["wide", "mean"], "centred"),
        step("Minimum", ["centred", "top"], "y"),
    ]
    low, high = edges_of(steps, {"mean": np.array(10.0), "top": np.array(2.5)}, [-1e20, 0.0, 1e20])
    assert (low, high) == (np.nextafter(np.float32(12.5), np.float32(0)), 12.5)


def test_each_bound_of_a_clip_and_of_buckets_is_an_edge():
    clip = edges_of(
        [step("ClipByValue", ["x", "a", "b"], "y")],
        {"a": np.float32(-2).reshape(()), "b": np.float32(3).reshape(())},
        [-9.0, 0.0, 9.0],
    )
    assert {-2.0, 3.0} <= set(clip)
    buckets = edges_of([step("Bucketize", ["x"], "y", boundaries=[1.0, 2.0])], {}, [-9.0, 1.5, 9.0])
    assert {1.0, 2.0} <= set(buckets)


def test_each_operation_that_cuts_is_an_edge_whatever_else_is_decided():
    """The edges of each are its definition's; the last operation decides at 3, perhaps in the same gap."""
    below = np.nextafter(np.float32(1), np.float32(0))
    half = {0.5, np.nextafter(np.float32(0.5), np.float32(1))}
    cuts = {
        "Floor": {below, 1.0}, "Ceil": {1.0, np.nextafter(np.float32(1), np.float32(2))},
        "Round": half, "Rint": half,
    }  # fmt: skip
    other = step("Less", ["x", "three"], "y")
    constants = {"three": np.float32(3).reshape(()), "one": np.float32(1).reshape(())}
    for operation, edges in cuts.items():
        found = edges_of([step(operation, ["x"], "cut"), other], constants, [0.25, 1.3])
        assert edges == set(found), operation
    for kind in ("int32", "int64", "uint8"):
        found = edges_of([step("Cast", ["x"], "cut", DstT=kind), other], constants, [0.25, 1.3])
        assert {below, 1.0} == set(found)
    for operation in ("FloorDiv", "FloorMod"):
        found = edges_of([step(operation, ["x", "one"], "cut"), other], constants, [0.25, 1.3])
        assert {below, 1.0} == set(found)
        both = edges_of([step(operation, ["x", "one"], "cut"), other], constants, [0.25, 9.0])
        assert {3.0, np.nextafter(np.float32(3), np.float32(0))} <= set(both)
    least = np.finfo(np.float32).tiny  # below it all counts for 0
    assert {least, -least} <= set(edges_of([step("Sign", ["x"], "cut")], {}, [-1.0, 0.0, 1.0]))


def test_the_place_of_the_largest_and_a_written_number_are_edges():
    largest = [step("Pack", ["x", "x_squared"], "pair", axis=1),
               step("ArgMax", ["pair", "axis"], "y", output_type="int64")]  # fmt: skip
    found = edges_of([step("Square", ["x"], "x_squared"), *largest], {"axis": np.array(1)}, [0.25, 7.0])
    assert found == [1.0, np.nextafter(np.float32(1), np.float32(2))]
    plain = {"precision": 0, "scientific": False, "shortest": False, "width": -1, "fill": ""}
    found = edges_of([step("AsString", ["x"], "y", **plain)], {}, [0.25, 1.0])
    assert found == [0.5, np.nextafter(np.float32(0.5), np.float32(1))]


def test_a_value_without_an_answer_is_an_edge_and_ends_nothing():
    steps = [step("FloorDiv", ["hundred", "x"], "part"), step("Less", ["part", "ten"], "y")]
    constants = {"hundred": np.array(100), "ten": np.array(10)}
    made = program(steps, constants, inputs=[("x", "INT64")])
    found = find_edges(made, {"x": np.array([7])}, {"x": np.array([-5, 0, 1000])})["x"].tolist()
    assert {-1, 0, 1} <= set(found)


def test_edges_of_whole_numbers_do_not_overflow():
    found = edges_of(
        [step("GreaterEqual", ["x", "c"], "y")], {"c": np.array(7)}, [-(2**63), 2**63 - 1], "INT64"
    )
    assert found == [6, 7]


def test_a_program_that_decides_nothing_has_no_edges():
    assert edges_of([step("Neg", ["x"], "y")], {}, [-1.0, 1.0]) == []


def keys(*values):
    found = np.empty(len(values), object)
    found[:] = values
    return found


def test_every_entry_missing_unseen_and_neighbours_are_asked():
    made = program(
        [
            step("LookupTableFindV2", ["t", "c", "d"], "a"),
            step("LookupTableFindV2", ["u", "n", "d"], "b"),
            step("AddV2", ["a", "b"], "y"),
        ],
        {"d": np.array(-1)},
        {
            "t": Table(keys=keys(b"red", b"blue"), values=np.array([2, 3])),
            "u": Table(keys=np.array([40, 77]), values=np.array([2, 3])),
        },
        inputs=[("c", "BYTES"), ("n", "INT64"), ("x", "FP32")],
    )
    kinds = {"c": "string", "n": "integer", "x": "float"}
    signature = Signature(inputs=[{"name": name, "kind": kind} for name, kind in kinds.items()], outputs=[])
    base = {"c": keys(b"red"), "n": np.array([40]), "x": np.array([0.5], np.float32)}
    forgotten = [
        [b"red", b"green"],
        [b"40", b"78", b"-5", b"--5", b"9" * 5000, "٣".encode()],
        [b"of another model"],
    ]
    rows = direct_rows(made, signature, base, forgotten)
    assert {b"red", b"blue", b"RED", b"red ", b"\x00", b"", b"__unseen__"} <= set(rows["c"].tolist())
    assert {39, 40, 41, 76, 77, 78, MISSING_INTEGER, 2**63 - 1} <= set(rows["n"].tolist())
    assert b"green" in rows["c"].tolist()
    assert -5 in rows["n"].tolist()
    assert b"of another model" not in rows["c"].tolist()
    together = zip(rows["c"].tolist(), rows["n"].tolist(), rows["x"].tolist(), strict=True)
    assert any(c == b"\x00" and n == MISSING_INTEGER and x != x for c, n, x in together)
    numbers = rows["x"]
    assert np.isnan(numbers).any()
    assert not edge_mask(numbers).any()
    assert len({len(column) for column in rows.values()}) == 1


def test_each_decade_near_0_is_asked():
    """There differences of what is nearly equal lose their digits."""
    made = program([step("Neg", ["x"], "y")], {})
    signature = Signature(inputs=[{"name": "x", "kind": "float"}], outputs=[])
    asked = direct_rows(made, signature, {"x": np.float32([0.5])})["x"].tolist()
    for decade in range(-7, 0):
        for sign in (1.0, -1.0):
            assert any(0.9 < sign * x / 10.0**decade < 1.1 for x in asked if x == x), (decade, sign)


def test_dates_of_all_lengths_of_month_are_asked():
    made = program([step("Equal", ["d", "c"], "y")], {"c": keys(b"x").reshape(1)}, inputs=[("d", "BYTES")])
    for kind, wanted in (("date", b"2024-02-29"), ("timestamp", b"2024-02-29T00:00:00")):
        signature = Signature(inputs=[{"name": "d", "kind": kind}], outputs=[])
        assert wanted in direct_rows(made, signature, {"d": keys(b"2020-01-01")})["d"].tolist()
