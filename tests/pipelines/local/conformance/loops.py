"""Cases of loops and of what is collected from them."""

# ruff: noqa: B006, UP006, UP035 - pipelines are in the types that KFP takes

from typing import Dict, List

from kfp import dsl

from tests.pipelines.local.conformance.cases import (
    ARGO,
    DAG,
    RESOLVE,
    SDK,
    add,
    case,
    count_up,
    fail,
    join,
    make,
    read,
    read_all,
    records,
    say,
    several,
    total,
)  # fmt: skip

COLLECT = f"{RESOLVE}: CollectInputs"


@case(f"{DAG}: raw items; {COLLECT}", returned={"Output": 12})
def loop_over_a_written_list() -> int:
    with dsl.ParallelFor([1, 2, 3]) as item:
        more = add(a=item, b=1)
        again = add(a=more.output)
    return add(a=total(numbers=dsl.Collected(again.output)).output, b=3).output


@case(f"{DAG}: items from an input", parameters={"items": [5, 6]}, returned={"Output": [5, 6]}, stock=True)
def loop_over_a_parameter(items: List[int]) -> List[int]:
    with dsl.ParallelFor(items) as item:
        one = add(a=item)
    return dsl.Collected(one.output)


@case(f"{DAG}: items from an output", returned={"Output": 3})
def loop_over_an_output() -> int:
    with dsl.ParallelFor(count_up(to=3).output) as item:
        one = add(a=item)
    return total(numbers=dsl.Collected(one.output)).output


@case(f"{DAG}: items from a named output", returned={"Output": "x0+x1"})
def loop_over_a_named_output() -> str:
    with dsl.ParallelFor(several(n=2).outputs["names"]) as item:
        one = say(text=item)
    return join(parts=dsl.Collected(one.output)).output


@case(f"{RESOLVE}: parameterExpressionSelector", returned={"Output": [7, 9]}, stock=True)
def loop_over_fields_of_written_items() -> List[int]:
    with dsl.ParallelFor([{"a": 1, "b": 6}, {"a": 2, "b": 7}]) as item:
        one = add(a=item.a, b=item.b)
    return dsl.Collected(one.output)


@case(f"{RESOLVE}: parameterExpressionSelector", returned={"Output": 0})
def loop_over_fields_of_an_output() -> int:
    with dsl.ParallelFor(records(to=3).output) as item:
        one = add(a=item.n, b=item.m)
    return total(numbers=dsl.Collected(one.output)).output


@case(
    f"{RESOLVE}: fields of a parameter's items", parameters={"items": [{"n": 4}]}, returned={"Output": [4]}
)
def loop_over_fields_of_a_parameter(items: List[Dict[str, int]]) -> List[int]:
    with dsl.ParallelFor(items) as item:
        one = add(a=item.n)
    return dsl.Collected(one.output)


@case(f"{COLLECT} of no iterations", returned={"Output": 0})
def empty_list_collects_to_an_empty_list() -> int:
    with dsl.ParallelFor(count_up(to=0).output) as item:
        one = add(a=item)
    return total(numbers=dsl.Collected(one.output)).output


@case(f"{COLLECT} of no iterations", parameters={"items": []}, returned={"Output": []})
def empty_parameter_is_returned_empty(items: List[int]) -> List[int]:
    with dsl.ParallelFor(items) as item:
        one = add(a=item)
    return dsl.Collected(one.output)


@case(f"{COLLECT} of artifacts", returned={"Output": "a+b"}, stock=True)
def artifacts_are_collected_in_the_order_of_the_items() -> str:
    with dsl.ParallelFor(["a", "b"]) as item:
        one = make(text=item)
    return read_all(data=dsl.Collected(one.outputs["data"])).output


@case(f"{COLLECT} of no artifacts", returned={"Output": ""})
def empty_list_of_artifacts() -> str:
    with dsl.ParallelFor(several(n=0).outputs["names"]) as item:
        one = make(text=item)
    return read_all(data=dsl.Collected(one.outputs["data"])).output


@case(f"{COLLECT}: breadth first, one list for loops in loops", returned={"Output": [11, 21, 12, 22]})
def nested_loops_collect_into_one_list() -> List[int]:
    with dsl.ParallelFor([1, 2]) as outer, dsl.ParallelFor([10, 20]) as inner:
        one = add(a=outer, b=inner)
    return dsl.Collected(one.output)


@case(f"{COLLECT}: artifacts of loops in loops", returned={"Output": "a+b+a+b"})
def nested_loops_collect_artifacts_into_one_list() -> str:
    with dsl.ParallelFor([1, 2]) as outer, dsl.ParallelFor(["a", "b"]) as inner:
        add(a=outer)
        one = make(text=inner)
    return read_all(data=dsl.Collected(one.outputs["data"])).output


@case(f"{ARGO}: parallelismLimit", returned={"Output": 15})
def loop_with_parallelism_gives_the_same() -> int:
    with dsl.ParallelFor([1, 2, 3, 4, 5], parallelism=2) as item:
        one = add(a=item)
    return total(numbers=dsl.Collected(one.output)).output


@case(f"{ARGO}: `when` inside an iteration", skipped=frozenset({"say-0", "say-2"}))
def condition_on_an_item():
    with dsl.ParallelFor([1, 2, 3]) as item, dsl.If(item == 2):
        say(text="two")


@case(f"{DAG}: a loop in a branch", returned={}, skipped=frozenset())
def loop_in_a_branch(items: List[int] = [1, 2]):
    with dsl.If(add(a=1).output == 1), dsl.ParallelFor(items) as item:
        add(a=item)


@case(f"{DAG}: a loop in a branch that is not taken", skipped=frozenset({"fail"}))
def loop_in_a_branch_that_is_not_taken(items: List[str] = ["a", "b"]):
    with dsl.If(add(a=1).output == 2), dsl.ParallelFor(items) as item:
        fail(text=item)


@case(f"{RESOLVE}: artifacts from outside a loop", returned={"Output": "some+some"}, stock=True)
def artifact_from_outside_is_read_in_each_iteration() -> str:
    data = make().outputs["data"]
    with dsl.ParallelFor([1, 2]) as item:
        add(a=item)
        one = read(data=data)
    return join(parts=dsl.Collected(one.output)).output


@dsl.pipeline(name="looping")
def looping(items: List[int]) -> List[int]:
    with dsl.ParallelFor(items) as item:
        one = add(a=item, b=1)
    return dsl.Collected(one.output)


@case(f"{SDK}/dsl: a nested pipeline gives what its loop collected", returned={"Output": 5})
def loop_in_a_nested_pipeline() -> int:
    return total(numbers=looping(items=[1, 2]).output).output


@dsl.pipeline(name="plus")
def plus(n: int) -> int:
    return add(a=n, b=100).output


@case(f"{COLLECT} through a nested pipeline", returned={"Output": [101, 102]})
def nested_pipeline_in_a_loop() -> List[int]:
    with dsl.ParallelFor([1, 2]) as item:
        one = plus(n=item)
    return dsl.Collected(one.output)


@case(f"{ARGO}: a failed iteration fails the loop; the collector is omitted", state="FAILED",
      skipped=frozenset({"total"}))  # fmt: skip
def failed_iteration_fails_the_loop():
    with dsl.ParallelFor(["a", "b"], parallelism=2) as item:
        fail(text=item)
        one = add(a=1)
    total(numbers=dsl.Collected(one.output))
