"""What a random pipeline must do."""

from tests.pipelines.local.conformance.graphs import IMPORTED, Branch, Nested, Node, Step, Stored


def interpret(nodes: tuple[Node, ...]) -> dict[str, set[str]]:
    """Return each step that is executed with the steps it follows, written as they log themselves."""
    done: dict[str, set[str]] = {}

    def one(known, node, at, also=()):
        (a, before_a), (b, before_b) = value(known, node.a), value(known, node.b)
        line = f"{node.name}@{at[0]},{at[1]} {a} {b}"
        assert line not in done
        done[line] = before_a | before_b | set(also)
        return (3 * a + b) % 11, {line}

    def value(known, name):
        return (int(name), set()) if name.isdigit() else known[name]

    def follow(nodes, known, at, depth):
        for node in nodes:
            if isinstance(node, Step):
                made = one(known, node, at)
            elif isinstance(node, Stored):
                made = (IMPORTED, set()) if node.of is None else known[node.of]
            elif isinstance(node, Branch):
                on, before = known[node.on]
                side = next((i for i, above in enumerate(node.above) if on > above), -1)
                made = one(known, node.sides[side], at, before)
            elif isinstance(node, Nested):
                inside = {f"{node.name}a": value(known, node.a), f"{node.name}b": value(known, node.b)}
                made = follow(node.body, inside, at, depth + 1)[node.body[-1].name]
            else:
                ends = []
                for item in node.items:
                    inside = {**known, f"{node.name}i": (item, set()), f"{node.name}m": (8 - item, set())}
                    deeper = (*at[:depth], item, *at[depth + 1 :])
                    ends.append(follow(node.body, inside, deeper, depth + 1)[node.body[-1].name])
                lines = {line for _, before in ends for line in before}
                made = sum(value for value, _ in ends), lines
            known[node.name] = made
        return known

    follow(nodes, {}, (-1, -1), 0)
    done["exit@-1,-1 0 0"] = set(done)
    return done
