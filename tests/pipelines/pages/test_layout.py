"""Where boxes and arrows of a graph go."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.pages.layout import BOX_HEIGHT, BOX_WIDTH, Node, lay_out


def place(drawing):
    return {box.node.name: box for box in drawing.boxes}


def nodes(names):
    return [Node(name=name, title=name) for name in names]


def test_an_arrow_that_a_longer_way_implies_is_left_out():
    drawing = lay_out(nodes("abc"), {("a", "b"), ("b", "c"), ("a", "c")})
    assert len(drawing.arrows) == 2


def test_what_waits_for_nothing_stands_just_above_what_needs_it():
    at = place(lay_out(nodes("axbc"), {("a", "b"), ("b", "c"), ("x", "c")}))
    assert at["x"].y == at["b"].y
    assert at["x"].x != at["b"].x


def test_an_arrow_that_passes_a_row_goes_beside_its_boxes():
    """a points to b, b to c, c to d; a points to x, x to d: x is just above d, two rows below a."""
    edges = {("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("a", "x"), ("x", "e")}
    drawing = lay_out(nodes("abcdxe"), edges)
    at = place(drawing)
    assert at["x"].y == at["d"].y
    [lane] = [path for path in drawing.arrows if "V" in path]
    column = float(lane.split("V")[0].split()[-2])
    for name in "bc":
        assert not at[name].x <= column <= at[name].x + BOX_WIDTH


def test_no_node_is_no_drawing():
    assert lay_out([], set()) is None


def test_long_names_are_cut():
    [box] = lay_out([Node(name="a", title="t" * 80)], set()).boxes
    assert len(box.title) == 24


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])))
def test_boxes_never_overlap_stay_inside_and_point_downwards(pairs):
    edges = {(str(a), str(b)) for a, b in pairs}
    drawing = lay_out(nodes(map(str, range(10))), edges)
    at = place(drawing)
    assert all(at[a].y + BOX_HEIGHT < at[b].y for a, b in edges)
    assert len({(box.x, box.y) for box in drawing.boxes}) == 10
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - BOX_WIDTH
        assert 0 <= box.y <= drawing.height - BOX_HEIGHT
        beside = [other.x for other in drawing.boxes if other.y == box.y and other is not box]
        assert all(abs(box.x - other) >= BOX_WIDTH for other in beside)
