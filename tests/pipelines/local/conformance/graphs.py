"""Random pipelines."""

# ruff: noqa: SIM115, UP006, UP035 - doors are one-liners here, in the types that KFP takes

from dataclasses import dataclass
from random import Random
from typing import Dict, List

from kfp import dsl

from tests.pipelines.local.conformance.cases import door, total

IMPORTED = 7  # what the imported file holds


@door
def step(log: str, name: str, a: int, b: int, outer: int = -1, inner: int = -1) -> int:
    import os

    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{name}@{outer},{inner} {a} {b} began\n".encode())
    os.write(file, f"{name}@{outer},{inner} {a} {b} ended\n".encode())
    return (3 * a + b) % 11


@door
def listed(numbers: List[int]) -> List[int]:
    return numbers


@door
def described(numbers: List[int]) -> List[Dict[str, int]]:
    return [{"n": number, "m": 8 - number} for number in numbers]


@door
def keep(number: int, data: dsl.Output[dsl.Dataset]):
    open(data.path, "w").write(str(number))


@door
def fetch(data: dsl.Input[dsl.Dataset]) -> int:
    return int(open(data.path).read())


@dataclass(frozen=True)
class Step:
    name: str
    a: str  # name of a value, or digits
    b: str


@dataclass(frozen=True)
class Stored:
    """A value that goes through an artifact; of None, one that is imported."""

    name: str
    of: str | None


@dataclass(frozen=True)
class Branch:
    """The first side whose bound the value is above, else the last."""

    name: str
    on: str
    above: tuple[int, ...]
    sides: tuple[Step, ...]


@dataclass(frozen=True)
class Repeat:
    name: str
    items: tuple[int, ...]
    fields: bool
    parallelism: int
    body: tuple["Node", ...]


@dataclass(frozen=True)
class Nested:
    """A pipeline of two inputs, which are named `<name>a` and `<name>b` in it."""

    name: str
    a: str
    b: str
    body: tuple["Node", ...]


Node = Step | Stored | Branch | Repeat | Nested
LEVELS = ("outer", "inner")


def random_graph(seed: int, size: int = 6) -> tuple[Node, ...]:
    """Return a graph of `size` nodes, loops and pipelines at most two deep, and of a step that ends it.

    Not every such graph can be compiled: KFP's compiler loses some values on their way into a loop.
    """
    random, count = Random(seed), iter(range(1000))  # noqa: S311 - not for secrets

    def pick(known: list[str]) -> str:
        return random.choice([*known, *known, str(random.randrange(9))])

    def branch(name: str, known: list[str]) -> Branch:
        above = tuple(sorted(random.sample(range(10), random.randrange(1, 3)), reverse=True))
        sides = [Step(f"{name}{side}", pick(known), pick(known)) for side in "xyz"[: len(above) + 1]]
        return Branch(name, random.choice(known), above, tuple(sides))

    def repeat(name: str, known: list[str], depth: int) -> Repeat:
        items = tuple(random.sample(range(9), random.choice((0, 1, 2, 3))))
        fields = random.random() < 0.5
        given = [f"{name}i", f"{name}m"] if fields else [f"{name}i"]
        body = make([*known, *given], random.randrange(1, 3), depth + 1)
        last = Step(f"{name}l", given[-1], body[-1].name)
        return Repeat(name, items, fields, random.randrange(3), (*body, last))

    def nested(name: str, known: list[str], depth: int) -> Nested:
        body = make([f"{name}a", f"{name}b"], random.randrange(1, 3), depth + 1)
        last = Step(f"{name}l", f"{name}b", body[-1].name)
        return Nested(name, pick(known), pick(known), (*body, last))

    def make(known: list[str], size: int, depth: int) -> tuple[Node, ...]:
        known, nodes = list(known), []
        for _ in range(size):
            name, kind = f"v{next(count)}", random.random()
            if kind < 0.3 or (kind > 0.7 and depth > 1):
                node: Node = Step(name, pick(known), pick(known))
            elif kind < 0.5:
                node = Stored(name, random.choice([*known, None]))
            elif kind < 0.7:
                node = branch(name, known) if known else Step(name, "2", "1")
            else:
                node = repeat(name, known, depth) if kind < 0.85 else nested(name, known, depth)
            nodes.append(node)
            known.append(name)
        return tuple(nodes)

    nodes = make([], size, 0)
    return (*nodes, Step("end", nodes[-1].name, "0"))


def kinds(nodes: tuple[Node, ...]) -> set[str]:
    """Return what of the language a graph uses."""
    found = {type(node).__name__ for node in nodes}
    for node in nodes:
        if isinstance(node, Stored) and node.of is None:
            found.add("importer")
        if isinstance(node, Branch) and len(node.above) > 1:
            found.add("elif")
        if isinstance(node, Repeat):
            found |= {"fields"} if node.fields else set()
            found |= set() if node.items else {"empty list"}
        if isinstance(node, Repeat | Nested):
            found |= kinds(node.body)
    return found


def as_pipeline(seed: int, nodes: tuple[Node, ...]):
    """Return the graph as a KFP pipeline with an exit task."""
    inner = _pipelines(nodes, 0)

    @dsl.pipeline(name=f"random-{seed}")
    def pipeline(log: str, uri: str):
        with dsl.ExitHandler(step(log=log, name="exit", a=0, b=0)):
            _build(nodes, {}, {}, 0, log, uri, inner)

    return pipeline


def _build(nodes, known, at, depth, log, uri, inner):
    def value(name):
        return int(name) if name.isdigit() else known[name]

    def one(node):
        return step(log=log, name=node.name, a=value(node.a), b=value(node.b), **at).output

    for node in nodes:
        if isinstance(node, Step):
            made = one(node)
        elif isinstance(node, Stored):
            importer = (
                dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset) if node.of is None else None
            )
            data = importer.output if importer else keep(number=value(node.of)).outputs["data"]
            made = fetch(data=data).output
        elif isinstance(node, Branch):
            made = _branch(node, known, one)
        elif isinstance(node, Repeat):
            # Not over a written list: in loops and branches the compiler loses the item of those.
            items = (described if node.fields else listed)(numbers=list(node.items)).output
            with dsl.ParallelFor(items, parallelism=node.parallelism) as item:
                number = item.n if node.fields else item
                inside = {
                    **known,
                    f"{node.name}i": number,
                    **({f"{node.name}m": item.m} if node.fields else {}),
                }
                deeper = {**at, LEVELS[depth]: number}
                ends = _build(node.body, inside, deeper, depth + 1, log, uri, inner)
            made = total(numbers=dsl.Collected(ends[node.body[-1].name])).output
        else:
            made = inner[node.name](log=log, uri=uri, a=value(node.a), b=value(node.b), **at).output
        known[node.name] = made
    return known


def _branch(node, known, one):
    on = known[node.on]
    with dsl.If(on > node.above[0]):
        ends = [one(node.sides[0])]
    if len(node.above) > 1:
        with dsl.Elif(on > node.above[1]):
            ends.append(one(node.sides[1]))
    with dsl.Else():
        ends.append(one(node.sides[-1]))
    return dsl.OneOf(*ends)


def _pipelines(nodes, depth):
    """Make the pipelines inside a graph ahead of it, the innermost first, since KFP makes one at a time."""
    made = {}
    for node in nodes:
        if isinstance(node, Repeat | Nested):
            made |= _pipelines(node.body, depth + 1)
        if isinstance(node, Nested):
            made[node.name] = _pipeline(node, depth, dict(made))
    return made


def _pipeline(node, depth, made):
    @dsl.pipeline(name=node.name)
    def pipeline(log: str, uri: str, a: int, b: int, outer: int = -1, inner: int = -1) -> int:
        known = {f"{node.name}a": a, f"{node.name}b": b}
        at = {"outer": outer, "inner": inner}
        return _build(node.body, known, at, depth + 1, log, uri, made)[node.body[-1].name]

    return pipeline
