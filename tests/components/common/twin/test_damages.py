"""A damaged or hostile twin is refused by name, before anything large is read and whatever the damage."""

import io
import json
import zipfile

import numpy as np
import pytest

from components.common.errors import BadInputError
from components.common.twin.constants import MOST_BYTES
from components.common.twin.program import read_program, write_program
from components.common.twin.run import Twin
from tests.tiny_twin import tiny_program

LOOKUP = 8  # the step of `tiny_program` that asks the table


@pytest.fixture
def folder(tmp_path):
    write_program(tmp_path, tiny_program())
    return tmp_path


def refuse(folder, message):
    with pytest.raises(BadInputError, match=message):
        Twin(read_program(folder))


def change_step(number, **fields):
    return lambda document: document["steps"][number].update(fields)


def change(field, value):
    return lambda document: document.update({field: value})


DOCUMENTS = {
    "attributes null": (change_step(0, attributes=None), "without an operation or attributes"),
    "attribute nested": (change_step(5, attributes={"DstT": {}}), "neither a plain value nor a list"),
    "attribute of another type": (change_step(5, attributes={"DstT": 5}), "type that is not on the list"),
    "unknown type": (change_step(5, attributes={"DstT": "complex64"}), "type that is not on the list"),
    "object type": (change_step(5, attributes={"DstT": "O"}), "type that is not on the list"),
    "outputs null": (change_step(0, outputs=None), "list of strings"),
    "no outputs": (change_step(0, outputs=[]), "another number of outputs"),
    "outputs too many": (change_step(0, outputs=["unknown", "more"]), "another number of outputs"),
    "inputs text": (change_step(0, inputs="age"), "list of strings"),
    "inputs of numbers": (change_step(0, inputs=[1]), "list of strings"),
    "operation list": (change_step(0, operation=[]), "without an operation or attributes"),
    "field unknown": (change_step(0, code="x"), "malformed twin"),
    "arity less": (change_step(2, inputs=["years"]), "another number of inputs"),
    "arity more": (change_step(0, inputs=["age", "age"]), "another number of inputs"),
    "arity none": (change_step(0, inputs=[]), "another number of inputs"),
    "a table added up": (change_step(2, inputs=["years", "carriers"]), "a table where none may be"),
    "no table asked": (change_step(LOOKUP, inputs=["tenth", "carrier", "zero"]), "table where none may be"),
    "table answered": (
        change("outputs", [{"name": "y", "value": "carriers"}]),
        "answer that is not defined",
    ),
    "no inputs": (change("inputs", []), "no inputs, or no outputs"),
    "no answers": (change("outputs", []), "no inputs, or no outputs"),
    "inputs null": (change("inputs", None), "malformed twin"),
    "input of a number": (change("inputs", [{"name": 1, "datatype": "FP32", "value": "age"}]), "no string"),
    "steps of texts": (change("steps", ["IsNan"]), "malformed twin"),
    "steps an object": (change("steps", {"a": 1}), "malformed twin"),
    "constants null": (change("constants", None), "list of strings"),
    "constants of lists": (change("constants", [["zero"]]), "list of strings"),
    "tables an object": (change("tables", {}), "list of strings"),
    "a constant twice": (change("tables", ["carriers", "zero"]), "malformed twin"),
    "version list": (change("format_version", [1]), "another format"),
}


@pytest.mark.parametrize("damage", DOCUMENTS)
def test_damaged_document_is_refused_by_name(folder, damage):
    edit, message = DOCUMENTS[damage]
    file = folder / "program.json"
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))
    refuse(folder, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"a":' * 100_000, "not readable as JSON"), ("[" * 100_000, "not readable as JSON"),
     ("[]", "must be a JSON object"), ("\0", "not readable as JSON")],
)  # fmt: skip
def test_text_that_is_no_document_is_refused_by_name(folder, text, message):
    (folder / "program.json").write_text(text)
    refuse(folder, message)


def npy(values):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(values), allow_pickle=False)
    return stream.getvalue()


def header(shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (shape,)}
    )
    return stream.getvalue()


def replace_members(folder, members, **settings):
    """Write the archive anew, with some members replaced or added."""
    file = folder / "constants.npz"
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()} | members
    with zipfile.ZipFile(file, "w", **settings) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


MEMBERS = {
    "no array": ({"readme": b"text"}, "`readme` is no array"),
    "array without a head": ({"zero.npy": b"text"}, "`zero` is no array"),
    "head of 80 TB": ({"zero.npy": header(10**13)}, "not readable as the constants"),
    "head of 8 GB, without data": ({"zero.npy": header(10**9)}, "not readable as the constants"),
    "complex": ({"zero.npy": npy(np.complex64(1))}, "is of type complex64"),
    "half": ({"zero.npy": npy(np.float16(1))}, "is of type float16"),
    "dates": ({"zero.npy": npy(np.datetime64("2020-01-01"))}, "is of type datetime64"),
    "other order of bytes": ({"zero.npy": npy(np.zeros((), ">f4"))}, "is of type >f4"),
    "records": ({"zero.npy": npy(np.zeros((), "f4,f4"))}, "is of type"),
    "ends of floats": ({"carriers.keys.ends.npy": npy(np.array([2.0, 4.0]))}, "is of no text"),
    "ends that shrink": ({"carriers.keys.ends.npy": npy(np.array([4, 2]))}, "ends outside its text"),
    "keys fewer": ({"carriers.values.npy": npy(np.float32([1, 2, 3]))}, "one value for each"),
    "keys twice": ({"carriers.keys.text.npy": npy(np.frombuffer(b"AAAA", np.uint8))}, "distinct keys"),
    "keys of floats": ({"carriers.keys.npy": npy([1.0, 2.0])}, "keys of type float64"),
}  # fmt: skip


@pytest.mark.parametrize("damage", MEMBERS)
def test_damaged_array_is_refused_by_name(folder, damage):
    members, message = MEMBERS[damage]
    replace_members(folder, members)
    refuse(folder, message)


def test_archive_that_would_fill_the_memory_is_refused_before_it_is_read(folder, monkeypatch):
    """A thousandth of what it unpacks to; the size that it states is what is held against the limit."""
    assert MOST_BYTES == 2**30
    monkeypatch.setattr("components.common.twin.constants.MOST_BYTES", 2**20)
    replace_members(folder, {"bomb.npy": npy(np.zeros(2**20))}, compression=zipfile.ZIP_DEFLATED)
    assert (folder / "constants.npz").stat().st_size < 2**15
    monkeypatch.setattr(np, "load", None)
    refuse(folder, "and at most 1,048,576 are read")


@pytest.mark.parametrize("place", range(30, 4000, 211))
def test_damaged_archive_is_refused_or_means_the_same(folder, place):
    replace_members(folder, {}, compression=zipfile.ZIP_DEFLATED)
    file = folder / "constants.npz"
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 0xFF
    file.write_bytes(content)
    try:
        found = read_program(folder)
    except BadInputError as error:
        assert "twin" in str(error)  # noqa: PT017 - either is right
    else:
        wanted = tiny_program().constants
        assert {name: one.tobytes() for name, one in found.constants.items()} == {
            name: np.asarray(one).tobytes() for name, one in wanted.items()
        }
