"""Numbers for people: enough digits to compare, none beyond."""

from __future__ import annotations

import math

from components.evaluation.estimate import Estimate


def show(number: float) -> str:
    """Return a number by itself, at most four significant digits; whole from 10,000 on."""
    return f"{number:,.0f}" if abs(number) >= 10_000 else f"{number:.4g}"


def show_value(estimate: Estimate) -> str:
    """Return the value with as many decimals as its interval is shown with."""
    return f"{estimate.value:,.{_decimals(estimate)}f}"


def show_change(estimate: Estimate) -> str:
    """Return the value likewise, with its sign."""
    return f"{estimate.value:+,.{_decimals(estimate)}f}"


def show_interval(estimate: Estimate) -> str:
    """Return `low to high`; four significant digits of the larger, and equal decimals."""
    digits = _decimals(estimate)
    return f"{estimate.low:,.{digits}f} to {estimate.high:,.{digits}f}"


def _decimals(estimate: Estimate) -> int:
    largest = max(abs(estimate.low), abs(estimate.high), abs(estimate.value))
    return min(12, max(0, 3 - math.floor(math.log10(largest)))) if largest > 0.0 else 4
