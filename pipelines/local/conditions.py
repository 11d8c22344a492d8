"""Conditions of tasks: evaluated as the backend does it.

That is cel-go (`backend/src/v2/expression/expression.go`). The rules that matter: every number of a
parameter is a double, numbers compare across kinds, values of other kinds are unequal and have no order,
and `&&` and `||` pass over an error that cannot change their answer.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.expressions import Call, Expression, Literal, Parameter, parse_expression
from pipelines.local.values import as_text


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was understood.

    Attributes:
        text: As the package has it.
        expression: What it means.
    """

    text: str
    expression: Expression

    def holds(self, parameters: Mapping[str, Any], where: str) -> bool:
        """Tell whether the condition is true.

        Args:
            parameters: Input parameters of the task; what is unset is absent.
            where: The task, for the error.

        Raises:
            BadInputError: A parameter has no value, an operator does not take these values, or the result
                is neither true nor false.
        """
        try:
            value = _evaluate(self.expression, parameters)
        except _EvaluationError as error:
            raise BadInputError(f"condition {error}", where=where, value=self.text) from error
        if not isinstance(value, bool):
            raise BadInputError("condition is neither true nor false", where=where, value=self.text)
        return value


def parse_condition(text: str, where: str) -> Condition:
    """Parse a condition; see `parse_expression`."""
    return Condition(text, parse_expression(text, where))


class _EvaluationError(Exception):
    """What a condition cannot do, as the end of a sentence that starts with "condition"."""


def _evaluate(expression: Expression, parameters: Mapping[str, Any]) -> Any:
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, Parameter):
        if expression.name not in parameters:
            raise _EvaluationError(f"reads `{expression.name}`, which has no value")
        value = parameters[expression.name]
        return float(value) if _is_number(value) else value
    if expression.name in ("&&", "||"):
        return _decide(expression, parameters)
    operands = [_evaluate(operand, parameters) for operand in expression.operands]
    return _OPERATORS[expression.name](*operands)


def _decide(call: Call, parameters: Mapping[str, Any]) -> bool:
    decisive = call.name == "||"
    failure: _EvaluationError | None = None
    for operand in call.operands:
        try:
            value = _truth(_evaluate(operand, parameters))
        except _EvaluationError as error:
            failure = failure or error
            continue
        if value is decisive:
            return decisive
    if failure is not None:
        raise failure
    return not decisive


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _EvaluationError(f"takes {value!r} for true or false")
    return value


def _equal(left: Any, right: Any) -> bool:
    return (_are_numbers(left, right) or type(left) is type(right)) and left == right


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    if _are_numbers(left, right) or (type(left) is type(right) and isinstance(left, (str, bool))):
        return left, right
    raise _EvaluationError(f"has no order for {left!r} and {right!r}")


def _to_int(value: Any) -> int:
    try:
        if _is_number(value) or (isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value)):
            number = int(value)
            if -(2**63) <= number < 2**63:
                return number
    except OverflowError:
        pass
    raise _EvaluationError(f"has no whole number for {value!r}")


def _to_double(value: Any) -> float:
    try:
        if isinstance(value, str) or _is_number(value):
            return float(value)
    except ValueError:
        pass
    raise _EvaluationError(f"has no number for {value!r}")


def _to_string(value: Any) -> str:
    if isinstance(value, (str, bool)) or _is_number(value):
        return as_text(value)
    raise _EvaluationError(f"has no text for {value!r}")


def _negative(value: Any) -> Any:
    if _is_number(value):
        return -value
    raise _EvaluationError(f"has no negative of {value!r}")


def _are_numbers(left: Any, right: Any) -> bool:
    return _is_number(left) and _is_number(right)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(*_ordered(left, right))


def _unequal(left: Any, right: Any) -> bool:
    return not _equal(left, right)


def _not(value: Any) -> bool:
    return not _truth(value)


_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "==": _equal, "!=": _unequal, "<": _ordering(operator.lt), "<=": _ordering(operator.le),
    ">": _ordering(operator.gt), ">=": _ordering(operator.ge), "!": _not, "-": _negative,
    "int": _to_int, "double": _to_double, "string": _to_string,
}  # fmt: skip
