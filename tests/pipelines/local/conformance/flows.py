"""Cases of parameters, conditions, branches and nested pipelines."""

# ruff: noqa: B006, UP045, E712 - pipelines are in the types and comparisons that KFP takes

from typing import NamedTuple, Optional

from kfp import dsl

from tests.pipelines.local.conformance.cases import (
    ARGO,
    CEL,
    DAG,
    LAUNCHER,
    RESOLVE,
    SDK,
    add,
    case,
    fail,
    flip,
    half,
    join,
    kinds,
    look,
    make,
    read,
    say,
    several,
    show,
)  # fmt: skip

QUOTED = 'it\'s "q"\n\\'
DISGUISED = "{{$.inputs.parameters['text']}}\"'"
TYPES = f"{LAUNCHER}: the executor gets protobuf's JSON, where 2.0 is 2"


@case(TYPES, returned={"Output": "int 1.5 bool s [1, 'a'] {'k': [2]}"})
def values_of_all_types(
    i: int = 3, f: float = 1.5, b: bool = True, s: str = "s", many: list = [1, "a"], by: dict = {"k": [2.0]}
) -> str:
    return kinds(i=i, f=f, b=b, s=s, many=many, by=by).output


@case(f"{RESOLVE}: constants", returned={"Output": 5}, stock=True)
def constants_and_outputs() -> int:
    return add(a=add(a=1, b=2).output, b=2).output


@case(f"{RESOLVE}: parent input", parameters={"n": 4}, returned={"Output": 4}, stock=True)
def given_parameter_beats_default(n: int = 1) -> int:
    return add(a=n).output


@case(f"{RESOLVE}: null is skipped if optional", returned={"Output": "None None"})
def unset_optional_is_none(value: Optional[str] = None, number: Optional[int] = None) -> str:
    return show(value=value, number=number).output


@case(f"{SDK}/dsl: several outputs", returned={"low": 1, "text": "x0+x1", "n": 2})
def named_outputs() -> NamedTuple("O", [("low", int), ("text", str), ("n", int)]):
    found = several(n=2)
    text = join(parts=found.outputs["names"])
    n = look(by=found.outputs["by"], key="n")
    return NamedTuple("O", [("low", int), ("text", str), ("n", int)])(
        low=found.outputs["low"], text=text.output, n=n.output
    )


@case(f"{CEL}: int(double) == int", returned={}, skipped=frozenset({"say"}), stock=True)
def if_on_a_number_is_false():
    with dsl.If(add(a=1).output == 2):
        say(text="x")


@case(f"{CEL}: a named output", returned={}, skipped=frozenset({"fail"}))
def if_on_a_named_output():
    found = several(n=2)
    with dsl.If(found.outputs["low"] == 1):
        say(text="x")
    with dsl.If(found.outputs["low"] != 1):
        fail()


@case(f"{CEL}: text is data", parameters={"text": "x' or '1'=='1"}, skipped=frozenset({"fail"}))
def text_cannot_change_a_condition(text: str):
    with dsl.If(text == "x"):
        fail()


@case(
    f"{CEL}: equal texts",
    parameters={"text": 'it\'s "q"\n\\', "same": 'it\'s "q"\n\\'},
    skipped=frozenset({"fail"}),
)
def quotes_and_new_lines_compare(text: str, same: str):
    with dsl.If(text == same):
        say(text=text)
    with dsl.Else():
        fail()


@case(f"{CEL}: doubles and bools", skipped=frozenset({"fail", "fail-2"}), parameters={"b": False})
def comparisons_of_doubles_and_bools(x: float = 1.5, b: bool = True):
    with dsl.If(x > 1.25):
        say(text="more")
    with dsl.If(x <= 1.0):
        fail()
    with dsl.If(b == True):
        fail()


@case(f"{ARGO}: `when` of a DAG; nested", skipped=frozenset({"say-2"}), stock=True)
def if_in_if(n: int = 2):
    with dsl.If(n > 1):
        say(text="outer")
        with dsl.If(n > 2):
            say(text="inner")


def _branch(n: int) -> str:
    with dsl.If(n == 1):
        one = say(text="one")
    with dsl.Elif(n == 2):
        two = say(text="two")
    with dsl.Else():
        other = say(text="other")
    return say(text=dsl.OneOf(one.output, two.output, other.output)).output


for _n, _text, _skipped in ((1, "one", (2, 3)), (2, "two", (1, 3)), (3, "other", (1, 2))):
    _branch.__name__ = f"one_of_{_text}"
    _names = frozenset("say" if i == 1 else f"say-{i}" for i in _skipped)
    case(
        f"{RESOLVE}: valueFromOneof takes the branch that ran",
        parameters={"n": _n}, returned={"Output": _text}, skipped=_names, stock=_n == 3,
    )(_branch)  # fmt: skip


def _artifact_branch(n: int) -> str:
    with dsl.If(n == 1):
        one = make(text="one")
    with dsl.Else():
        other = make(text="other")
    return read(data=dsl.OneOf(one.outputs["data"], other.outputs["data"])).output


for _n, _text, _skipped in ((1, "one", "make-2"), (2, "other", "make")):
    _artifact_branch.__name__ = f"one_artifact_of_{_text}"
    case(
        f"{RESOLVE}: GetProducerTask of artifacts",
        parameters={"n": _n}, returned={"Output": _text}, skipped=frozenset({_skipped}),
    )(_artifact_branch)  # fmt: skip


@dsl.pipeline(name="inner")
def inner(n: int, plus: int = 10) -> NamedTuple("O", [("sum", int), ("data", dsl.Dataset)]):
    made = make(text="inner")
    return NamedTuple("O", [("sum", int), ("data", dsl.Dataset)])(
        sum=add(a=n, b=plus).output, data=made.outputs["data"]
    )


@case(f"{DAG}: a DAG driver passes defaults", returned={"sum": 11, "text": "inner"}, stock=True)
def nested_pipeline() -> NamedTuple("O", [("sum", int), ("text", str)]):
    found = inner(n=1)
    text = read(data=found.outputs["data"])
    return NamedTuple("O", [("sum", int), ("text", str)])(sum=found.outputs["sum"], text=text.output)


@case(f"{DAG}: the same pipeline twice", returned={"Output": 24}, stock=True)
def nested_pipeline_twice() -> int:
    first = inner(n=1)
    return inner(n=first.outputs["sum"], plus=13).outputs["sum"]


@case(f"{DAG}: nested pipeline in a branch", skipped=frozenset({"fail"}))
def nested_pipeline_in_a_branch(b: bool = True):
    with dsl.If(flip(yes=b).output == False):
        inner(n=1)
    with dsl.Else():
        fail()


@case(f"{RESOLVE}: artifacts returned", returned={"Output": "some"}, stock=True)
def artifact_between_tasks() -> str:
    return read(data=make().outputs["data"]).output


@case(f"{LAUNCHER}: placeholders of inputs", parameters={"who": "you"}, returned={"Output": "hi you 2 3"})
def f_string_over_parameters_and_outputs(who: str, n: int = 2) -> str:
    return say(text=f"hi {who} {n} {add(a=n, b=1).output}").output


@case(
    f"{LAUNCHER}: one pass here",
    parameters={"who": "{{$.inputs.parameters['text']}}\"'"},
    returned={"Output": "hi {{$.inputs.parameters['text']}}\"'"},
)
def f_string_over_text_that_looks_like_a_placeholder(who: str) -> str:
    return say(text=f"hi {who}").output


@case(f"{LAUNCHER}: doubles", returned={"Output": 0.75}, stock=True)
def double_stays_double(x: float = 1.5) -> float:
    return half(x=x).output
