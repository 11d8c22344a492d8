"""Piecewise linear encoding; NumPy's interpolation is the oracle."""

import numpy as np

from components.training.encode_numbers import encode_numbers, find_bins


def test_encoding_adds_up_to_the_place_on_the_scale():
    values = np.random.default_rng(0).lognormal(size=(5000, 1)).astype(np.float32)
    bins = find_bins(values, 16)
    edges = np.append(bins.start, bins.start[-1:] + bins.width[-1:])
    asked = np.array([[-5.0], [0.3], [1.0], [2.5], [1e6]], np.float32)
    encoded = np.asarray(encode_numbers(asked, bins)) + bins.mean
    np.testing.assert_allclose(encoded.sum(axis=1), np.interp(asked[:, 0], edges, range(17)), rtol=1e-4)
    np.testing.assert_allclose([encoded.min(), encoded.max()], [0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(np.mean(encode_numbers(values, bins), axis=0), 0.0, atol=1e-5)


def test_each_column_has_the_bins_that_its_values_allow():
    rows = np.arange(12.0, dtype=np.float32)
    columns = [rows, rows % 2, np.zeros(12, np.float32), rows % 3]
    assert find_bins(np.stack(columns, axis=1), 8).column.tolist() == [0] * 8 + [3] * 2


def test_columns_without_bins_have_no_encoding():
    flags = np.zeros((4, 2), np.float32)
    assert encode_numbers(flags, find_bins(flags, 8)).shape == (4, 0)
