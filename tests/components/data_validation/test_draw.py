import pytest

from components.data_validation.draw import HEIGHT, WIDTH, draw_histogram, draw_shares


def test_areas_are_shares_so_sizes_do_not_matter():
    small = draw_histogram([(0, 1, 1), (1, 3, 1)], {}, axis=str)
    large = draw_histogram([(0, 1, 50), (1, 3, 50)], {}, axis=str)
    assert small.bars == large.bars
    (_, _, _, first), (_, _, _, second) = small.bars
    assert (first, second) == (HEIGHT, HEIGHT / 2)  # equal counts, twice as wide: half as high


def test_the_axis_spans_batch_and_baseline():
    picture = draw_histogram([(10, 20, 5)], {"baseline": [(0, 10, 5)], "eval": []}, axis=str)
    assert picture.ends == ("0", "20")
    assert picture.bars[0][0] == WIDTH / 2
    assert list(picture.outlines) == ["baseline"]
    assert picture.outlines["baseline"] == f"M0.0 {HEIGHT}L0.0 0.0L130.0 0.0L130.0 {HEIGHT}"


def test_the_axis_of_whole_numbers_ends_at_the_last_one():
    assert draw_histogram([(1, 2, 5), (2, 3, 5)], {}, axis="{:g}".format, step=1).ends == ("1", "2")


def test_one_single_value_is_drawn_within_the_box():
    [(x, y, width, height)] = draw_histogram([(7, 7, 5)], {}, axis=str).bars
    assert 0 <= x <= x + width <= WIDTH
    assert 0 <= y <= y + height <= HEIGHT


def test_vanished_values_are_shown_and_the_rest_is_summed():
    now = dict.fromkeys("abcdef", 0.16)
    picture = draw_shares(now, {"baseline": {"gone": 0.9, "a": 0.1}, "eval": {}})
    assert picture.shares[0] == ("gone", 0.0, {"baseline": 0.9})
    assert len(picture.shares) == 5
    assert picture.rest == pytest.approx(1 - 4 * 0.16)


def test_nothing_to_draw_is_no_picture():
    assert draw_histogram([], {}, axis=str) is None
    assert draw_shares({}, {"eval": {"a": 1.0}}) is None
