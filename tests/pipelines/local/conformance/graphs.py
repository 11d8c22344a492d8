"""Random pipelines of steps, branches and loops, and what each must do."""

from dataclasses import dataclass
from random import Random

from kfp import dsl

from tests.pipelines.local.conformance.cases import door, total


@door
def step(log: str, name: str, a: int, b: int, outer: int = -1, inner: int = -1) -> int:
    import os

    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{name}@{outer},{inner} {a} {b} began\n".encode())
    os.write(file, f"{name}@{outer},{inner} {a} {b} ended\n".encode())
    return (3 * a + b) % 11


@door
def listed(numbers: list[int]) -> list[int]:
    return numbers


@dataclass(frozen=True)
class Step:
    name: str
    a: str  # name of a value, or digits
    b: str


@dataclass(frozen=True)
class Branch:
    name: str
    on: str
    above: int
    yes: Step
    no: Step


@dataclass(frozen=True)
class Repeat:
    name: str
    items: tuple[int, ...]
    parallelism: int
    body: tuple["Step | Branch | Repeat", ...]


Node = Step | Branch | Repeat
LEVELS = ("outer", "inner")


def random_graph(seed: int, size: int = 6) -> tuple[Node, ...]:
    """Return a graph of `size` nodes, loops at most two deep."""
    random, count = Random(seed), iter(range(1000))  # noqa: S311 - not for secrets

    def pick(known: list[str]) -> str:
        return random.choice([*known, *known, str(random.randrange(9))])

    def make(known: list[str], size: int, depth: int) -> tuple[Node, ...]:
        known, nodes = list(known), []
        for _ in range(size):
            name, kind = f"v{next(count)}", random.random()
            if kind < 0.55:
                node: Node = Step(name, pick(known), pick(known))
            elif kind < 0.8 and known:
                sides = [Step(f"{name}{side}", pick(known), pick(known)) for side in "yn"]
                node = Branch(name, random.choice(known), random.randrange(10), *sides)
            elif depth < 2:
                items = tuple(random.sample(range(9), random.randrange(1, 4)))
                body = make([*known, f"{name}i"], random.randrange(1, 3), depth + 1)
                last = Step(f"{name}l", f"{name}i", body[-1].name)
                node = Repeat(name, items, random.randrange(3), (*body, last))
            else:
                node = Step(name, pick(known), "1")
            nodes.append(node)
            known.append(name)
        return tuple(nodes)

    return make([], size, 0)


def as_pipeline(seed: int, nodes: tuple[Node, ...]):
    """Return the graph as a KFP pipeline that returns the value of its last node."""

    @dsl.pipeline(name=f"random-{seed}")
    def pipeline(log: str) -> int:
        def value(known, name):
            return int(name) if name.isdigit() else known[name]

        def one(known, node, at):
            a, b = value(known, node.a), value(known, node.b)
            return step(log=log, name=node.name, a=a, b=b, **at).output

        def build(nodes, known, at):
            for node in nodes:
                if isinstance(node, Step):
                    known[node.name] = one(known, node, at)
                elif isinstance(node, Branch):
                    with dsl.If(known[node.on] > node.above):
                        yes = one(known, node.yes, at)
                    with dsl.Else():
                        no = one(known, node.no, at)
                    known[node.name] = dsl.OneOf(yes, no)
                else:
                    # Not over a written list: in loops and branches the compiler loses the item of those.
                    items = listed(numbers=list(node.items)).output
                    with dsl.ParallelFor(items, parallelism=node.parallelism) as item:
                        inside = {**known, f"{node.name}i": item}
                        inner = build(node.body, inside, {**at, LEVELS[len(at)]: item})
                    last = inner[node.body[-1].name]
                    known[node.name] = total(numbers=dsl.Collected(last)).output
            return known

        return build(nodes, {}, {})[nodes[-1].name]

    return pipeline


def interpret(nodes: tuple[Node, ...]) -> tuple[int, dict[str, set[str]]]:
    """Return the value of the last node, and each step that is executed with the steps it follows.

    Steps are written as they log themselves.
    """
    done: dict[str, set[str]] = {}

    def one(known, node, at, also=()):
        (a, before_a), (b, before_b) = (
            (int(name), set()) if name.isdigit() else known[name] for name in (node.a, node.b)
        )
        line = f"{node.name}@{at[0]},{at[1]} {a} {b}"
        assert line not in done
        done[line] = before_a | before_b | set(also)
        return (3 * a + b) % 11, {line}

    def follow(nodes, known, at):
        for node in nodes:
            if isinstance(node, Step):
                known[node.name] = one(known, node, at)
            elif isinstance(node, Branch):
                on, before = known[node.on]
                known[node.name] = one(known, node.yes if on > node.above else node.no, at, before)
            else:
                ends = []
                for item in node.items:
                    inside = {**known, f"{node.name}i": (item, set())}
                    deeper = (item, -1) if at[0] < 0 else (at[0], item)
                    ends.append(follow(node.body, inside, deeper)[node.body[-1].name])
                lines = {line for _, before in ends for line in before}
                known[node.name] = sum(value for value, _ in ends), lines
        return known

    return follow(nodes, {}, (-1, -1))[nodes[-1].name][0], done
