"""Operations on strings against TensorFlow's own kernels: empty, not ASCII, not UTF-8, and long ones."""

import pytest

pytest.importorskip("hypothesis")  # only the environment of development has it

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.common.errors import BadInputError
from components.common.twin.fingerprint import fingerprint64
from components.common.twin.operations import make_operation
from tests.components.common.twin.hold import hold
from tests.components.common.twin.strategies import STRINGS, several, values

many = settings(deadline=None, max_examples=30)


def texts(*strings):
    array = np.empty(len(strings), np.object_)
    array[:] = strings
    return array


@pytest.mark.parametrize(
    ("operation", "attributes"),
    [
        ("StringStrip", {}), ("StringLower", {"encoding": ""}), ("StringUpper", {"encoding": ""}),
        ("StringLength", {"unit": "BYTE"}), ("StringLength", {"unit": "UTF8_CHAR"}),
        ("StringToHashBucketFast", {"num_buckets": 1}), ("StringToHashBucketFast", {"num_buckets": 1000}),
        ("StringToHashBucketFast", {"num_buckets": 2**62 + 1}),
    ],
)  # fmt: skip
@given(data=st.data())
@many
def test_operation_on_strings_is_tensorflows(operation, attributes, data):
    hold(operation, attributes, [data.draw(values("string"))])


def test_every_letter_of_bytes_is_changed_as_by_tensorflow():
    letters = texts(*(bytes([byte]) for byte in range(256)))
    for operation in ("StringLower", "StringUpper"):
        hold(operation, {"encoding": ""}, [letters])
    hold("StringStrip", {}, [letters])


@pytest.mark.parametrize("count", [1, 40])
def test_fingerprints_of_every_length_are_tensorflows(count):
    """Few strings of a length are hashed by Python's integers, many by NumPy's."""
    random = np.random.default_rng(0)
    strings = [random.bytes(size) for size in range(200) for _ in range(count)]
    wanted = tf.raw_ops.Fingerprint(data=tf.constant(strings)[:, None], method="farmhash64")
    assert fingerprint64(strings).tolist() == wanted.numpy().view("<u8")[:, 0].tolist()


def test_letters_of_an_encoding_are_refused_by_name():
    for operation in ("StringLower", "StringUpper"):
        with pytest.raises(BadInputError, match=operation):
            make_operation(operation, {"encoding": "utf-8"})
    with pytest.raises(BadInputError, match="Substr"):
        make_operation("Substr", {"unit": "UTF8_CHAR"})


@pytest.mark.parametrize("form", [{"width": 10**9}, {"precision": 10**9}, {"fill": "%s"}, {"fill": "00"}])
def test_numbers_that_would_fill_the_memory_as_strings_are_refused_by_name(form):
    with pytest.raises(BadInputError, match="AsString"):
        make_operation("AsString", PLAIN | form)


@given(parts=several("string", "string", "string"), separator=st.sampled_from(["", "_", "ä"]))
@many
def test_joined_strings_are_tensorflows(parts, separator):
    hold("StringJoin", {"separator": separator}, parts)


@given(data=st.data())
@many
def test_parts_of_strings_are_tensorflows_and_refused_alike(data):
    strings = data.draw(values("string", (data.draw(st.integers(0, 3)),)))
    start, count = data.draw(st.integers(-9, 9)), data.draw(st.integers(-2, 9))
    hold("Substr", {"unit": "BYTE"}, [strings, np.array(start), np.array(count)])


@given(
    strings=values("string", (7,)), length=st.integers(1, 24), kind=st.sampled_from(["uint8", "int32"]),
    little=st.booleans(),
)  # fmt: skip
@many
def test_decoded_bytes_are_tensorflows(strings, length, kind, little):
    size = length * 4 if kind == "int32" else length
    hold(
        "DecodePaddedRaw", {"out_type": kind, "little_endian": little}, [strings, np.array(size, np.int32)]
    )


FILLS, WIDTHS = ("", "0", " ", "-", "+", "#"), (-1, 0, 2, 9)
ODD = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.25, 1e30, 3e38]


@pytest.mark.parametrize("form", [{}, {"scientific": True}, {"shortest": True}, {"precision": 2}])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_fill_and_width_of_numbers_is_tensorflows(fill, width, form):
    told = {**PLAIN, **form, "fill": fill, "width": width}
    numbers = np.array(ODD, np.float32)
    numbers[1] = np.copysign(np.float32(np.nan), np.float32(-1))
    hold("AsString", told, [numbers])
    hold("AsString", told, [numbers.astype(np.float64)])


@pytest.mark.parametrize("kind", ["int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_fill_and_width_of_whole_numbers_is_tensorflows(fill, width, kind):
    hold("AsString", {**PLAIN, "fill": fill, "width": width}, [np.array([0, 1, 100], kind)])


PLAIN = {"precision": -1, "scientific": False, "shortest": False, "width": -1, "fill": ""}


@pytest.mark.parametrize("kind", ["int32", "int64", "bool", "float32", "float64"])
@given(data=st.data())
@many
def test_numbers_as_strings_are_tensorflows(kind, data):
    hold("AsString", PLAIN, [data.draw(values(kind))])
    if kind.startswith("int"):
        filled = {**PLAIN, "width": 9, "fill": data.draw(st.sampled_from(["", "0", " ", "-"]))}
        hold("AsString", filled, [data.draw(values(kind))])
    if kind.startswith("float"):
        form = data.draw(st.sampled_from(["scientific", "shortest"]))
        hold("AsString", {**PLAIN, form: True, "precision": 3}, [data.draw(values(kind, denormal=True))])
        hold("AsString", {**PLAIN, "precision": 2}, [data.draw(values(kind))])


NUMBERS = [
    b"1", b"-1", b"+1", b" 7 ", b"1.5", b".5", b"5.", b"1e3", b"1E-3", b"-0", b"1_0", b"", b" ", b"x",
    b"1 2", b"nan", b"NaN", b"inf", b"-Infinity", b"99999999999",
    b"9223372036854775808", b"-9223372036854775808",
    b"2147483648", b"1e400", b"1e-400", "٣".encode(), b"1.", b".", b"e5", b"--1", b"1\0", b"\t1\n",
    b"0x1A", b"-0X.8p1", b"+0x1.", b" 0x1p-3\n", b"0x", b"0x1p", b"0xg", b"0x1p1024",
    b"-0x1p9999999999999999999",
    b"0x0p9999999999999999999", b"0x1.fffffffp127", b"0x1p-1100", b"nan(1)", b"-NaN(a_B)", b"nan()",
    b"nan(", b"nan(1 )", b"nan(-1)", b"inf(1)", b"infinit", b"1e", b"1f", b"0b1", b"3.5e38", b"-1e39",
    b"1e99999999999999999999", b"0x" + b"f" * 300, b"1" * 500, b"-" + b"0" * 5000 + b"1", b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("number", NUMBERS)
def test_each_form_of_a_number_is_read_or_refused_as_by_tensorflow(number, kind):
    hold("StringToNumber", {"out_type": kind}, [texts(number)])


@given(
    st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats()).map(str).map(str.encode), max_size=5)
)
@many
def test_numbers_are_read_as_by_tensorflow(strings):
    hold("StringToNumber", {"out_type": "float32"}, [texts(*strings)])


@given(st.lists(STRINGS, max_size=3))
@many
def test_strings_that_are_no_numbers_are_refused_as_by_tensorflow(strings):
    hold("StringToNumber", {"out_type": "float64"}, [texts(*strings)])
